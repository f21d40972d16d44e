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
)

// Try reads three stretches of the largest heap and multiplies.
func (s *Source) Try(ctx context.Context, t *source.Table) (time.Duration, bool, error) {
	r, err := s.relation(t)
	if err != nil {
		return 0, false, err
	}
	if s.Capabilities(t).FindsRepeats || r.book != nil {
		return 0, false, nil
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
		return 0, true, nil
	}
	var took []time.Duration
	err = s.outlive(ctx, func() error {
		took = nil
		return s.main.aside(ctx, func() error {
			for i := range int64(trials) {
				one, err := s.trial(ctx, r, t, largest, largest.blocks*(2*i+1)/(2*trials))
				if err != nil {
					return err
				}
				took = append(took, one)
			}
			return nil
		})
	})
	if err != nil {
		return 0, false, explain(ctx, "trying how fast "+t.Name+" can be read", err)
	}
	slices.Sort(took)
	sessions := 1
	if s.pace == nil || s.wide(r.heaps) < 0 {
		sessions = max(1, s.options.Jobs)
	}
	share := float64(all) / trialBlocks / float64(sessions) * asideShare
	return time.Duration(float64(took[trials/2]) * share), true, nil
}

// trial reads one stretch from a block on and throws it away. Ranges are read
// as such in both ways: an ordinary scan would read the whole table.
func (s *Source) trial(ctx context.Context, r *relation, t *source.Table, h heap, from int64) (time.Duration, error) {
	u := &unit{heap: h, packed: true, from: from, to: min(from+trialBlocks, h.blocks)}
	if err := u.steer(ctx, s.main); err != nil {
		return 0, err
	}
	start := time.Now()
	times := newProfile(r, t)
	sql, args := r.fillPrints("scan_stream", h, times.streamTimes(r)), []string{u.first(), u.last()}
	if s.packs(h) {
		sql, args = r.fillPrints("scan_packed", h, times.packedTimes(r)), u.ranges()
	}
	err := s.main.stream(ctx, 1, sql, args, func([][]byte) error { return nil })
	return time.Since(start), err
}
