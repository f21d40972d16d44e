package probe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const stepsSpec = `
probe: v1
name: messages
target: URL/book
vars: {seat: "seat_{{.UUID}}"}
request:
  headers: {content-type: application/json}
  body: '{"seat":"{{.seat}}"}'
STEPS
`

func stepped(t *testing.T, target *shop, steps string) *Result {
	t.Helper()
	server := serve(t, target, false)
	return run(t, spec(t, server.URL, strings.ReplaceAll(stepsSpec, "STEPS", strings.TrimSpace(steps))), target)
}

// What is sent again, cut, or different is judged without proof of overlap:
// nothing of it races. A target that books twice fails.
func TestStepsOneAfterAnother(t *testing.T) {
	for _, test := range []struct {
		name, steps string
		requests    int
	}{
		{"again", `
fire: {copies: 1, again_after: 20ms, rounds: 2}
expect:
  responses:
    - {name: booked, status: 200, json: {status: booked}, exactly: 1}
    - {name: noop, status: 200, json: {status: noop}, exactly: 1}
  rows: [{source: shop, sql: SELECT, args: ["{{.seat}}"], exactly: 1, settle: 20ms, within: 1s}]`, 4},
		{"cut", `
fire: {copies: 1, cut: true, again_after: 50ms}
expect:
  responses: [{name: noop, status: 200, json: {status: noop}, exactly: 1}]
  rows: [{source: shop, sql: SELECT, args: ["{{.seat}}"], exactly: 1, settle: 20ms, within: 1s}]`, 2},
		{"distinct", `
fire: {distinct: 10}
expect:
  responses: [{name: booked, status: 200, json: {status: booked}, exactly: 10}]
  rows: [{source: shop, sql: SELECT, args: ["{{.seat}}"], exactly: 1, settle: 20ms, within: 1s}]`, 10},
		{"rate", `
fire: {rate: 100, for: 500ms}
expect:
  responses:
    - {name: booked, status: 200, json: {status: booked}, exactly: 50}
    - {name: server errors, status: 5xx, exactly: 0}
  latency: {p99: 1s}
  rows: [{source: shop, sql: SELECT, args: ["{{.seat}}"], exactly: 1, settle: 20ms, within: 1s}]`, 50},
		{"several", `
steps:
  - name: first
    fire: {copies: 1, rounds: 2}
    expect: {responses: [{name: booked, json: {status: booked}, exactly: 1}]}
  - name: pause
    run: "true"
  - name: redelivery
    fire: {copies: 1}
    expect:
      responses: [{name: noop, json: {status: noop}, exactly: 1}]
      rows: [{source: shop, sql: SELECT, args: ["{{.seat}}"], exactly: 1, settle: 20ms, within: 1s}]
expect:
  rows: [{name: whole, source: shop, sql: SELECT, args: ["{{.seat}}"], exactly: 1, settle: 20ms, within: 1s}]`, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			result := stepped(t, fixedShop(), test.steps)
			if result.Verdict != Pass || result.Requests != test.requests {
				t.Errorf("fixed: %s of %d requests: %q\n%+v", result.Verdict, result.Requests, result.Reasons, result.Expectations)
			}
			if !strings.Contains(result.Reasons[0], "says nothing of races") {
				t.Errorf("the pass claims too much: %q", result.Reasons)
			}
		})
	}
}

// A target without memory takes what is sent again for new.
func TestStepsOnForgetfulTarget(t *testing.T) {
	for name, fire := range map[string]string{"again": "copies: 1, again_after: 10ms", "cut": "copies: 1, cut: true, again_after: 50ms"} {
		target := newShop()
		target.forgets = true
		result := stepped(t, target, "fire: {"+fire+"}\nexpect: {rows: [{source: shop, sql: SELECT, args: [\"{{.seat}}\"], exactly: 1, settle: 20ms, within: 1s}]}")
		if result.Verdict != Fail || !strings.Contains(result.Reasons[0], "2 in round 1") {
			t.Errorf("%s: %s: %q", name, result.Verdict, result.Reasons)
		}
	}
}

// A race within steps is seen, and a pass needs the proof of overlap as ever.
func TestRaceWithinSteps(t *testing.T) {
	const steps = `
steps:
  - name: at once
    fire: {copies: 5, rounds: 3}
    expect: {responses: [{name: booked, json: {status: booked}, exactly: 1}]}
  - name: redelivery
    fire: {copies: 1}
    expect: {responses: [{name: noop, json: {status: noop}, exactly: 1}]}`
	if result := stepped(t, newShop(), steps); result.Verdict != Fail || !strings.Contains(result.Reasons[0], "at once: booked") {
		t.Errorf("vulnerable: %s: %q", result.Verdict, result.Reasons)
	}
	if result := stepped(t, fixedShop(), steps); result.Verdict != Pass || result.Requests != 18 || result.Overlap.Parallelism == nil {
		t.Errorf("fixed: %s: %q", result.Verdict, result.Reasons)
	}
}

// Ctrl-C in the pause before the second part, beside a rate, and during a
// command ends the run at once; the document says so.
func TestStopsWithinSteps(t *testing.T) {
	for name, steps := range map[string]string{
		"pause":   "fire: {copies: 1, again_after: 10m}",
		"rate":    "fire: {rate: 20, for: 10m}",
		"command": "steps: [{run: sleep 600}, {fire: {copies: 1}}]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, fixedShop(), false)
			s := spec(t, server.URL, strings.ReplaceAll(stepsSpec, "STEPS", steps))
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(300*time.Millisecond, cancel)
			began := time.Now()
			result, err := Run(ctx, s, Deps{})
			if !errors.Is(err, context.Canceled) || result == nil || result.Verdict != Inconclusive || result.Stopped != "interrupted" {
				t.Fatalf("%v, %+v", err, result)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("it took %v to stop", took)
			}
			if name != "command" && result.Requests == 0 {
				t.Error("what was seen until then is lost")
			}
		})
	}
}

// A command that fails, and a target that does not recover, are no pass.
func TestCommands(t *testing.T) {
	const sent = "steps: [{name: fault, COMMAND}, {fire: {copies: 1}}]\nhealth: {url: \"URL/book?seat=health\"}"
	target := fixedShop()
	target.blind = true
	file := filepath.Join(t.TempDir(), "ran")
	result := stepped(t, target, strings.ReplaceAll(sent, "COMMAND", "run: \"echo > "+file+"; exit 3\""))
	if _, err := os.Stat(file); err != nil {
		t.Error("the command did not run")
	}
	if result.Verdict != Inconclusive || result.Commands[0].Status != 3 || !strings.Contains(result.Reasons[0], "status 3") {
		t.Errorf("%s: %q %+v", result.Verdict, result.Reasons, result.Commands)
	}
	result = stepped(t, target, strings.ReplaceAll(sent, "COMMAND", "run: \"true\", recover_within: 5s"))
	if result.Verdict == Fail || result.Commands[0].RecoveredUS == nil {
		t.Errorf("%s: %q %+v", result.Verdict, result.Reasons, result.Commands)
	}
	ill := strings.ReplaceAll(sent, "COMMAND", "run: \"true\", recover_within: 300ms")
	result = stepped(t, target, strings.ReplaceAll(ill, "seat=health\"", "seat=health\", status: 418"))
	if result.Verdict != Fail || result.Commands[0].RecoveredUS != nil || !strings.Contains(strings.Join(result.Reasons, "\n"), "not well again") {
		t.Errorf("%s: %q %+v", result.Verdict, result.Reasons, result.Commands)
	}
}
