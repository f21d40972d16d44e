package probe

import (
	"context"
	"errors"
	"slices"
	"time"

	"twinrow/remediate/probe/expect"
	"twinrow/remediate/probe/internal/gate"
)

// attack is what was seen of one attack round. Bodies are not kept.
type attack struct {
	number   int
	seen     []observation
	span     time.Duration
	inFlight int
	// early is true where an answer began before the release.
	early bool
	// watches are the row checks of this round.
	watches []*watch
}

// observation is one answer, summed up.
type observation struct {
	key     int
	status  int
	fault   string
	unread  string
	cached  bool
	latency time.Duration
	// matches are the numbers of the expectations that count the answer.
	matches []int
	success bool
}

// missing tells whether the answer, or what it says, is not known.
func (o *observation) missing() bool { return o.fault != "" || o.unread != "" }

func (r *runner) attack(ctx context.Context, number int) error {
	v, err := r.attackVolley(number)
	if err != nil {
		return err
	}
	watches, err := r.watchRound(ctx, v)
	if err != nil {
		return err
	}
	shot, err := r.fire(ctx, v.requests)
	if shot == nil {
		return err
	}
	a := attack{number: number, span: shot.Last.Sub(shot.First), inFlight: inFlight(shot.Answers), watches: watches}
	for i := range shot.Answers {
		a.early = a.early || shot.Answers[i].Early
		a.seen = append(a.seen, r.observe(&shot.Answers[i], v.of[i]))
	}
	r.log = append(r.log, a)
	r.holdBack(a.early)
	if err != nil || r.spec.fresh {
		r.watches = append(r.watches, watches...)
		return err
	}
	return r.settle(ctx, watches)
}

// holdBack switches to holding the header back once holding the body back has
// shown to do nothing.
func (r *runner) holdBack(early bool) {
	if early {
		r.hold = gate.HoldHead
	}
}

func (r *runner) observe(answer *gate.Answer, key int) observation {
	o := observation{key: key, status: answer.Status, unread: answer.Unread}
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
	winner := r.spec.winner()
	for i := range r.spec.replies {
		r.notePaths(&r.spec.replies[i], body)
		if r.spec.replies[i].Match(answer.Status, body) {
			o.matches = append(o.matches, i)
			o.success = o.success || i == winner
		}
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

// winner is the number of the expectation that counts winners: the first that
// wants any. -1 means that answers with 2xx are winners.
func (s *Spec) winner() int {
	return slices.IndexFunc(s.replies, func(e expect.Response) bool {
		most, bounded := e.Count.Most()
		return e.Count.Least() > 0 || bounded && most > 0
	})
}

// won tells whether an answer is a winner.
func (s *Spec) won(o *observation) bool {
	if winner := s.winner(); winner >= 0 {
		return slices.Contains(o.matches, winner)
	}
	return o.success
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
