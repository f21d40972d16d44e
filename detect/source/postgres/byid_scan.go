package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/detect/source"
)

const (
	// hashMask picks the bits of a fingerprint that stand for a row without a
	// place until the second reading, as a locator. scan_ids.sql has it too.
	hashMask = 1<<47 - 1
	// shareRows is how many fingerprints another server gathers for one
	// message: 32 MiB of its memory.
	shareRows = 4 << 20
	// placedAtOnce is how many fingerprints one second reading looks for.
	placedAtOnce = 1 << 20
)

// hashAnywhere is the fingerprint of k's columns in a form that every server
// works out alike and that postgres_fdw hands on: the hash of an array of one
// value, which is that of its type. It is never NULL.
func (r *relation) hashAnywhere() string {
	whole := ""
	for i, p := range r.parts {
		one := fmt.Sprintf("pg_catalog.hash_array_extended(ARRAY[k.%s::%s], %d)", partName(i), p.argument, i+1)
		if p.direct && !p.portable { // no other server works it out, and an array of rows has no hash
			one = fmt.Sprintf("coalesce(%s(k.%s::%s, %d), 0)", p.hash, partName(i), p.argument, i+1)
		}
		if whole == "" {
			whole = one
		} else {
			whole = "pg_catalog.int8xor(" + whole + ", " + one + ")"
		}
	}
	return whole
}

// printsByID reads the fingerprints of rows without a place, heap after heap on
// the one session whose snapshot at other servers holds for all that follows.
func (s *Source) printsByID(ctx context.Context, p *printing) error {
	r := p.relation
	return s.main.aside(ctx, func() error {
		if _, err := s.main.rows(ctx, "scan_settings", "off", "on"); err != nil {
			return err
		}
		r.book.there = true
		for _, h := range r.heaps {
			there, err := s.hashesThere(ctx, r, h)
			if err != nil {
				return err
			}
			r.book.there = r.book.there && (there || h.kind != "f")
			if there {
				err = s.readThere(ctx, h, p)
			} else {
				err = s.readHashes(ctx, h, p)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// hashesThere tells whether a foreign table's own server works its
// fingerprints out. It may where every server hashes the key's types alike.
func (s *Source) hashesThere(ctx context.Context, r *relation, h heap) (bool, error) {
	if h.kind != "f" || slices.ContainsFunc(r.parts, func(p part) bool { return !p.portable }) {
		return false, nil
	}
	folds, err := s.main.one(ctx, "table_folds", r.oid, r.keyColumns())
	if err != nil || folds == "t" {
		return false, err
	}
	if same, err := s.sameEncoding(ctx, r, h); err != nil || !same {
		return false, err
	}
	there := false
	err = s.main.stream(ctx, 0, "EXPLAIN (COSTS OFF) "+r.fill("scan_hashes_there", "table", h.name, "hash", r.hashAnywhere()), []string{"0", "0"},
		func(fields [][]byte) error {
			there = there || strings.HasPrefix(string(fields[0]), "Foreign Scan")
			return nil
		})
	return there, err
}

// sameEncoding tells whether the key's text is written in the same bytes here
// and at a foreign table's server, by which it is hashed. What cannot be told
// counts as no.
func (s *Source) sameEncoding(ctx context.Context, r *relation, h heap) (bool, error) {
	if !slices.ContainsFunc(r.parts, func(p part) bool { return p.worded }) {
		return true, nil
	}
	if !s.server.unicode || r.words == "" {
		return false, nil
	}
	same := false
	err := s.main.attempt(ctx, func() error {
		return s.main.stream(ctx, 0, r.fill("scan_unicode_there", "table", h.name, "column", r.bare(r.words)), nil, func([][]byte) error {
			same = true
			return nil
		})
	})
	if _, refused := errors.AsType[*pgconn.PgError](err); refused && ctx.Err() == nil {
		return false, nil
	}
	return same, err
}

// keyColumns are the key's columns as an array; NULL stands for an expression.
func (r *relation) keyColumns() string {
	names := make([]string, len(r.parts))
	for i, p := range r.parts {
		names[i] = "NULL"
		if p.column != "" {
			names[i] = quoteElement(p.column)
		}
	}
	return "{" + strings.Join(names, ",") + "}"
}

// readThere has another server send its fingerprints, in shares that it can
// gather without harm.
func (s *Source) readThere(ctx context.Context, h heap, p *printing) error {
	r := p.relation
	var rows, known int64
	err := s.main.stream(ctx, 0, r.fill("scan_count_heap", "table", h.name), nil, func(fields [][]byte) error {
		rows, known = number(string(fields[0])), number(string(fields[1]))
		return nil
	})
	if err != nil {
		return err
	}
	if err := p.hand(ctx, load{seen: rows, unknown: rows - known}); err != nil {
		return err
	}
	shares := int64(1)
	for shares*shareRows < known {
		shares *= 2
	}
	sql := r.fill("scan_hashes_there", "table", h.name, "hash", r.hashAnywhere())
	for share := range shares {
		err := s.main.stream(ctx, 1, sql, []string{strconv.FormatInt(shares-1, 10), strconv.FormatInt(share, 10)}, func(fields [][]byte) error {
			return p.handHashes(ctx, fields[0])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// handHashes hands on hashes of 8 bytes each, some thousands at a time.
func (p *printing) handHashes(ctx context.Context, hashes []byte) error {
	batch := p.empty()
	for len(hashes) >= 8 {
		hash := binary.BigEndian.Uint64(hashes)
		batch.prints, hashes = append(batch.prints, source.Print{Hash: hash, Locator: hash & hashMask}), hashes[8:]
		if len(batch.prints) == batchPrints || len(hashes) < 8 {
			if err := p.hand(ctx, batch); err != nil {
				return err
			}
			batch = p.empty()
		}
	}
	return nil
}

// readHashes works the fingerprints out here, a message a row.
func (s *Source) readHashes(ctx context.Context, h heap, p *printing) error {
	r := p.relation
	batch := p.empty()
	flush := func() error {
		err := p.hand(ctx, batch)
		batch = p.empty()
		return err
	}
	err := s.main.stream(ctx, 1, r.fill("scan_hashes", "table", h.name, "hash", r.hashAnywhere()), nil, func(fields [][]byte) error {
		if batch.seen++; fields[0] == nil {
			batch.unknown++
		} else {
			hash := binary.BigEndian.Uint64(fields[0])
			batch.prints = append(batch.prints, source.Print{Hash: hash, Locator: hash & hashMask})
		}
		if batch.seen == batchPrints {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// placeByID reads the table again and notes the ids of the rows whose
// fingerprints the locators, which are in order, stand for.
func (s *Source) placeByID(ctx context.Context, r *relation, locators []uint64) (map[uint64][]uint64, error) {
	var clusters map[uint64][]uint64
	err := s.outlive(ctx, func() error {
		clusters = map[uint64][]uint64{}
		fresh := map[uint64]bool{}
		return s.main.aside(ctx, func() error {
			if _, err := s.main.rows(ctx, "scan_settings", "off", "on"); err != nil {
				return err
			}
			for some := range slices.Chunk(locators, placedAtOnce) {
				if err := s.place(ctx, r, some, clusters, fresh); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return clusters, err
}

func (s *Source) place(ctx context.Context, r *relation, some []uint64, clusters map[uint64][]uint64, fresh map[uint64]bool) error {
	list := make([]string, len(some))
	for i, l := range some {
		list[i] = strconv.FormatUint(l, 10)
	}
	barrier := "OFFSET 0"
	if r.book.there {
		barrier = ""
	}
	return s.main.stream(ctx, 0, r.fillIDs("scan_ids", "barrier", barrier), []string{"{" + strings.Join(list, ",") + "}"}, func(fields [][]byte) error {
		signed, err := strconv.ParseInt(string(fields[0]), 10, 64)
		if err != nil {
			return fmt.Errorf("the server sent a fingerprint that is no number: %w", err)
		}
		l, err := r.note(fields[1:], uint64(signed), fresh)
		clusters[uint64(signed)] = append(clusters[uint64(signed)], l)
		return err
	})
}

// note takes the row whose id is the first of the fields into the book.
func (r *relation) note(fields [][]byte, hash uint64, fresh map[uint64]bool) (uint64, error) {
	id := make([]string, len(r.book.columns))
	for i := range id {
		if fields[i] == nil {
			return 0, r.book.notUnique(append(id[:i:i], "NULL"))
		}
		id[i] = string(fields[i])
	}
	return r.book.add(id, hash, fresh)
}

// clustersByID has the database group rows without a place by a key without a
// hash.
func (s *Source) clustersByID(ctx context.Context, r *relation) ([][]uint64, error) {
	fresh := map[uint64]bool{}
	var g gathering
	err := s.main.stream(ctx, 0, r.fillIDs("scan_grouped_ids"), nil, func(fields [][]byte) error {
		l, err := r.note(fields[2:], 0, fresh)
		g.add(string(fields[0]), l)
		return err
	})
	return g.clusters, err
}
