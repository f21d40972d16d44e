package html_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"twinrow/detect/casefile/proof"
	"twinrow/report/html"
)

func hostileProof() *proof.Result {
	evil := "<script>alert(1)</script>\u202e\x1b[31m"
	return &proof.Result{
		Verdict: "fail\" onload=\"x", Name: evil, Environment: evil, Target: evil, Reasons: []string{evil, evil}, StartedAt: evil, Transport: evil, HeldBack: evil,
		Responses: []proof.Response{{Status: 500, Expectation: evil, Count: 3}, {Fault: evil, Count: 1}}, Keys: []proof.Key{{Key: evil, Winners: 2, Rows: new(int64(2))}},
		LatencyUS:    proof.Latency{P50: new(int64(1)), P95: new(int64(2)), P99: new(int64(3)), Max: new(int64(0))},
		Expectations: []proof.Expectation{{Name: evil, Want: evil, Got: evil}}, Health: []proof.HealthCheck{{When: evil, Reason: evil}},
		Grades: []proof.Grade{{Name: evil, Grade: evil}}, Diagnosis: []proof.Diagnosis{{Sign: evil, Means: evil}}, Commands: []proof.Command{{Step: evil, Command: evil}},
		Made: []proof.Made{{Check: evil, SQL: evil, Args: [][]string{{evil}}, LeftOff: 3}}, Baseline: &proof.Baseline{Statement: evil}, Stopped: evil,
		Detail: []proof.Round{{Round: 1, Step: evil, Winners: 1, Requests: []proof.Request{
			{Key: evil, Status: 200, Winner: true, FirstByteUS: new(int64(-5)), DoneUS: new(int64(9_000_000))}, {Fault: evil, SentUS: -100},
		}}, {Round: 2}},
	}
}

var acting = regexp.MustCompile(`\son\w+=|\sstyle=|(?:src|href)="(?:[^#d]|d[^a])`)

func renderProof(t *testing.T, r *proof.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.RenderProof(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Whatever a document says, the page stays one file without a script, an
// inline style or a request, and its text is text.
func TestProofIsSafe(t *testing.T) {
	page := renderProof(t, hostileProof())
	for _, bad := range []string{"<script", "\u202e", "\x1b", "url(", "@import", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	_, body, _ := strings.Cut(page, "</style>")
	if found := acting.FindString(strings.ReplaceAll(body, "&lt;", "")); found != "" {
		t.Errorf("the page has %q", found)
	}
	if strings.Count(page, "<!DOCTYPE") != 1 || !strings.Contains(page, "default-src &#39;none&#39;") {
		t.Error("the policy is missing")
	}
	if !regexp.MustCompile(`class="verdict inconclusive"`).MatchString(page) {
		t.Error("an unknown verdict must not look like a pass")
	}
}

// twoWinners is a probe of one round that two requests won.
func twoWinners() *proof.Result {
	return &proof.Result{Verdict: proof.Fail, Target: "http://127.0.0.1:8080", Reasons: []string{"two won"}, Detail: []proof.Round{{Round: 7, Winners: 2, Requests: []proof.Request{
		{Key: "seat-A1", Status: 201, Winner: true, SentUS: 0, FirstByteUS: new(int64(900)), DoneUS: new(int64(1000))},
		{Key: "seat-A1", Status: 201, Winner: true, SentUS: 12, FirstByteUS: new(int64(950)), DoneUS: new(int64(2000))},
		{Key: "seat-A1", Fault: "timed out", SentUS: 30},
	}}}}
}

// Every request of a round is on the axis, and says for a screen reader what it was.
func TestProofRounds(t *testing.T) {
	page := renderProof(t, twoWinners())
	for _, want := range []string{"Round 7: 2 winners", "seat-A1, sent at 12 µs, first byte at 950 µs, done at 2 ms, status 201, winner", "seat-A1, sent at 30 µs, timed out", `role="img"`, ">FAIL<", "Two won."} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.Index(page, ">FAIL<") > strings.Index(page, "Round 7") {
		t.Error("the verdict is not on top")
	}
}
