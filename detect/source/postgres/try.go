package postgres

import (
	"context"
	"slices"
	"time"

	"twinrow/detect/source"
)

const (
	// trials are read to foretell how long a table takes, trialBlocks each: the
	// middle one of three is taken, so that one slow read says nothing.
	trials      = 3
	trialBlocks = 128
	// triedFrom is the size in blocks below which no trial is made.
	triedFrom = 1024
	// asideShare is what a reading costs beside the server's work, as a share of it:
	// the client's own, and that sessions stand in one another's way.
	asideShare = 1.5
	// farApart is the share of all times, as its inverse, past which those of one
	// range lie far apart.
	farApart = 50
	// leastShare of a table that must be read again is worth telling.
	leastShare = 0.05
)

// Try reads three stretches of the largest heap and multiplies.
func (s *Source) Try(ctx context.Context, t *source.Table) (source.Trial, error) {
	r, err := s.relation(t)
	if err != nil {
		return source.Trial{}, err
	}
	if s.Capabilities(t).FindsRepeats || r.book != nil {
		return s.untried(r, t), nil
	}
	var all int64
	var largest heap
	for _, h := range r.heaps {
		all += h.blocks
		if h.blocks > largest.blocks {
			largest = h
		}
	}
	if all < triedFrom || largest.blocks < triedFrom/2 {
		return source.Trial{Told: true}, nil
	}
	one := trial{source: s, relation: r, profile: newProfile(r, t)}
	err = s.outlive(ctx, func() error {
		one.took, one.times = nil, nil
		return s.main.aside(ctx, func() error {
			for i := range int64(trials) {
				if err := one.read(ctx, largest, largest.blocks*(2*i+1)/(2*trials)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return source.Trial{}, explain(ctx, "trying how fast "+t.Name+" can be read", err)
	}
	slices.Sort(one.took)
	sessions := 1
	if s.pace == nil || s.wide(r.heaps) < 0 {
		sessions = max(1, s.options.Jobs)
	}
	share := float64(all) / trialBlocks / float64(sessions) * asideShare
	told := source.Trial{Told: true, Took: time.Duration(float64(one.took[trials/2]) * share)}
	if t.Time != "" {
		told.Again = int64(one.again() * float64(t.Bytes))
	}
	return told, nil
}

// untried is what is known of a reading by a few statements, of which no small
// part can be tried. All times are read once more, if there are some.
func (s *Source) untried(r *relation, t *source.Table) source.Trial {
	told := source.Trial{Each: t.Bytes, Why: "to count the rows", Unpaced: true}
	if r.book != nil {
		told.Why = "for the ids of the rows whose fingerprints repeat"
		told.Unsized = slices.ContainsFunc(r.heaps, func(h heap) bool { return h.kind == "v" || h.kind == "f" })
	}
	if t.Time != "" {
		told.Again = t.Bytes
	}
	return told
}

// trial is a reading that is thrown away.
type trial struct {
	source   *Source
	relation *relation
	profile  *profile
	took     []time.Duration
	times    []times // of ranges of blocks
}

// read reads one stretch from a block on. Ranges are read as such in both ways:
// an ordinary scan would read the whole table.
func (a *trial) read(ctx context.Context, h heap, from int64) error {
	from -= from % rangeBlocks
	u := &unit{heap: h, packed: true, from: from, to: min(from+trialBlocks, h.blocks)}
	if err := u.steer(ctx, a.source.main); err != nil {
		return err
	}
	var l load
	sql, args := a.relation.fillPrints("scan_stream", h, a.profile.streamTimes(a.relation)), []string{u.first(), u.last()}
	take := func(fields [][]byte) error { return l.put(fields, locator(fields[1], 0)) }
	if a.source.packs(h) {
		sql, args = a.relation.fillPrints("scan_packed", h, a.profile.packedTimes(a.relation)), u.ranges()
		take = func(fields [][]byte) error { return l.unpack(fields, 0) }
	}
	start := time.Now()
	err := a.source.main.stream(ctx, 1, sql, args, take)
	a.took = append(a.took, time.Since(start))
	for _, g := range l.times {
		a.times = append(a.times, g.times)
	}
	return err
}

// again is about the share of the table that Timeline must read: ranges whose
// times lie so far apart that the border of a bucket may well be between them.
func (a *trial) again() float64 {
	if a.profile == nil {
		return 1 // of no time type: read as text
	}
	var all times
	wide := 0
	for _, t := range a.times {
		if t.finite() {
			all.join(t)
		}
	}
	for _, t := range a.times {
		if !t.finite() || float64(t.last)-float64(t.first) > (float64(all.last)-float64(all.first))/farApart {
			wide++
		}
	}
	if share := float64(wide) / float64(max(len(a.times), 1)); share >= leastShare {
		return share
	}
	return 0
}
