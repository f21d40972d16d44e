package main

import (
	"fmt"
	"strings"

	"twinrow/remediate/probe"
)

// printProbe shows a result: the verdict on top, then why, then what was seen.
func (p *program) printProbe(r *probe.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", strings.ToUpper(string(r.Verdict)), oneLine(r.Target))
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "  %s\n", oneLine(reason))
	}
	if r.Stopped == "interrupted" {
		b.WriteString("  interrupted: this is what was seen until then\n")
	}
	fmt.Fprintf(&b, "\n%d requests in %d rounds over %s, the %s held back; up to %d in flight at once\n", r.Requests, r.Rounds, r.Transport, r.HeldBack, r.Overlap.InFlightMax)
	fmt.Fprintf(&b, "sent within %d µs (median; 95 %%: %d µs)", r.Overlap.SendSpanUS.Median, r.Overlap.SendSpanUS.P95)
	if r.Overlap.Parallelism != nil {
		fmt.Fprintf(&b, "; the target works on %.1f at once", *r.Overlap.Parallelism)
	}
	b.WriteString("\n")
	for _, e := range r.Expectations {
		mark := "ok    "
		if !e.OK {
			mark = "FAILED"
		}
		fmt.Fprintf(&b, "%s  %s: wanted %s, got %s\n", mark, oneLine(e.Name), oneLine(e.Want), oneLine(e.Got))
	}
	for _, answer := range r.Responses {
		kind := fmt.Sprint(answer.Status)
		if answer.Fault != "" {
			kind = answer.Fault
		}
		fmt.Fprintf(&b, "  %5d × %s %s\n", answer.Count, oneLine(kind), oneLine(answer.Expectation))
	}
	if r.LatencyUS.P50 != nil {
		fmt.Fprintf(&b, "latency: half within %d µs, 95 %% within %d µs, at most %d µs\n", *r.LatencyUS.P50, *r.LatencyUS.P95, *r.LatencyUS.Max)
	}
	if r.Confidence.Statement != "" {
		fmt.Fprintf(&b, "%s\n", oneLine(r.Confidence.Statement))
	}
	_, err := p.stdout.Write([]byte(b.String()))
	return err
}

// statement is a result in one sentence: how sure it is, or why not.
func statement(r *probe.Result) string {
	if r.Verdict != probe.Pass && len(r.Reasons) > 0 {
		return r.Reasons[0]
	}
	return r.Confidence.Statement
}
