package main

import (
	"fmt"
	"strings"

	"twinrow/remediate/probe"
	"twinrow/report"
)

// probeText shows a result: the verdict on top, then why, then what was seen.
func probeText(r *probe.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", strings.ToUpper(string(r.Verdict)), oneLine(r.Target))
	if r.Stopped == "interrupted" {
		b.WriteString("  interrupted: this is what was seen until then\n")
	}
	if r.Baseline != nil {
		fmt.Fprintf(&b, "  %s\n", oneLine(r.Baseline.Statement))
	}
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "  %s\n", oneLine(reason))
	}
	for _, d := range r.Diagnosis {
		fmt.Fprintf(&b, "  %s: %s\n", oneLine(d.Sign), oneLine(d.Means))
	}
	sentText(&b, r)
	b.WriteString("\n")
	for _, e := range r.Expectations {
		mark := "ok    "
		switch {
		case e.Open:
			mark = "open  "
		case !e.OK:
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
		fmt.Fprintf(&b, "latency: half within %s, 95 %% within %s, at most %s\n", report.Duration(*r.LatencyUS.P50), report.Duration(*r.LatencyUS.P95), report.Duration(*r.LatencyUS.Max))
	}
	for _, g := range r.Grades {
		fmt.Fprintf(&b, "%-14s %-10s %s (%s)\n", oneLine(g.Name), oneLine(g.Value), oneLine(g.Grade), oneLine(g.Scale))
	}
	if r.Confidence.Statement != "" {
		fmt.Fprintf(&b, "%s\n", oneLine(r.Confidence.Statement))
	}
	return b.String()
}

// sentText says what was sent, and how closely together.
func sentText(b *strings.Builder, r *probe.Result) {
	fmt.Fprintf(b, "\n%s in %s over %s, the %s held back; up to %d in flight at once\n", report.Count(r.Requests, "request"), report.Count(r.Rounds, "round"), r.Transport, r.HeldBack, r.Overlap.InFlightMax)
	fmt.Fprintf(b, "sent within %d µs (median; 95 %%: %d µs)", r.Overlap.SendSpanUS.Median, r.Overlap.SendSpanUS.P95)
	if r.Overlap.Parallelism != nil {
		fmt.Fprintf(b, "; the target works on %.1f at once", *r.Overlap.Parallelism)
	}
	for _, c := range r.Commands {
		fmt.Fprintf(b, "\n%s: status %d after %s", oneLine(c.Step), c.Status, report.Duration(c.TookUS))
		if c.RecoveredUS != nil {
			fmt.Fprintf(b, ", well again after %s", report.Duration(*c.RecoveredUS))
		}
	}
}

// plainLines keeps each line harmless to a terminal.
func plainLines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(oneLine(line) + "\n")
	}
	return b.String()
}

// statement is a result in one sentence: how sure it is, or why not.
func statement(r *probe.Result) string {
	if r.Verdict != probe.Pass && len(r.Reasons) > 0 {
		return r.Reasons[0]
	}
	return r.Confidence.Statement
}
