package charts

import (
	"fmt"
	"math"
	"strings"

	"twinrow/detect/casefile/proof"
	"twinrow/report"
	"twinrow/templates"
)

// The measures of a round's drawing.
const (
	lineStep = 8.0
	roundTop = 6.0
	// maxLines is how many requests of a round are drawn.
	maxLines = 120
)

// Round places the requests of a round on a time axis from its release. ok is
// false where none is known by itself.
func Round(r *proof.Round) (chart templates.ProbeRound, ok bool) {
	if len(r.Requests) == 0 {
		return chart, false
	}
	requests := r.Requests[:min(len(r.Requests), maxLines)]
	from, to := int64(0), int64(1)
	for i := range requests {
		from, to = min(from, requests[i].SentUS), max(to, end(&requests[i]))
	}
	place := func(us int64) float64 {
		return tenth(left + float64(us-from)/float64(to-from)*(right-left))
	}
	chart = templates.ProbeRound{Width: width, Base: roundTop + lineStep*float64(len(requests)) + 4}
	chart.Height = chart.Base + foot
	for i := range requests {
		q := &requests[i]
		line := templates.ProbeLine{Y: tenth(roundTop + lineStep*(float64(i)+0.5)), Sent: place(q.SentUS), Done: place(end(q)), Class: lineClass(q), Label: lineLabel(q)}
		if line.First = line.Done; q.FirstByteUS != nil {
			line.First = place(*q.FirstByteUS)
		}
		chart.Lines = append(chart.Lines, line)
	}
	for us := int64(0); us <= to; us += tickStep(to - from) {
		chart.Ticks = append(chart.Ticks, templates.PageTick{X: place(us), Label: report.Duration(us)})
	}
	return chart, true
}

func end(q *proof.Request) int64 {
	switch {
	case q.DoneUS != nil:
		return *q.DoneUS
	case q.FirstByteUS != nil:
		return *q.FirstByteUS
	}
	return q.SentUS
}

func lineClass(q *proof.Request) string {
	switch {
	case q.Fault != "":
		return "fault"
	case q.Winner:
		return "won"
	}
	return "other"
}

func lineLabel(q *proof.Request) string {
	words := []string{fmt.Sprintf("sent at %s", report.Duration(q.SentUS))}
	if q.Key != "" {
		words = append([]string{report.Plain(q.Key)}, words...)
	}
	if q.FirstByteUS != nil {
		words = append(words, "first byte at "+report.Duration(*q.FirstByteUS))
	}
	if q.DoneUS != nil {
		words = append(words, "done at "+report.Duration(*q.DoneUS))
	}
	if q.Fault != "" {
		return strings.Join(append(words, report.Plain(q.Fault)), ", ")
	}
	words = append(words, fmt.Sprintf("status %d", q.Status))
	if q.Winner {
		words = append(words, "winner")
	}
	return strings.Join(words, ", ")
}

// tickStep is the distance of some five to ten marks: 1, 2 or 5 of a power of ten.
func tickStep(span int64) int64 {
	power := math.Pow(10, math.Floor(math.Log10(max(1, float64(span)/5))))
	for _, n := range []float64{1, 2, 5} {
		if float64(span)/(n*power) <= 10 {
			return max(1, int64(n*power))
		}
	}
	return max(1, int64(10*power))
}
