package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// Repeats has the database group the rows itself, for a key of a type without
// a hash. It sorts the whole table at the server.
func (s *Source) Repeats(ctx context.Context, t *source.Table, visit func(cluster []uint64) error) (source.Count, error) {
	r, err := s.relation(t)
	if err != nil {
		return source.Count{}, err
	}
	s.begin(source.Pass{})
	take, held := visit, [][]uint64(nil)
	if s.server.standby { // which may have us begin again
		take = func(cluster []uint64) error {
			held = append(held, slices.Clone(cluster))
			return nil
		}
	}
	var count source.Count
	var refused error
	err = s.outlive(ctx, func() error {
		held = nil
		return s.main.aside(ctx, func() (err error) {
			count, refused, err = s.repeats(ctx, r, take)
			return errors.Join(refused, err)
		})
	})
	if refused != nil {
		return count, refused
	}
	if err != nil {
		return count, explain(ctx, "grouping "+t.Name, err)
	}
	for _, cluster := range held {
		if err := visit(cluster); err != nil {
			return count, err
		}
	}
	return count, nil
}

// repeats counts the rows and hands on clusters; refused is what visit returned.
func (s *Source) repeats(ctx context.Context, r *relation, visit func([]uint64) error) (count source.Count, refused, err error) {
	if _, err = s.main.rows(ctx, "scan_settings", "off", "on"); err != nil {
		return count, nil, err
	}
	if count, err = s.countRows(ctx, r); err != nil {
		return count, nil, err
	}
	if r.book != nil {
		refused, err = s.clustersByID(ctx, r, visit)
	} else {
		refused, err = s.clusters(ctx, r, visit)
	}
	return count, refused, err
}

func (s *Source) countRows(ctx context.Context, r *relation) (source.Count, error) {
	var count source.Count
	err := s.main.stream(ctx, 0, r.fill("scan_count", "table", r.name), nil, func(fields [][]byte) error {
		count.Rows = number(string(fields[0]))
		count.NullKeys = count.Rows - number(string(fields[1]))
		return nil
	})
	return count, err
}

// clusters streams the places of repeated keys; refused is what visit returned.
func (s *Source) clusters(ctx context.Context, r *relation, visit func([]uint64) error) (refused, err error) {
	var cluster []uint64
	group := ""
	flush := func() error {
		if len(cluster) > 0 {
			refused = visit(cluster)
		}
		cluster = cluster[:0]
		return refused
	}
	err = s.main.stream(ctx, 1, r.fill("scan_grouped", "table", r.name), nil, func(fields [][]byte) error {
		if string(fields[2]) != group {
			group = string(fields[2])
			if err := flush(); err != nil {
				return err
			}
		}
		base, ok := r.base(binary.BigEndian.Uint32(fields[0]))
		if !ok {
			return &key.Problem{Code: key.CodeStopped, Message: r.name + " got a new partition while it was read", Hint: "nothing was changed; run the same command again"}
		}
		cluster = append(cluster, locator(fields[1], base))
		return nil
	})
	if err == nil {
		err = flush()
	}
	return refused, err
}
