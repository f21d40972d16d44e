package probe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe/internal/gate"
)

// A rate was kept up where its messages took, to within rateTolerance, the time
// they should; rateJitter is what one late wake-up may add to that.
const (
	rateTolerance = 0.01
	rateJitter    = 50 * time.Millisecond
)

// rateSeen is how well a rate was kept up.
type rateSeen struct {
	sent int
	// first and last are when the first and the last message were sent.
	first, last time.Time
	// kinds finds the observation that stands for all answers of a kind.
	kinds map[string]int
}

// achieved is in messages a second; 0 where there were fewer than two.
func (s *rateSeen) achieved() float64 {
	if s.sent < 2 || !s.last.After(s.first) {
		return 0
	}
	return float64(s.sent-1) / s.last.Sub(s.first).Seconds()
}

// kept tells whether all messages of the step were sent at its rate.
func (s *rateSeen) kept(st *step) bool {
	if s.sent != st.messages() {
		return false
	}
	want := time.Duration(float64(s.sent-1) / st.rate * float64(time.Second))
	return (s.last.Sub(s.first) - want).Abs() <= rateJitter+time.Duration(rateTolerance*float64(want))
}

// message is one of a rate, and its answer.
type message struct {
	cell   cell
	answer gate.Answer
}

// keepRate sends messages at even intervals, whether or not those before were
// answered, so that a slow target cannot slow the probe down. What is kept of
// the answers does not grow with their number.
func (r *runner) keepRate(ctx context.Context, st *step, number int) error {
	a := attack{step: st, number: number, at: time.Since(r.began), rate: &rateSeen{kinds: map[string]int{}}}
	rows := r.startRows(ctx, st)
	looks := r.watchHealth(ctx)
	err := r.sendAll(ctx, &a, rows)
	looks()
	a.watches, a.torn = rows.finish(), err != nil
	r.log = append(r.log, a)
	if err == nil && ctx.Err() == nil && !a.rate.kept(st) {
		r.doubt("the rate could not be kept: %.1f a second instead of %v; the machine, or its way to the target, is too busy", a.rate.achieved(), st.rate)
	}
	return err
}

func (r *runner) sendAll(ctx context.Context, a *attack, rows *rowStream) error {
	answers := make(chan message, 64)
	total, waiting, sent := a.step.messages(), 0, 0
	interval := time.Duration(float64(time.Second) / a.step.rate)
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for sent < total || waiting > 0 {
		due := timer.C
		if sent == total || waiting == MaxAtOnce {
			due = nil
		}
		select {
		case <-due:
			m, request, err := r.message(a, sent)
			if err != nil {
				return drain(answers, waiting, err)
			}
			if rows != nil && sent == 0 {
				if err := rows.try(ctx, &m.cell); err != nil {
					return drain(answers, waiting, err)
				}
			}
			go func() {
				m.answer = r.client.send(ctx, request)
				answers <- m
			}()
			a.rate.note()
			sent, waiting = sent+1, waiting+1
			timer.Reset(time.Until(began.Add(time.Duration(sent) * interval)))
		case m := <-answers:
			waiting--
			r.tellRate(a, &m)
			rows.follow(&m.cell)
		case <-ctx.Done():
			return drain(answers, waiting, ctx.Err())
		}
	}
	return nil
}

// drain waits for the messages under way, which end with the context.
func drain(answers <-chan message, waiting int, err error) error {
	for range waiting {
		<-answers
	}
	return err
}

func (s *rateSeen) note() {
	if s.last = time.Now(); s.sent == 0 {
		s.first = s.last
	}
	s.sent++
}

func (r *runner) message(a *attack, n int) (message, *gate.Request, error) {
	c, err := r.messageCell(a.number, n)
	if err != nil {
		return message{}, nil, err
	}
	request, err := r.spec.renderCall(&a.step.call, c.moment, c.vars)
	if err == nil {
		err = r.complete(request, &a.step.call, r.newSignatures(), c.moment)
	}
	return message{cell: c}, request, err
}

// tellRate counts an answer together with those like it.
func (r *runner) tellRate(a *attack, m *message) {
	o := r.observe(a.step, &m.answer, max(0, slices.Index(r.spec.keys, m.cell.moment.Key)))
	o.latency = 0
	kind := fmt.Sprintf("%d %d %q %q %v %v %v", o.key, o.status, o.fault, o.unread, o.cached, o.matches, o.success)
	if at, known := a.rate.kinds[kind]; known {
		a.seen[at].times++
		return
	}
	a.rate.kinds[kind] = len(a.seen)
	a.seen = append(a.seen, o)
}

// watchHealth looks at the target's health beside everything else until the
// returned function is called.
func (r *runner) watchHealth(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for pause(ctx, healthEvery) == nil {
			r.health.during(ctx)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func (r *runner) judgeRate(a *attack) Expectation {
	return Expectation{
		Name: "rate kept up", Want: fmt.Sprintf("%v a second for %v", a.step.rate, a.step.length),
		Got: fmt.Sprintf("%.2f a second, %s", a.rate.achieved(), casefile.Count(a.rate.sent, "message")), OK: a.rate.kept(a.step), Open: a.torn,
	}
}
