package probe

import (
	"context"
	"slices"
	"time"

	"twinrow/remediate/probe/internal/gate"
	"twinrow/remediate/probe/overlap"
)

// controlLog is what control rounds showed.
type controlLog struct {
	// trips are round trips to the target beneath HTTP, sorted.
	trips []time.Duration
	// loopback is true where no network lies between.
	loopback bool
	// solos are all single requests; blocks the rounds.
	solos  []time.Duration
	blocks []block
	// used counts control requests, for keys and users that differ.
	used int
	// refused counts control requests answered with 401, 403, 429 or 5xx.
	refused int
	early   bool
	// times are what the target itself told of these requests, by what was
	// held back.
	times [gate.Holds]overlap.Times
}

// block is one control round: the quickest of the single requests right before
// it and the first answer of many at once, and the time that these took.
type block struct{ solo, together time.Duration }

// burst is what one release of control requests took.
type burst struct{ first, last time.Duration }

// controlRound fires some single requests and then as many at once as an
// attack does, all of them with keys that differ.
func (r *runner) controlRound(ctx context.Context) error {
	solo := time.Duration(0)
	for range r.spec.solos() {
		b, ok, err := r.fireControl(ctx, 1)
		if err != nil {
			return err
		}
		if ok {
			r.control.solos = append(r.control.solos, b.last)
			if solo == 0 || b.last < solo {
				solo = b.last
			}
		}
	}
	b, ok, err := r.fireControl(ctx, r.spec.controlSize())
	if ok && solo > 0 {
		// Whoever answered first was alone until then, and not asleep.
		r.control.solos = append(r.control.solos, b.first)
		r.control.blocks = append(r.control.blocks, block{min(solo, b.first), b.last})
	}
	return err
}

// moreControls adds control rounds where those so far contradict each other:
// some had the parallelism of a pass and most had not, as of several workers on
// a busy machine.
func (r *runner) moreControls(ctx context.Context) error {
	for range r.spec.moreControls() {
		ratios := r.ratios()
		if len(ratios) == 0 || r.work() < resolution || ratios[len(ratios)-1] < r.enough() || r.overlapDoubt() == "" {
			return nil
		}
		if err := r.controlRound(ctx); err != nil {
			return err
		}
	}
	return nil
}

// fireControl returns the times from the release to the answers; ok is false
// where they say nothing.
func (r *runner) fireControl(ctx context.Context, n int) (b burst, ok bool, err error) {
	v, err := r.controlVolley(ctx, n)
	if err != nil {
		return burst{}, false, err
	}
	logged := r.logged()
	shot, err := r.fire(ctx, v.requests)
	if err != nil {
		return burst{}, false, err
	}
	if err := r.noteTimes(ctx, v, shot, logged); err != nil {
		return burst{}, false, err
	}
	ok = true
	var done []time.Duration
	for i := range shot.Answers {
		a := &shot.Answers[i]
		switch {
		case a.Early:
			r.control.early, ok = true, false
		case a.Err != nil:
			ok = false
		case a.Status == 401 || a.Status == 403 || a.Status == 429 || a.Status >= 500:
			r.control.refused++
		}
		done = append(done, a.Done.Sub(shot.First))
	}
	r.holdBack(r.control.early)
	slices.Sort(done)
	b.first, b.last = done[0], done[len(done)-1]
	return b, ok, nil
}

// times are those that the target told while the same was held back as now.
func (r *runner) times() *overlap.Times { return &r.control.times[r.hold] }

func (r *runner) controlVolley(ctx context.Context, n int) (*volley, error) {
	s := r.spec
	keys, evaluate := s.allKeys(), s.evaluate
	if s.controlKind() == controlGiven {
		evaluate = s.controlVars
		if len(s.control.keys) > 0 {
			keys = s.control.keys
		}
	}
	v := &volley{}
	for range n {
		serial := r.control.used
		r.control.used++
		m := moment{Key: keys[serial%len(keys)], User: s.atOnce() + serial + 1, Copy: s.copies + serial + 1, Round: s.firstControl() + serial}
		c, err := r.cell(m, evaluate)
		if err != nil {
			return nil, err
		}
		v.cells = append(v.cells, c)
	}
	if err := r.prepare(ctx, v); err != nil {
		return nil, err
	}
	signatures := r.newSignatures()
	for i := range v.cells {
		if err := v.add(r, signatures, i, v.cells[i].moment, v.cells[i].vars); err != nil {
			return nil, err
		}
	}
	r.noteControl(v)
	return v, nil
}

// parallelism is how many requests with different keys the target works on at
// once: N times the work of a single one over the time that N at once took,
// both without the way there and back. It is the median over the control
// rounds, at most N, and 0 where nothing can be said. Of the single requests
// beside a round the quickest counts, so that chance makes it smaller rather
// than larger.
func (r *runner) parallelism() float64 {
	ratios := r.ratios()
	if len(ratios) == 0 {
		return 0
	}
	return min(float64(r.spec.controlSize()), ratios[len(ratios)/2])
}

// ratios are the parallelism of each control round, sorted.
func (r *runner) ratios() []float64 {
	var ratios []float64
	n := float64(r.spec.controlSize())
	for _, b := range r.control.blocks {
		together := max(b.together-r.trip(), time.Microsecond)
		ratios = append(ratios, n*max(0, float64(b.solo-r.trip()))/float64(together))
	}
	slices.Sort(ratios)
	return ratios
}

// work is the time of the quickest single request beneath the network: noise
// makes a request slower, so only a real worker makes all of them slow.
func (r *runner) work() time.Duration {
	if len(r.control.solos) == 0 {
		return 0
	}
	return slices.Min(r.control.solos) - r.trip()
}

// trip is the way there and back. Within a machine it is the shortest seen,
// what is longer being the scheduler's doing; through a network the upper end,
// because its jitter must not pass for work.
func (r *runner) trip() time.Duration {
	if r.control.loopback {
		return r.control.trips[0]
	}
	return quantile(r.control.trips, 0.9)
}

// quantile of a list that is sorted or not; the list must not be empty.
func quantile(values []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
