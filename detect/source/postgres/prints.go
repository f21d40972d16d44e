package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"twinrow/detect/source"
)

const (
	rangeBlocks   = 128  // one message: 1 MiB of rows, some tens of kilobytes of prints
	stretchBlocks = 4096 // one statement: short enough to be stopped by any time-out
	batchPrints   = 4096 // prints handed on at once where they come one by one
)

// unit is a stretch of one heap that one session reads at a time.
type unit struct {
	heap     heap
	from, to int64 // blocks; to is not read
	packed   bool
}

// units cuts the table into stretches. A heap that must not fill the server's
// cache is cut into one part a session: each reads it whole, side by side, and
// works out and sends its own part only.
func (s *Source) units(r *relation, sessions int) []unit {
	var units []unit
	for _, h := range r.heaps {
		packed, step := s.packs(h), int64(stretchBlocks)
		if !packed {
			step = max(1, (h.blocks+int64(sessions)-1)/int64(sessions))
		}
		for from := int64(0); from < h.blocks; from += step {
			units = append(units, unit{heap: h, from: from, to: min(from+step, h.blocks), packed: packed})
		}
	}
	return units
}

// Prints reads every row of the table once, on all sessions at the same time,
// and hands on the fingerprints of the pass.
func (s *Source) Prints(ctx context.Context, t *source.Table, pass source.Pass, visit func([]source.Print) error) (source.Count, error) {
	r, err := s.relation(t)
	if err != nil {
		return source.Count{}, err
	}
	if s.Capabilities(t).FindsRepeats {
		return source.Count{}, fmt.Errorf("reading %s: its key has no fingerprint; the database groups it", t.Name)
	}
	sessions, err := s.sessions(ctx)
	if err != nil {
		return source.Count{}, explain(ctx, "reading "+t.Name, err)
	}
	reading := &reading{relation: r, hash: r.hash(), pass: pass, visit: visit, units: s.units(r, len(sessions))}
	if r.book != nil {
		err = s.printsByID(ctx, r, reading)
	} else {
		err = reading.run(ctx, sessions)
	}
	if reading.refused != nil {
		return reading.count, reading.refused
	}
	return reading.count, explain(ctx, "reading "+t.Name, err)
}

// hash is the fingerprint of a row as SQL: the hashes of the key's parts, each
// with a seed of its own, so that equal values at different places differ. It
// is NULL for a key that the NULL policy leaves out.
func (r *relation) hash() string {
	whole := ""
	for i, p := range r.parts {
		one := p.fingerprint(i + 1)
		if r.equal {
			one = fmt.Sprintf("coalesce(%s, %d)", one, 1_000_003*(i+1))
		}
		if whole == "" {
			whole = one
		} else {
			whole = "pg_catalog.int8xor(" + whole + ", " + one + ")"
		}
	}
	return whole
}

// fingerprint is the part's hash with a seed. A hash that cannot be called by
// name is reached through that of arrays, which looks up the same one; an array
// is never NULL, so the NULL is kept by hand.
func (p part) fingerprint(seed int) string {
	if p.direct {
		return fmt.Sprintf("%s(%s::%s, %d)", p.hash, p.sql, p.argument, seed)
	}
	return fmt.Sprintf("CASE WHEN pg_catalog.num_nulls(%[1]s) = 0 THEN pg_catalog.hash_array_extended(ARRAY[%[1]s::%[2]s], %[3]d) END",
		p.sql, p.argument, seed)
}

// reading is one reading of a table by several sessions.
type reading struct {
	relation *relation
	hash     string
	pass     source.Pass
	units    []unit
	next     atomic.Int64

	mu      sync.Mutex // guards what follows, and visit itself
	visit   func([]source.Print) error
	count   source.Count
	refused error // what visit returned
}

// run has the sessions take units until there are none. The first error stops
// them all.
func (r *reading) run(ctx context.Context, sessions []*session) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	for _, one := range sessions {
		wg.Go(func() {
			if err := one.aside(ctx, func() error { return r.work(ctx, one) }); err != nil {
				stop(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (r *reading) work(ctx context.Context, one *session) error {
	for {
		i := int(r.next.Add(1)) - 1
		if i >= len(r.units) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.read(ctx, one, r.units[i]); err != nil {
			return err
		}
	}
}

func (r *reading) read(ctx context.Context, one *session, u unit) error {
	if u.packed {
		return r.readPacked(ctx, one, u)
	}
	return r.readStream(ctx, one, u)
}

// readPacked reads a stretch range by range of blocks.
func (r *reading) readPacked(ctx context.Context, one *session, u unit) error {
	if _, err := one.rows(ctx, "scan_settings", "on", "off"); err != nil {
		return err
	}
	sql := r.relation.fill("scan_packed", "hash", r.hash, "table", u.heap.name)
	args := []string{strconv.FormatInt(u.from, 10), strconv.FormatInt(u.to, 10), strconv.Itoa(rangeBlocks)}
	var prints []source.Print
	return one.stream(ctx, 1, sql, args, func(fields [][]byte) error {
		var err error
		prints, err = unpack(prints[:0], fields[1], fields[2], u.heap.base)
		if err != nil {
			return err
		}
		seen := int64(binary.BigEndian.Uint64(fields[0]))
		return r.hand(prints, seen, seen-int64(len(prints)))
	})
}

// readStream reads a stretch by a sequential scan, a message a row.
func (r *reading) readStream(ctx context.Context, one *session, u unit) error {
	if _, err := one.rows(ctx, "scan_settings", "off", "on"); err != nil {
		return err
	}
	sql := r.relation.fill("scan_stream", "hash", r.hash, "table", u.heap.name)
	prints := make([]source.Print, 0, batchPrints)
	var seen, unknown int64
	flush := func() error {
		err := r.hand(prints, seen, unknown)
		prints, seen, unknown = prints[:0], 0, 0
		return err
	}
	err := one.stream(ctx, 1, sql, []string{place(u.from), place(u.to)}, func(fields [][]byte) error {
		seen++
		if fields[0] == nil {
			unknown++
			return nil
		}
		prints = append(prints, source.Print{Hash: binary.BigEndian.Uint64(fields[0]), Locator: locator(fields[1], u.heap.base)})
		if len(prints) == batchPrints {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// hand counts rows and hands on those of the pass, one session at a time.
func (r *reading) hand(prints []source.Print, seen, unknown int64) error {
	if r.pass.Of > 1 {
		held := prints[:0]
		for _, p := range prints {
			if r.pass.Holds(p.Hash) {
				held = append(held, p)
			}
		}
		prints = held
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused != nil {
		return r.refused
	}
	r.count.Rows += seen
	r.count.NullKeys += unknown
	if len(prints) == 0 {
		return nil
	}
	r.refused = r.visit(prints)
	return r.refused
}
