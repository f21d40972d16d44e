// Package proof owns the document of one probe: what was fired, what came
// back, how truly simultaneous it was, and the verdict with its reasons.
//
// It must not know how a probe is made, nor how a document is shown.
package proof

import (
	"encoding/json"
	"fmt"
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
	// RunID is a UUID that no other run has; a mark header carries it.
	RunID string `json:"run_id"`
	// SpecSHA256 is the digest of what was asked: requests and expectations, with
	// the environment's names in place of its values. Rounds, target and
	// time limits are not in it.
	SpecSHA256 string `json:"spec_sha256"`
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
	// HeldBack is what left last: "end of stream", "last byte" or "end of header".
	HeldBack     string        `json:"held_back"`
	Responses    []Response    `json:"responses"`
	Keys         []Key         `json:"keys"`
	LatencyUS    Latency       `json:"latency_us"`
	Overlap      Overlap       `json:"overlap"`
	Confidence   Confidence    `json:"confidence"`
	Expectations []Expectation `json:"expectations"`
	Health       []HealthCheck `json:"health"`
	Detail       []Round       `json:"rounds_detail"`
	// DetailLeftOff is the number of requests that Detail does not show one by one.
	DetailLeftOff int `json:"detail_left_off,omitempty"`
	// Stopped says what ended the run before its end: "interrupted", "limit",
	// "connection lost", "no answers", or "".
	Stopped string `json:"stopped"`
	// Grades are figures with a word on each; Diagnosis is what they point to.
	Grades    []Grade     `json:"grades"`
	Diagnosis []Diagnosis `json:"diagnosis"`
	Rates     []Rate      `json:"rates,omitempty"`
	Commands  []Command   `json:"commands,omitempty"`
	// Made says how to find the rows that the run made, by the row checks.
	Made []Made `json:"made"`
	// Baseline is nil where no earlier probe was given.
	Baseline *Baseline `json:"baseline,omitempty"`
}

// Grade is one figure: good, acceptable or poor.
type Grade struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Grade string `json:"grade"`
	// Scale says where the grades begin.
	Scale string `json:"scale"`
}

// Diagnosis is a sign that was seen, what it means, and what to look at.
type Diagnosis struct {
	Sign  string `json:"sign"`
	Means string `json:"means"`
}

// Rate is a rate that was kept up, in messages a second.
type Rate struct {
	Step     string  `json:"step"`
	Wanted   float64 `json:"wanted"`
	Achieved float64 `json:"achieved"`
	Messages int     `json:"messages"`
	ForUS    int64   `json:"for_us"`
}

// Command is one run of a command that the specification names.
type Command struct {
	Step    string `json:"step"`
	Round   int    `json:"round"`
	Command string `json:"command"`
	// Status is its exit status.
	Status int   `json:"status"`
	TookUS int64 `json:"took_us"`
	// RecoveredUS is from the command's end until the target was well again;
	// null where that was not asked or did not come to pass.
	RecoveredUS *int64 `json:"recovered_us"`
}

// Made is a row check and the arguments it was used with. LeftOff more were
// used than are listed.
type Made struct {
	Check   string     `json:"check"`
	SQL     string     `json:"sql"`
	Args    [][]string `json:"args"`
	LeftOff int        `json:"left_off,omitempty"`
}

// Baseline compares the run with an earlier one.
type Baseline struct {
	StartedAt  string  `json:"started_at"`
	Verdict    Verdict `json:"verdict"`
	SpecSHA256 string  `json:"spec_sha256"`
	// Same is true where both asked the same.
	Same bool `json:"same"`
	// ConfirmedFix is true where the same probe failed then and passes now.
	ConfirmedFix bool   `json:"confirmed_fix"`
	Statement    string `json:"statement"`
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
	// FirstTwoUS is how long after the first request of a control round the
	// second began, by the target's own clock; null where it tells no times.
	FirstTwoUS *Span `json:"first_two_us"`
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
	// Open is true where it was not met only because answers are missing or the
	// run was stopped: nothing speaks against it.
	Open bool `json:"open,omitempty"`
}

// Round is what one step did in one round.
type Round struct {
	Round int `json:"round"`
	// Step is its name, "" where there is only one.
	Step string `json:"step"`
	// AtUS is when it was released, from the beginning of the run.
	AtUS       int64 `json:"at_us"`
	SendSpanUS int64 `json:"send_span_us"`
	InFlight   int   `json:"in_flight"`
	// Winners and Statuses are over all keys.
	Winners  int            `json:"winners"`
	Statuses map[string]int `json:"statuses"`
	// Requests are single ones in the order they were sent; empty where they
	// are left off, as those of a rate.
	Requests []Request `json:"requests"`
}

// Request is one request on the time axis of its round, in microseconds from
// the release. FirstByteUS and DoneUS are null where they did not come to pass.
type Request struct {
	Key string `json:"key"`
	// Part is 1 for what was sent again.
	Part        int    `json:"part"`
	SentUS      int64  `json:"sent_us"`
	FirstByteUS *int64 `json:"first_byte_us"`
	DoneUS      *int64 `json:"done_us"`
	Status      int    `json:"status"`
	Fault       string `json:"fault,omitempty"`
	Winner      bool   `json:"winner"`
}

// HealthCheck is one look at the health endpoint.
type HealthCheck struct {
	// When is before, during, after, or recovered.
	When string `json:"when"`
	// Status is 0 where there was no answer.
	Status int  `json:"status"`
	OK     bool `json:"ok"`
	// Reason says why it is not OK.
	Reason string `json:"reason,omitempty"`
}

// FileName is a name for what is written of the probe, without an ending: its
// name, the environment and the time, safe on any file system.
func (r *Result) FileName() string {
	started, err := time.Parse(time.RFC3339Nano, r.StartedAt)
	if err != nil {
		started = time.Unix(0, 0)
	}
	parts := []string{r.Name}
	if r.Name == "" {
		parts[0] = "probe"
	}
	if r.Environment != "" {
		parts = append(parts, r.Environment)
	}
	parts = append(parts, started.UTC().Format("20060102T150405.000000Z"))
	for i, part := range parts {
		parts[i] = clipBytes(strings.Map(plainLetter, part), 60)
	}
	return strings.Join(parts, "_")
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
