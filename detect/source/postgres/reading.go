package postgres

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
)

const (
	// rangeBlocks are one message: large enough that messages cost little, and so
	// small that to read one again for a single row of it does too.
	rangeBlocks = 1 << rangeBits
	rangeBits   = 2
	// handBlocks are handed on at once at most, and then paid for.
	handBlocks = 128
	// stretchBlocks are one statement: short enough to be stopped by any time-out,
	// and shorter in a small heap, so that no session is left alone at the end.
	stretchBlocks    = 4096
	leastStretch     = 256
	stretchesSession = 8
)

// unit is a stretch of one heap that one session reads at a time.
type unit struct {
	heap   heap
	packed bool
	// placeless is true for all rows of a relation without places.
	placeless bool
	// from and line are the first place not read yet, to the block behind the
	// last one. Who reads moves them on, so that a reading can be taken up again.
	from, to int64
	line     int
	// only are the parts of it to read, where that is not all of it.
	only []span
}

func (u *unit) first() string {
	return "(" + strconv.FormatInt(u.from, 10) + "," + strconv.Itoa(u.line) + ")"
}

func (u *unit) last() string { return "(" + strconv.FormatInt(u.to, 10) + ",0)" }

// ranges are the unit's blocks as scan_packed takes them.
func (u *unit) ranges() []string {
	return []string{strconv.FormatInt(u.from, 10), strconv.FormatInt(u.to, 10), strconv.Itoa(rangeBlocks)}
}

// moveTo says that everything before a place was read, and waits where that
// was faster than the pace allows.
func (s *Source) moveTo(ctx context.Context, u *unit, block int64, line int) error {
	read := (min(block, u.to) - u.from) * s.server.blockSize
	u.from, u.line = block, line
	return s.pace.Spend(ctx, read)
}

// units cuts heaps into stretches. A heap that must not fill the server's
// cache is cut into one part a session: each reads it whole, side by side, and
// works out and sends its own part only.
func (s *Source) units(heaps []heap, sessions int) []*unit {
	var units []*unit
	for _, h := range heaps {
		packed, step := s.packs(h), min(max(h.blocks/int64(sessions*stretchesSession), leastStretch), stretchBlocks)
		if s.pace != nil {
			step = handBlocks // so that no statement runs ahead of the pace
		}
		if !packed {
			step = max(1, (h.blocks+int64(sessions)-1)/int64(sessions))
		}
		for from := int64(0); from < h.blocks; from += step {
			units = append(units, &unit{heap: h, packed: packed, from: from, to: min(from+step, h.blocks)})
		}
	}
	return units
}

// each has the sessions read every stretch of some heaps once, all at the same
// time. The first error stops them all, unless it is a standby's that had to
// keep up with its primary: then what is left is read in a new snapshot.
func (s *Source) each(ctx context.Context, heaps []heap, read func(context.Context, *session, *unit) error) error {
	sessions, err := s.sessions(ctx)
	if err != nil {
		return err
	}
	if s.pace != nil && s.wide(heaps) >= 0 {
		// Side by side, a session would pass over the others' parts unpaced.
		sessions = sessions[:1]
	}
	return s.readUnits(ctx, s.units(heaps, len(sessions)), read)
}

// readUnits has the sessions read some units, as each does.
func (s *Source) readUnits(ctx context.Context, units []*unit, read func(context.Context, *session, *unit) error) error {
	return s.outlive(ctx, func() error {
		sessions, err := s.sessions(ctx)
		if err != nil {
			return err
		}
		return shareOut(ctx, sessions, units, read)
	})
}

// shareOut has the sessions take what is left of the units until there is nothing.
func shareOut(ctx context.Context, sessions []*session, units []*unit, read func(context.Context, *session, *unit) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	work := func(one *session) error {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(units) {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if units[i].from >= units[i].to {
				continue // read before a standby's interruption
			}
			if err := read(ctx, one, units[i]); err != nil {
				return err
			}
			units[i].from = units[i].to
		}
	}
	var wg sync.WaitGroup
	for _, one := range sessions {
		wg.Go(func() {
			if err := one.aside(ctx, func() error { return work(one) }); err != nil {
				stop(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// whole reads a relation whose rows have no place, as one unit without an end,
// and again where a standby stops it.
func (s *Source) whole(ctx context.Context, r *relation, read func(context.Context, *session, *unit) error) error {
	return s.outlive(ctx, func() error {
		return s.main.aside(ctx, func() error { return read(ctx, s.main, &unit{heap: heap{name: r.name}, placeless: true}) })
	})
}

// fill fills a statement that reads one stretch.
func (u *unit) fill(r *relation, name string, more ...string) string {
	stretch := fmt.Sprintf("%[1]s.ctid >= '%[2]s' AND %[1]s.ctid < '%[3]s'", r.alias, u.first(), u.last())
	only := "ONLY "
	if u.placeless {
		stretch, only = "true", ""
	}
	return r.fill(name, append(more, "only", only, "table", u.heap.name, "stretch", stretch)...)
}

// steer sets the planner for reading a stretch in its way.
func (u *unit) steer(ctx context.Context, one *session) error {
	ranges, sequential := "off", "on"
	if u.packed {
		ranges, sequential = "on", "off"
	}
	_, err := one.rows(ctx, "scan_settings", ranges, sequential)
	return err
}
