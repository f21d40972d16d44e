package postgres

import (
	"context"
	"encoding/binary"
	"fmt"

	"twinrow/detect/source"
)

// batchPrints is how many prints are handed on at once where they come one by one.
const batchPrints = 4096

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
	s.begin(pass)
	p := &printing{source: s, relation: r, hash: r.hash(), pass: pass, queue: make(chan load, waiting), used: make(chan []source.Print, waiting)}
	err = p.run(ctx, visit)
	if p.refused != nil {
		return p.count, p.refused
	}
	return p.count, explain(ctx, "reading "+t.Name, err)
}

// run has one goroutine call visit, so that while it works no session has to
// wait with what it has read.
func (p *printing) run(ctx context.Context, visit func([]source.Print) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := range p.queue {
			if p.refused == nil {
				if p.take(s, visit); p.refused != nil {
					stop()
				}
			}
		}
	}()
	var err error
	if p.relation.book != nil {
		err = p.source.printsByID(ctx, p)
	} else {
		err = p.source.each(ctx, p.relation, p.read)
	}
	close(p.queue)
	<-done
	return err
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

// waiting is how many messages of all sessions may wait for visit.
const waiting = 8

// printing is one reading of a table for its fingerprints.
type printing struct {
	source   *Source
	relation *relation
	hash     string
	pass     source.Pass
	queue    chan load
	used     chan []source.Print // to be filled again

	count   source.Count
	refused error // what visit returned
}

// load is what one message brought.
type load struct {
	prints        []source.Print
	seen, unknown int64
}

func (p *printing) read(ctx context.Context, one *session, u *unit) error {
	if err := u.steer(ctx, one); err != nil {
		return err
	}
	if u.packed {
		return p.readPacked(ctx, one, u)
	}
	return p.readStream(ctx, one, u)
}

// readPacked reads a stretch range by range of blocks.
func (p *printing) readPacked(ctx context.Context, one *session, u *unit) error {
	sql := p.relation.fill("scan_packed", "hash", p.hash, "table", u.heap.name)
	return one.stream(ctx, 1, sql, u.ranges(), func(fields [][]byte) error {
		prints, err := unpack(p.empty(), fields[1], u.heap.base)
		if err != nil {
			return err
		}
		seen := int64(binary.BigEndian.Uint64(fields[0]))
		if err := p.hand(ctx, load{prints, seen, seen - int64(len(prints))}); err != nil {
			return err
		}
		return p.source.moveTo(ctx, u, u.from+rangeBlocks, 0)
	})
}

// readStream reads a stretch by a sequential scan, a message a row. What is
// counted as read is what was handed on.
func (p *printing) readStream(ctx context.Context, one *session, u *unit) error {
	sql := p.relation.fill("scan_stream", "hash", p.hash, "table", u.heap.name)
	batch := load{prints: p.empty()}
	var last uint64
	flush := func() error {
		if batch.seen == 0 {
			return nil
		}
		if err := p.hand(ctx, batch); err != nil {
			return err
		}
		batch = load{prints: p.empty()}
		return p.source.moveTo(ctx, u, int64(last>>16)-u.heap.base, int(last&0xffff)+1)
	}
	err := one.stream(ctx, 1, sql, []string{u.first(), u.last()}, func(fields [][]byte) error {
		batch.seen++
		last = locator(fields[1], u.heap.base)
		if fields[0] == nil {
			batch.unknown++
		} else {
			batch.prints = append(batch.prints, source.Print{Hash: binary.BigEndian.Uint64(fields[0]), Locator: last})
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

// empty is a slice to fill, where there is one an old one.
func (p *printing) empty() []source.Print {
	select {
	case prints := <-p.used:
		return prints[:0]
	default:
		return make([]source.Print, 0, batchPrints)
	}
}

// hand passes on what a message brought.
func (p *printing) hand(ctx context.Context, s load) error {
	select {
	case p.queue <- s:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take counts rows and has visit see those of the pass.
func (p *printing) take(s load, visit func([]source.Print) error) {
	p.count.Rows += s.seen
	p.count.NullKeys += s.unknown
	held := s.prints
	if p.pass.Of > 1 {
		held = held[:0]
		for _, one := range s.prints {
			if p.pass.Holds(one.Hash) {
				held = append(held, one)
			}
		}
	}
	if len(held) > 0 {
		p.refused = visit(held)
	}
	select {
	case p.used <- s.prints:
	default:
	}
}
