package probe

import (
	"context"
	"time"

	"twinrow/remediate/probe/expect"
)

const (
	// maxFollowed is how many row checks may be open at once beside a rate.
	maxFollowed = 50_000
	// maxKept is how many checks that were not met are kept.
	maxKept = 1000
)

// rowStream checks the rows of a rate's messages while it is kept up: once
// when the answer is there and once more after the time of settle, and only
// where one of these is wrong again and again. What was right is only counted.
type rowStream struct {
	r    *runner
	step *step
	ctx  context.Context
	in   chan *followed
	done chan struct{}
	kept []*watch
}

// followed is a check with the time of its next look and its end.
type followed struct {
	watch     *watch
	began, at time.Time
}

// startRows begins to follow; nil where the step has no checks for each message.
func (r *runner) startRows(ctx context.Context, st *step) *rowStream {
	some := false
	for i := range st.rows {
		some = some || !st.rows[i].perRun
	}
	if !some {
		return nil
	}
	s := &rowStream{r: r, step: st, ctx: ctx, in: make(chan *followed, maxFollowed), done: make(chan struct{})}
	go s.run()
	return s
}

// try shows a wrong statement before much is sent.
func (s *rowStream) try(ctx context.Context, c *cell) error {
	for i := range s.step.rows {
		if s.step.rows[i].perRun {
			continue
		}
		w, err := s.r.watchOf(&s.step.rows[i], c)
		if err == nil {
			err = s.r.read(ctx, w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// follow takes on the checks of one message.
func (s *rowStream) follow(c *cell) {
	if s == nil {
		return
	}
	for i := range s.step.rows {
		if s.step.rows[i].perRun {
			continue
		}
		w, err := s.r.watchOf(&s.step.rows[i], c)
		if err != nil {
			w = &watch{check: &s.step.rows[i], err: err}
		}
		s.in <- &followed{watch: w, began: time.Now(), at: time.Now()}
	}
}

// finish waits for the last looks and returns the checks that were not met,
// and one for each kind of those that were.
func (s *rowStream) finish() []*watch {
	if s == nil {
		return nil
	}
	close(s.in)
	<-s.done
	return s.kept
}

func (s *rowStream) run() {
	defer close(s.done)
	right := map[*rowCheck]bool{}
	var later []*followed
	for open := true; open || len(later) > 0; {
		var f *followed
		if f, open, later = s.next(open, later); f == nil {
			continue
		}
		if time.Until(f.at) > 0 && pause(s.ctx, time.Until(f.at)) != nil {
			s.keep(f.watch)
			continue
		}
		w := f.watch
		if w.err == nil {
			w.err = s.r.read(s.ctx, w)
		}
		switch {
		case s.ctx.Err() == nil && !w.decide(f.began, time.Now()):
			f.at = time.Now().Add(max(w.check.settle, pollEvery))
			later = append(later, f)
		case w.settled && w.outcome() == expect.Right:
			if !right[w.check] {
				right[w.check] = true
				s.keep(w)
			}
		default:
			s.keep(w)
		}
	}
}

// next is the check to look at now: a new one, or else the one whose turn
// came first.
func (s *rowStream) next(open bool, later []*followed) (*followed, bool, []*followed) {
	if len(later) > 0 {
		if !time.Now().Before(later[0].at) || !open {
			return later[0], open, later[1:]
		}
		select {
		case f, ok := <-s.in:
			return f, ok, later
		case <-time.After(time.Until(later[0].at)):
			return later[0], open, later[1:]
		}
	}
	f, ok := <-s.in
	return f, ok, later
}

func (s *rowStream) keep(w *watch) {
	if len(s.kept) < maxKept {
		s.kept = append(s.kept, w)
	}
}
