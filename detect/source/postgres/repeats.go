package postgres

import (
	"context"
	"encoding/binary"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// Repeats has the database group the rows itself, for a key of a type without
// a hash. It sorts the whole table at the server. The places are held until all
// are there, because a standby may have us begin again.
func (s *Source) Repeats(ctx context.Context, t *source.Table, visit func(cluster []uint64) error) (source.Count, error) {
	r, err := s.relation(t)
	if err != nil {
		return source.Count{}, err
	}
	s.begin(source.Pass{})
	var count source.Count
	var clusters [][]uint64
	err = s.outlive(ctx, func() error {
		return s.main.aside(ctx, func() (err error) {
			count, clusters, err = s.repeats(ctx, r)
			return err
		})
	})
	if err != nil {
		return count, explain(ctx, "grouping "+t.Name, err)
	}
	for _, cluster := range clusters {
		if err := visit(cluster); err != nil {
			return count, err
		}
	}
	return count, nil
}

// repeats counts the rows and gathers the places of each repeated key.
func (s *Source) repeats(ctx context.Context, r *relation) (count source.Count, clusters [][]uint64, err error) {
	if _, err = s.main.rows(ctx, "scan_settings", "off", "on"); err != nil {
		return count, nil, err
	}
	if count, err = s.countRows(ctx, r); err != nil {
		return count, nil, err
	}
	if r.book != nil {
		clusters, err = s.clustersByID(ctx, r)
	} else {
		clusters, err = s.clusters(ctx, r)
	}
	return count, clusters, err
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

// clusters are the places of each repeated key.
func (s *Source) clusters(ctx context.Context, r *relation) ([][]uint64, error) {
	var g gathering
	err := s.main.stream(ctx, 1, r.fill("scan_grouped", "table", r.name), nil, func(fields [][]byte) error {
		base, ok := r.base(binary.BigEndian.Uint32(fields[0]))
		if !ok {
			return &key.Problem{Code: key.CodeStopped, Message: r.name + " got a new partition while it was read", Hint: "nothing was changed; run the same command again"}
		}
		g.add(string(fields[2]), locator(fields[1], base))
		return nil
	})
	return g.clusters, err
}

// gathering puts rows of one group, which come one after another, together.
type gathering struct {
	group    string
	clusters [][]uint64
}

func (g *gathering) add(group string, l uint64) {
	if len(g.clusters) == 0 || g.group != group {
		g.group, g.clusters = group, append(g.clusters, nil)
	}
	last := len(g.clusters) - 1
	g.clusters[last] = append(g.clusters[last], l)
}
