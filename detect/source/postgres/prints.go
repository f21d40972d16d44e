package postgres

import (
	"context"
	"errors"
	"fmt"

	"twinrow/detect/source"
)

// batchPrints is how many prints are handed on at once, and mostLines about how
// many more may come with one block.
const (
	batchPrints = 4096
	mostLines   = 256
)

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
	p := &printing{source: s, relation: r, table: t, pass: pass, queue: make(chan load, waiting), used: make(chan load, waiting)}
	if pass.Index == 0 && r.book == nil {
		p.profile = newProfile(r, t)
	}
	err = p.run(ctx, visit)
	if p.refused != nil {
		return p.count, p.refused
	}
	if err == nil && pass.Index == 0 {
		r.profile = p.profile
	}
	if errors.Is(err, source.ErrAgain) {
		return p.count, err
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
		err = p.source.beginAgain(ctx, p.source.printsByID(ctx, p))
	} else {
		err = p.source.each(ctx, p.relation.heaps, p.read)
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
const waiting = 4

// printing is one reading of a table for its fingerprints.
type printing struct {
	source   *Source
	relation *relation
	table    *source.Table
	pass     source.Pass
	queue    chan load
	used     chan load // to be filled again

	profile *profile // nil where no times are learnt
	count   source.Count
	refused error // what visit returned
}

// load is what some messages brought.
type load struct {
	prints        []source.Print
	seen, unknown int64
	times         []glimpse
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

// empty is a load to fill, where there is one an old one.
func (p *printing) empty() load {
	select {
	case l := <-p.used:
		return load{prints: l.prints[:0], times: l.times[:0]}
	default:
		return load{prints: make([]source.Print, 0, batchPrints+rangeBlocks*mostLines)}
	}
}

// hand passes on what messages brought.
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
	if p.profile != nil {
		p.profile.add(s.times)
	}
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
	case p.used <- s:
	default:
	}
}
