package probe

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"twinrow/detect/casefile/proof"
	"twinrow/remediate/probe/internal/gate"
)

// Result is the document of one probe; its parts have their names here too.
type Result = proof.Result

// Parts of the document, as proof has them.
type (
	// Verdict is what a probe came to.
	Verdict = proof.Verdict
	// Response is a count of answers of one kind.
	Response = proof.Response
	// Key is the worst round of one key.
	Key = proof.Key
	// Latency is from release to the end of the answer.
	Latency = proof.Latency
	// Overlap is how simultaneous the attack was.
	Overlap = proof.Overlap
	// Span is a distribution in two figures.
	Span = proof.Span
	// Confidence is what would have been caught.
	Confidence = proof.Confidence
	// Expectation is one expectation and what was seen.
	Expectation = proof.Expectation
	// HealthCheck is one look at the health endpoint.
	HealthCheck = proof.HealthCheck
	// Round is what one step did in one round.
	Round = proof.Round
	// Made is how to find the rows that the run made.
	Made = proof.Made
)

// Verdicts.
const (
	Pass         = proof.Pass
	Fail         = proof.Fail
	Inconclusive = proof.Inconclusive
)

// result sums everything up.
func (r *runner) result(stopped string) *Result {
	s := r.spec
	out := &Result{
		Schema: proof.Schema, Tool: proof.Tool{Name: "twinrow", Version: r.deps.Version}, Name: s.Name, Environment: s.Environment,
		Target: s.base.String(), RunID: r.id, SpecSHA256: s.digest(), Stopped: stopped,
		StartedAt: r.began.UTC().Format(time.RFC3339Nano), DurationUS: time.Since(r.began).Microseconds(),
		Rounds: r.roundsSeen(), Transport: r.transport.Name(), HeldBack: r.heldBack(), Keys: r.keyResults(),
		Responses: r.responses(), LatencyUS: r.latency(), Overlap: r.overlap(), Health: r.health.Checks,
		Made: r.made.result(), Detail: []Round{}, Grades: []proof.Grade{}, Diagnosis: []proof.Diagnosis{},
	}
	if out.Health == nil {
		out.Health = []HealthCheck{}
	}
	for i := range r.log {
		out.Requests += r.log[i].cut
		for k := range r.log[i].seen {
			out.Requests += r.log[i].seen[k].times
		}
	}
	r.detail(out)
	r.asides(out)
	r.judge(out)
	r.grade(out)
	return out
}

// roundsSeen is the number of rounds of which something is known.
func (r *runner) roundsSeen() int {
	n := r.done
	for i := range r.log {
		n = max(n, r.log[i].number)
	}
	return n
}

// asides are what steps other than those that send at once did.
func (r *runner) asides(out *Result) {
	for i := range r.log {
		if a := &r.log[i]; a.rate != nil {
			out.Rates = append(out.Rates, proof.Rate{Step: a.step.name, Wanted: a.step.rate, Achieved: math.Round(a.rate.achieved()*100) / 100,
				Messages: a.rate.sent, ForUS: a.rate.last.Sub(a.rate.first).Microseconds()})
		}
	}
	for i := range r.commands {
		c := &r.commands[i]
		done := proof.Command{Step: c.step.name, Round: c.round, Command: c.step.command, Status: c.status, TookUS: c.took.Microseconds()}
		if c.recovered >= 0 {
			done.RecoveredUS = new(c.recovered.Microseconds())
		}
		out.Commands = append(out.Commands, done)
	}
}

func (r *runner) heldBack() string {
	switch {
	case !r.spec.body.given():
		return "end of header"
	case r.hold == gate.HoldEnd:
		return "end of stream"
	case r.hold == gate.HoldBody:
		return "last byte"
	}
	return "end of header"
}

// maxDetail is how many requests are listed one by one.
const maxDetail = 4000

// detail lists the rounds and, as long as there is room, their requests.
func (r *runner) detail(out *Result) {
	room := maxDetail
	for i := range r.log {
		a := &r.log[i]
		if !a.step.fires() {
			continue
		}
		round := Round{
			Round: a.number, Step: a.step.name, AtUS: a.at.Microseconds(), SendSpanUS: a.span.Microseconds(), InFlight: a.inFlight,
			Statuses: map[string]int{}, Requests: []proof.Request{},
		}
		for k := range a.seen {
			o := &a.seen[k]
			round.Statuses[orElse(o.fault, strconv.Itoa(o.status))] += o.times
			if o.won {
				round.Winners += o.times
			}
			if a.rate != nil || len(a.seen) > room {
				out.DetailLeftOff += o.times
				continue
			}
			round.Requests = append(round.Requests, r.requestDetail(o))
		}
		room -= len(round.Requests)
		out.Detail = append(out.Detail, round)
	}
}

func (r *runner) requestDetail(o *observation) proof.Request {
	out := proof.Request{Key: r.spec.allKeys()[o.key], Part: o.part, SentUS: o.sent.Microseconds(), Status: o.status, Fault: o.fault, Winner: o.won}
	if o.first > 0 {
		out.FirstByteUS = new(o.first.Microseconds())
	}
	if o.fault == "" {
		out.DoneUS = new((o.sent + o.latency).Microseconds())
	}
	return out
}

// responses counts answers by kind, the most frequent first.
func (r *runner) responses() []Response {
	counts := map[Response]int{}
	for i := range r.log {
		for j := range r.log[i].seen {
			o := &r.log[i].seen[j]
			kind := Response{Status: o.status, Fault: orElse(o.fault, o.unread)}
			if len(o.matches) > 0 {
				first := &r.log[i].step.replies[o.matches[0]]
				kind.Expectation, kind.BodyMatch = first.Name, first.Matched()
			}
			counts[kind] += o.times
		}
	}
	out := []Response{}
	for _, kind := range slices.Collect(maps.Keys(counts)) {
		count := counts[kind]
		kind.Count = count
		out = append(out, kind)
	}
	slices.SortFunc(out, func(a, b Response) int {
		return cmp.Or(b.Count-a.Count, a.Status-b.Status, strings.Compare(a.Expectation, b.Expectation), strings.Compare(a.Fault, b.Fault))
	})
	return out
}

func (r *runner) keyResults() []Key {
	keys := []Key{}
	for k, name := range r.spec.allKeys() {
		key := Key{Key: name}
		for i := range r.log {
			if r.log[i].step == r.spec.step {
				key.Winners = max(key.Winners, r.winners(&r.log[i], k))
			}
		}
		if check := firstRows(r.spec); check != nil {
			for _, w := range r.allWatches() {
				if w.key == k && w.check == check && (key.Rows == nil || w.last > *key.Rows) {
					key.Rows = &w.last
				}
			}
		}
		keys = append(keys, key)
	}
	return keys
}

// firstRows is the check that Key.Rows shows: the first that is made for each key.
func firstRows(s *Spec) *rowCheck {
	for _, rows := range [][]rowCheck{s.rows, s.whole.rows} {
		for i := range rows {
			if !rows[i].perRun {
				return &rows[i]
			}
		}
	}
	return nil
}

func (r *runner) winners(a *attack, key int) int {
	n := 0
	for i := range a.seen {
		if a.seen[i].key == key && a.seen[i].won {
			n += a.seen[i].times
		}
	}
	return n
}

func (r *runner) latency() Latency {
	all := r.allLatencies()
	if all.empty() {
		return Latency{}
	}
	at := func(q float64) *int64 { return new(all.at(q).Microseconds()) }
	return Latency{P50: at(0.50), P95: at(0.95), P99: at(0.99), Max: at(1)}
}

func (r *runner) overlap() Overlap {
	c := &r.control
	out := Overlap{ControlRounds: len(c.blocks), ControlRequests: c.used}
	var spans []time.Duration
	for i := range r.log {
		if r.log[i].step != r.spec.step {
			continue
		}
		spans = append(spans, r.log[i].span)
		out.InFlightMax = max(out.InFlightMax, r.log[i].inFlight)
	}
	if len(spans) > 0 {
		out.SendSpanUS = Span{Median: quantile(spans, 0.5).Microseconds(), P95: quantile(spans, 0.95).Microseconds()}
	}
	if len(c.blocks) == 0 {
		return out
	}
	var solos, together []time.Duration
	for _, b := range c.blocks {
		solos, together = append(solos, b.solo), append(together, b.together)
	}
	us := func(d time.Duration) *int64 {
		n := d.Microseconds()
		return &n
	}
	out.SoloUS, out.TogetherUS, out.TripUS = us(quantile(solos, 0.5)), us(quantile(together, 0.5)), us(r.trip())
	if own, problem := r.ownParallelism(); r.work() >= resolution {
		out.Parallelism = new(math.Round(r.parallelism()*10) / 10)
	} else if problem == "" {
		out.Parallelism = new(math.Round(own*10) / 10)
	}
	if gaps := r.times().Gaps(); len(gaps) > 0 && r.times().Problem() == "" {
		out.FirstTwoUS = &Span{Median: quantile(gaps, 0.5).Microseconds(), P95: quantile(gaps, 0.95).Microseconds()}
	}
	return out
}
