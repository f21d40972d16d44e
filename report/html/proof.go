package html

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"twinrow/detect/casefile/proof"
	"twinrow/report"
	"twinrow/report/charts"
	"twinrow/templates"
)

const (
	// maxRounds is how many rounds are drawn; those with the most winners come first.
	maxRounds = 12
	// maxBars is how many keys are listed.
	maxBars = 60
	barFull = 400.0
)

// RenderProof writes the page of one probe.
func RenderProof(w io.Writer, r *proof.Result) error {
	page := templates.ProbePage{
		Verdict: strings.ToUpper(string(r.Verdict)), VerdictClass: verdictClass(r.Verdict), Heading: name(proofName(r)),
		Sure: sentence(report.Sentence(r.Confidence.Statement)), Figures: proofFigures(r), Keys: keyBars(r), Responses: responseBars(r),
		Latency: latencyBars(r), Facts: proofFacts(r), About: proofAbout(r),
	}
	page.Title = page.Verdict + " · " + page.Heading + " · twinrow"
	for i, reason := range r.Reasons {
		if text := sentence(report.Sentence(reason)); i == 0 {
			page.Lead = text
		} else {
			page.Reasons = append(page.Reasons, text)
		}
	}
	if r.Stopped != "" {
		page.Notes = append(page.Notes, "The run ended early ("+sentence(r.Stopped)+"): this is what was seen until then.")
	}
	if r.Baseline != nil {
		page.Notes = append(page.Notes, sentence(report.Sentence(r.Baseline.Statement)))
	}
	for _, e := range r.Expectations {
		shown := held(e.Name, e.Want, e.Got, e.OK)
		if e.Open {
			shown.Mark, shown.Class = "open", "open"
		}
		page.Expectations = append(page.Expectations, shown)
	}
	for _, h := range r.Health {
		page.Health = append(page.Health, held(h.When, "well", healthSaid(&h), h.OK))
	}
	for _, d := range r.Diagnosis {
		page.Signs = append(page.Signs, templates.PageAnswer{Question: sentence(report.Capital(d.Sign)), Text: sentence(report.Sentence(d.Means)), From: "probe: diagnosis"})
	}
	for _, g := range r.Grades {
		page.Grades = append(page.Grades, templates.ProbeGrade{Name: sentence(g.Name), Value: sentence(g.Value), Grade: sentence(g.Grade), Class: gradeClass(g.Grade), Scale: sentence(g.Scale)})
	}
	page.Rounds, page.MoreRounds = proofRounds(r)
	for _, m := range r.Made {
		page.Made = append(page.Made, made(&m))
	}
	if err := templates.ExecuteProbe(w, page); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

func proofName(r *proof.Result) string {
	if r.Name == "" {
		return r.Target
	}
	return r.Name
}

// verdictClass and gradeClass keep what a document says out of the markup.
func verdictClass(v proof.Verdict) string {
	if v == proof.Pass || v == proof.Fail {
		return string(v)
	}
	return string(proof.Inconclusive)
}

func gradeClass(grade string) string {
	if slices.Contains([]string{"good", "acceptable", "poor"}, grade) {
		return grade
	}
	return ""
}

func held(called, want, got string, ok bool) templates.ProbeExpectation {
	e := templates.ProbeExpectation{Name: sentence(called), Want: sentence(want), Got: sentence(got), Mark: "✓ held", Class: "done"}
	if !ok {
		e.Mark, e.Class = "✗ not met", "failed"
	}
	return e
}

func healthSaid(h *proof.HealthCheck) string {
	if h.OK {
		return "well, " + strconv.Itoa(h.Status)
	}
	return h.Reason
}

func proofFigures(r *proof.Result) []templates.PageFigure {
	figures := []templates.PageFigure{
		{Name: "Requests", Value: report.Number(r.Requests), Detail: report.Count(r.Rounds, "round"), From: "probe: requests"},
		{Name: "Sent within", Value: report.Duration(r.Overlap.SendSpanUS.Median), Detail: "median of the rounds", From: "probe: overlap.send_span_us"},
		{Name: "In flight at once", Value: report.Number(r.Overlap.InFlightMax), Detail: "seen from here", From: "probe: overlap.in_flight_max"},
	}
	if p := r.Overlap.Parallelism; p != nil {
		figures = append(figures, templates.PageFigure{Name: "Worked on at once", Value: strconv.FormatFloat(*p, 'f', 1, 64), Detail: "with keys that differ", From: "probe: overlap.parallelism"})
	}
	if p := r.LatencyUS.P95; p != nil {
		figures = append(figures, templates.PageFigure{Name: "Latency, p95", Value: report.Duration(*p), From: "probe: latency_us.p95"})
	}
	return figures
}

// proofRounds draws the rounds that show most: those with the most winners,
// then the first, in the order they were fired.
func proofRounds(r *proof.Result) ([]templates.ProbeRound, string) {
	order := make([]int, len(r.Detail))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return r.Detail[b].Winners - r.Detail[a].Winners })
	order = order[:min(len(order), maxRounds)]
	slices.Sort(order)
	var drawn []templates.ProbeRound
	for _, i := range order {
		d := &r.Detail[i]
		chart, ok := charts.Round(d)
		if !ok {
			continue
		}
		chart.ID = "round-" + strconv.Itoa(i)
		chart.Title = fmt.Sprintf("Round %d", d.Round)
		if d.Step != "" {
			chart.Title += ", " + name(d.Step)
		}
		chart.Title += ": " + report.Count(d.Winners, "winner")
		chart.Description = fmt.Sprintf("%s on a time axis from the release, sent within %s; %s.", report.Count(len(d.Requests), "request"), report.Duration(d.SendSpanUS), report.Count(d.Winners, "winner"))
		drawn = append(drawn, chart)
	}
	if left := len(r.Detail) - len(drawn); left > 0 {
		return drawn, report.Count(left, "round") + " not drawn: those with the most winners are."
	}
	return drawn, ""
}

func keyBars(r *proof.Result) []templates.ProbeBar {
	most := 1
	for _, k := range r.Keys {
		most = max(most, k.Winners)
	}
	var bars []templates.ProbeBar
	for _, k := range r.Keys[:min(len(r.Keys), maxBars)] {
		bar := templates.ProbeBar{Name: name(k.Key), Text: report.Count(k.Winners, "winner"), Class: "pass", Width: barFull * float64(k.Winners) / float64(most)}
		if k.Key == "" {
			bar.Name = "the only key"
		}
		if k.Winners > 1 {
			bar.Class = "fail"
		}
		if k.Rows != nil {
			bar.Text += ", " + report.Count(*k.Rows, "row")
		}
		bars = append(bars, bar)
	}
	return bars
}

func responseBars(r *proof.Result) []templates.ProbeBar {
	most := 1
	for _, a := range r.Responses {
		most = max(most, a.Count)
	}
	var bars []templates.ProbeBar
	for _, a := range r.Responses {
		bar := templates.ProbeBar{Name: strconv.Itoa(a.Status), Text: report.Number(a.Count), Class: "other", Width: barFull * float64(a.Count) / float64(most)}
		if a.Fault != "" {
			bar.Name, bar.Class = sentence(a.Fault), "fault"
		}
		if a.Expectation != "" {
			bar.Name += ", " + name(a.Expectation)
		}
		if a.Status >= 500 {
			bar.Class = "fail"
		}
		bars = append(bars, bar)
	}
	return bars
}

func latencyBars(r *proof.Result) []templates.ProbeBar {
	if r.LatencyUS.Max == nil {
		return nil
	}
	var bars []templates.ProbeBar
	for _, p := range []struct {
		name string
		us   *int64
	}{{"half within", r.LatencyUS.P50}, {"95 % within", r.LatencyUS.P95}, {"99 % within", r.LatencyUS.P99}, {"all within", r.LatencyUS.Max}} {
		if p.us != nil {
			bars = append(bars, templates.ProbeBar{Name: p.name, Text: report.Duration(*p.us), Class: "other", Width: barFull * float64(*p.us) / float64(max(1, *r.LatencyUS.Max))})
		}
	}
	return bars
}

func proofFacts(r *proof.Result) []templates.PageFact {
	var facts []templates.PageFact
	for _, x := range r.Rates {
		facts = append(facts, templates.PageFact{Name: "Rate " + name(x.Step), Value: fmt.Sprintf("%.2f a second of %v asked for, %s in %s", x.Achieved, x.Wanted, report.Count(x.Messages, "message"), report.Duration(x.ForUS))})
	}
	for _, c := range r.Commands {
		said := fmt.Sprintf("in round %d, status %d, took %s", c.Round, c.Status, report.Duration(c.TookUS))
		if c.RecoveredUS != nil {
			said += ", well again after " + report.Duration(*c.RecoveredUS)
		}
		facts = append(facts, templates.PageFact{Name: name(c.Step), Value: said, Code: sentence(c.Command)})
	}
	return facts
}

func made(m *proof.Made) templates.ProbeMade {
	const few = 20
	var shown []string
	for _, args := range m.Args[:min(len(m.Args), few)] {
		shown = append(shown, "("+strings.Join(args, ", ")+")")
	}
	text := strings.Join(shown, " ")
	if left := len(m.Args) - len(shown) + m.LeftOff; left > 0 {
		text += fmt.Sprintf(" and %s more", report.Number(left))
	}
	return templates.ProbeMade{Check: name(m.Check), SQL: sentence(m.SQL), Args: report.Shorten(report.Plain(text), 4000, nil)}
}

func proofAbout(r *proof.Result) []templates.PageFact {
	facts := []templates.PageFact{{Name: "Target", Value: sentence(r.Target)}}
	if r.Environment != "" {
		facts = append(facts, templates.PageFact{Name: "Environment", Value: name(r.Environment)})
	}
	return append(facts,
		templates.PageFact{Name: "Fired", Value: report.Instant(&r.StartedAt) + " UTC, for " + report.Duration(r.DurationUS)},
		templates.PageFact{Name: "Over", Value: sentence(r.Transport + ", the " + r.HeldBack + " held back")},
		templates.PageFact{Name: "Run", Code: sentence(r.RunID)},
		templates.PageFact{Name: "SHA-256 of what was asked", Code: sentence(r.SpecSHA256)},
		templates.PageFact{Name: "Made by", Value: report.Plain(r.Tool.Name + " " + r.Tool.Version)},
	)
}
