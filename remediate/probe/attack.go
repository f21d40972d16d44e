package probe

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"twinrow/remediate/probe/expect"
	"twinrow/remediate/probe/internal/gate"
)

// attack is what was seen of one step in one round. Bodies are not kept.
type attack struct {
	step   *step
	number int
	// at is when it was released, from the beginning of the run.
	at       time.Duration
	seen     []observation
	span     time.Duration
	inFlight int
	// cut is the number of requests whose connection was ended on purpose;
	// nothing is known of their answers.
	cut int
	// early is true where an answer began before the release.
	early bool
	// torn is true where the run ended before the step did.
	torn bool
	// watches are the row checks of this step in this round.
	watches []*watch
	// rate is nil where no rate was kept up.
	rate *rateSeen
}

// observation is one answer, summed up.
type observation struct {
	key int
	// times is how many answers it stands for: of a rate, equal ones are counted together.
	times  int
	status int
	fault  string
	unread string
	cached bool
	// sent, first and latency are from the release; part is 1 for the second
	// sending of a step that sends again.
	sent, first, latency time.Duration
	part                 int
	// matches are the numbers of the step's expectations that count the answer.
	matches []int
	success bool
	// won tells whether it is a winner: the first expectation that wants any
	// counts it or, without one, it is a success.
	won bool
}

// missing tells whether the answer, or what it says, is not known.
func (o *observation) missing() bool { return o.fault != "" || o.unread != "" }

// attack sends what a step says, looks at the answers, and begins its checks.
func (r *runner) attack(ctx context.Context, st *step, number int, cells []cell) (err error) {
	build := func() (*volley, error) {
		if st.distinct > 0 {
			return r.distinctVolley(st, number)
		}
		return r.copiesVolley(st, cells)
	}
	v, err := build()
	if err != nil {
		return err
	}
	a := attack{step: st, number: number, at: time.Since(r.began)}
	if a.watches, err = r.watchCells(ctx, st.rows, v.cells); err != nil {
		return err
	}
	parts := 1
	switch {
	case st.cut:
		if a.cut, err = r.cutAll(ctx, v.requests); err == nil {
			err = pause(ctx, st.againAfter)
		}
	case st.again:
		parts = 2
	}
	for part := 0; part < parts && err == nil; part++ {
		if part > 0 {
			if err = pause(ctx, st.againAfter); err != nil {
				break
			}
			if st.signing != nil && st.signing.fresh {
				v.requests, err = r.signAnew(v, st)
			}
		}
		if err == nil {
			err = r.part(ctx, &a, v, part)
		}
	}
	if len(a.seen)+a.cut == 0 && err != nil {
		return err
	}
	a.torn = err != nil && !errors.Is(err, errUntaken)
	r.log = append(r.log, a)
	return r.settleStep(ctx, a.watches, err)
}

// part releases the requests and notes what came back.
func (r *runner) part(ctx context.Context, a *attack, v *volley, part int) error {
	shot, err := r.fire(ctx, v.requests)
	if shot == nil {
		return err
	}
	early, from := false, len(a.seen)
	for i := range shot.Answers {
		early = early || shot.Answers[i].Early
		o := r.observe(a.step, &shot.Answers[i], r.keyNumber(v, v.of[i]))
		o.part, o.sent = part, shot.Answers[i].Sent.Sub(shot.First)
		if at := shot.Answers[i].FirstByte; !at.IsZero() {
			o.first = at.Sub(shot.First)
		}
		a.seen = append(a.seen, o)
	}
	a.early = a.early || early
	if err == nil && part == 0 {
		err = r.takeFrom(a.step, v, shot.Answers, a.seen[from:])
	}
	a.span, a.inFlight = max(a.span, shot.Last.Sub(shot.First)), max(a.inFlight, inFlight(shot.Answers))
	r.holdBack(early)
	return err
}

// keyNumber is the number of the key that a cell belongs to.
func (r *runner) keyNumber(v *volley, of int) int {
	return max(0, slices.Index(r.spec.keys, v.cells[of].moment.Key))
}

// signAnew builds the same requests with new time-stamps.
func (r *runner) signAnew(v *volley, st *step) ([]gate.Request, error) {
	again, err := r.copiesVolley(st, v.cells)
	if err != nil {
		return nil, err
	}
	return again.requests, nil
}

// cutAll sends the requests side by side and ends each connection as soon as
// its request is sent.
func (r *runner) cutAll(ctx context.Context, requests []gate.Request) (sent int, err error) {
	errs := make([]error, len(requests))
	var group sync.WaitGroup
	for i := range requests {
		group.Go(func() { errs[i] = r.client.cut(ctx, &requests[i]) })
	}
	group.Wait()
	for _, e := range errs {
		if e == nil {
			sent++
		} else {
			err = e
		}
	}
	return sent, err
}

// settleStep settles the step's checks at once where a later step or round
// would change what they count, else leaves them for the end of the run. err
// is what ended the step early.
func (r *runner) settleStep(ctx context.Context, watches []*watch, err error) error {
	if err != nil || r.spec.fresh && len(r.spec.steps) == 1 {
		r.watches = append(r.watches, watches...)
		return err
	}
	return r.settle(ctx, watches)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return ctx.Err()
	}
}

// holdBack switches to holding the header back once holding the body back has
// shown to do nothing.
func (r *runner) holdBack(early bool) {
	if early {
		r.hold = gate.HoldHead
	}
}

// observe sums an answer up and counts its time.
func (r *runner) observe(st *step, answer *gate.Answer, key int) observation {
	o := r.weigh(st, answer)
	o.key = key
	if answer.Err == nil {
		r.latencyOf(st).record(o.latency)
	}
	return o
}

// weigh sums an answer up by what the step expects.
func (r *runner) weigh(st *step, answer *gate.Answer) observation {
	o := observation{times: 1, status: answer.Status, unread: answer.Unread}
	if answer.Err != nil {
		o.fault = gate.KindOther
		if fault, ok := errors.AsType[*gate.Fault](answer.Err); ok {
			o.fault = fault.Kind
		}
		return o
	}
	o.latency = answer.Done.Sub(answer.Sent)
	o.cached = fromCache(answer)
	o.success = answer.Status >= 200 && answer.Status < 300
	body := expect.NewBody(answer.Body, answer.Unread != "")
	winner := st.winner()
	for i := range st.replies {
		r.notePaths(&st.replies[i], body)
		if st.replies[i].Match(answer.Status, answer.Header, body) {
			o.matches = append(o.matches, i)
			o.won = o.won || i == winner
		}
	}
	o.success = o.success || o.won
	if winner < 0 {
		o.won = o.success
	}
	return o
}

// notePaths remembers the JSON places that answers have, to tell a value that
// never came from a path that is wrong.
func (r *runner) notePaths(e *expect.Response, body *expect.Body) {
	for _, w := range e.JSON {
		if path := w.Path.String(); !r.found[path] {
			_, r.found[path] = w.In(body)
		}
	}
}

// fromCache knows the fields by which caches name themselves (RFC 9111 Age,
// and the common X-Cache and CF-Cache-Status).
func fromCache(answer *gate.Answer) bool {
	if age := answer.Header.Get("Age"); age != "" && age != "0" {
		return true
	}
	for _, name := range []string{"X-Cache", "Cf-Cache-Status", "X-Proxy-Cache"} {
		if value := answer.Header.Get(name); len(value) >= 3 && (value[:3] == "HIT" || value[:3] == "Hit" || value[:3] == "hit") {
			return true
		}
	}
	return false
}

// inFlight is the largest number of requests that were sent and not yet
// answered at one time, as seen from here.
func inFlight(answers []gate.Answer) int {
	type event struct {
		at    time.Time
		delta int
	}
	var events []event
	for i := range answers {
		a := &answers[i]
		if a.Early || a.Err != nil || a.Sent.IsZero() || a.FirstByte.IsZero() {
			continue
		}
		events = append(events, event{a.Sent, 1}, event{a.FirstByte, -1})
	}
	slices.SortFunc(events, func(a, b event) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.delta - b.delta
	})
	most, now := 0, 0
	for _, e := range events {
		now += e.delta
		most = max(most, now)
	}
	return most
}
