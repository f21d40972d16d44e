package probe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schema names the document.
const Schema = "twinrow/probe/v1"

// Verdict is what a probe came to.
type Verdict string

// Verdicts. Only a pass says that the race is gone.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
)

// Result is the document of one probe. It holds no secret: of the target only
// scheme and host, of the answers only their kinds.
type Result struct {
	Schema      string `json:"schema"`
	Tool        Tool   `json:"tool"`
	Name        string `json:"name"`
	Environment string `json:"environment"`
	// Target is scheme and host.
	Target string `json:"target"`
	// StartedAt is RFC 3339 in UTC; DurationUS is the whole run, in microseconds.
	StartedAt  string  `json:"started_at"`
	DurationUS int64   `json:"duration_us"`
	Verdict    Verdict `json:"verdict"`
	// Reasons say why, the weightiest first.
	Reasons []string `json:"reasons"`
	// Rounds and Requests are those of the attack.
	Rounds    int    `json:"rounds"`
	Requests  int    `json:"requests"`
	Transport string `json:"transport"`
	// HeldBack is what left last: "last byte" or "end of header".
	HeldBack     string        `json:"held_back"`
	Responses    []Response    `json:"responses"`
	Keys         []Key         `json:"keys"`
	LatencyUS    Latency       `json:"latency_us"`
	Overlap      Overlap       `json:"overlap"`
	Confidence   Confidence    `json:"confidence"`
	Expectations []Expectation `json:"expectations"`
	Health       []HealthCheck `json:"health"`
	Detail       []Round       `json:"rounds_detail"`
}

// Tool is the program that wrote the document.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Response counts answers of one kind.
type Response struct {
	// Status is 0 where no answer came.
	Status int `json:"status"`
	// BodyMatch is the JSON value by which an expectation knew the answers, or "".
	BodyMatch string `json:"body_match"`
	// Expectation names the first expectation that counts them, or "".
	Expectation string `json:"expectation"`
	// Fault says why there is no whole answer, or "".
	Fault string `json:"fault,omitempty"`
	Count int    `json:"count"`
}

// Key is the worst round of one key.
type Key struct {
	Key string `json:"key"`
	// Winners and Rows are the most of any round. Rows is null where none are read.
	Winners int    `json:"winners"`
	Rows    *int64 `json:"rows"`
}

// Latency is from the release of a request to the end of its answer, in
// microseconds, over all whole answers of the attack. All are null without any.
type Latency struct {
	P50 *int64 `json:"p50"`
	P95 *int64 `json:"p95"`
	P99 *int64 `json:"p99"`
	Max *int64 `json:"max"`
}

// Overlap is how simultaneous the attack was.
type Overlap struct {
	// SendSpanUS is from the first to the last write of a round's release.
	SendSpanUS Span `json:"send_span_us"`
	// InFlightMax is the most requests sent and unanswered at once, seen from here.
	InFlightMax int `json:"in_flight_max"`
	// Parallelism is how many requests with different keys the target works on
	// at once; null where it could not be measured.
	Parallelism *float64 `json:"parallelism"`
	// SoloUS, TogetherUS and TripUS are what it was worked out from: a single
	// request, as many at once, and the way there and back.
	SoloUS     *int64 `json:"solo_us"`
	TogetherUS *int64 `json:"together_us"`
	TripUS     *int64 `json:"trip_us"`
	// ControlRounds and ControlRequests are those that were measured.
	ControlRounds   int `json:"control_rounds"`
	ControlRequests int `json:"control_requests"`
}

// Span is the middle and the upper end of a distribution.
type Span struct {
	Median int64 `json:"median"`
	P95    int64 `json:"p95"`
}

// Confidence is what the probe would have caught. WindowUS and Probability are
// null where the target's own times were not to be had.
type Confidence struct {
	WindowUS    *int64   `json:"window_us"`
	Probability *float64 `json:"probability"`
	Statement   string   `json:"statement"`
}

// Expectation is one expectation and what was seen instead of it.
type Expectation struct {
	Name string `json:"name"`
	Want string `json:"want"`
	Got  string `json:"got"`
	OK   bool   `json:"ok"`
}

// Round is one attack round.
type Round struct {
	Round      int   `json:"round"`
	SendSpanUS int64 `json:"send_span_us"`
	InFlight   int   `json:"in_flight"`
	// Winners and Statuses are over all keys.
	Winners  int            `json:"winners"`
	Statuses map[string]int `json:"statuses"`
}

// FileName is a name for the document within a case's probes: the name or the
// target, the environment and the time, safe on any file system.
func (r *Result) FileName() string {
	started, err := time.Parse(time.RFC3339Nano, r.StartedAt)
	if err != nil {
		started = time.Unix(0, 0)
	}
	parts := []string{orElse(r.Name, "probe")}
	if r.Environment != "" {
		parts = append(parts, r.Environment)
	}
	parts = append(parts, started.UTC().Format("20060102T150405.000000Z"))
	for i, part := range parts {
		parts[i] = clipBytes(strings.Map(plainLetter, part), 60)
	}
	return strings.Join(parts, "_") + ".json"
}

func clipBytes(s string, n int) string { return s[:min(n, len(s))] }

func plainLetter(c rune) rune {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.':
		return c
	}
	return '-'
}

// JSON writes the document, indented.
func (r *Result) JSON() ([]byte, error) {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the result: %w", err)
	}
	return append(content, '\n'), nil
}

// result sums everything up.
func (r *runner) result(began time.Time) *Result {
	s := r.spec
	out := &Result{
		Schema: Schema, Tool: Tool{"twinrow", r.deps.Version}, Name: s.Name, Environment: s.Environment,
		Target: s.base.String(), StartedAt: began.UTC().Format(time.RFC3339Nano), DurationUS: time.Since(began).Microseconds(),
		Rounds: len(r.log), Transport: r.transport.Name(), HeldBack: r.heldBack(), Keys: r.keyResults(),
		Responses: r.responses(), LatencyUS: r.latency(), Overlap: r.overlap(), Health: r.health.Checks,
	}
	if out.Health == nil {
		out.Health = []HealthCheck{}
	}
	out.Detail = []Round{}
	for i := range r.log {
		out.Requests += len(r.log[i].seen)
		out.Detail = append(out.Detail, r.roundResult(&r.log[i]))
	}
	r.judge(out)
	return out
}

func (r *runner) heldBack() string {
	if r.hold == 0 && r.spec.body.given() {
		return "last byte"
	}
	return "end of header"
}

func (r *runner) roundResult(a *attack) Round {
	round := Round{Round: a.number, SendSpanUS: a.span.Microseconds(), InFlight: a.inFlight, Statuses: map[string]int{}}
	for i := range a.seen {
		o := &a.seen[i]
		round.Statuses[orElse(o.fault, strconv.Itoa(o.status))]++
		if r.spec.won(o) {
			round.Winners++
		}
	}
	return round
}

// responses counts answers by kind, the most frequent first.
func (r *runner) responses() []Response {
	counts := map[Response]int{}
	for i := range r.log {
		for j := range r.log[i].seen {
			o := &r.log[i].seen[j]
			kind := Response{Status: o.status, Fault: orElse(o.fault, o.unread)}
			if len(o.matches) > 0 {
				kind.Expectation = r.spec.replies[o.matches[0]].Name
				kind.BodyMatch = r.spec.replies[o.matches[0]].Matched()
			}
			counts[kind]++
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
			key.Winners = max(key.Winners, r.winners(&r.log[i], k))
			for _, w := range r.log[i].watches {
				if w.key == k && w.check == firstRows(r.spec) && (key.Rows == nil || w.last > *key.Rows) {
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
	for i := range s.rows {
		if !s.rows[i].perRun {
			return &s.rows[i]
		}
	}
	return nil
}

func (r *runner) winners(a *attack, key int) int {
	n := 0
	for i := range a.seen {
		if a.seen[i].key == key && r.spec.won(&a.seen[i]) {
			n++
		}
	}
	return n
}

func (r *runner) latencies() []time.Duration {
	var all []time.Duration
	for i := range r.log {
		for j := range r.log[i].seen {
			if r.log[i].seen[j].fault == "" {
				all = append(all, r.log[i].seen[j].latency)
			}
		}
	}
	slices.Sort(all)
	return all
}

func (r *runner) latency() Latency {
	all := r.latencies()
	if len(all) == 0 {
		return Latency{}
	}
	at := func(q float64) *int64 {
		us := quantile(all, q).Microseconds()
		return &us
	}
	return Latency{P50: at(0.50), P95: at(0.95), P99: at(0.99), Max: at(1)}
}

func (r *runner) overlap() Overlap {
	c := &r.control
	out := Overlap{ControlRounds: len(c.blocks), ControlRequests: c.used}
	var spans []time.Duration
	for i := range r.log {
		spans = append(spans, r.log[i].span)
		out.InFlightMax = max(out.InFlightMax, r.log[i].inFlight)
	}
	if len(spans) > 0 {
		out.SendSpanUS = Span{quantile(spans, 0.5).Microseconds(), quantile(spans, 0.95).Microseconds()}
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
	if r.work() >= resolution {
		p := float64(int(r.parallelism()*10+0.5)) / 10
		out.Parallelism = &p
	}
	return out
}
