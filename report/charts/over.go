package charts

import (
	"slices"
	"strconv"
	"time"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/templates"
)

// The measures of the drawing over time, in units of its view box: a panel of
// duplicates and below it a lower one of all rows.
const (
	overTop    = 42.0
	overHigh   = 120.0
	overBetw   = 24.0
	overLow    = 34.0
	maxColumns = 240
)

// Over places the duplicates over time, below them all rows written where they
// were counted, and the onset and end with their intervals. ok is false where
// the incident has no stretches of time.
func Over(incident *casefile.Incident) (chart templates.PageChart, ok bool) {
	columns, span := spans(incident)
	if len(columns) == 0 {
		return chart, false
	}
	base := overTop + overHigh
	chart = templates.PageChart{Width: width, Height: base + foot, Top: overTop, Base: base}
	scale := timeScale{from: columns[0].start, to: columns[len(columns)-1].start.Add(span)}
	highest, most, counted := heights(columns)
	chart.Panels = []templates.PagePanel{{Base: base, Top: overTop, LabelY: 14, Label: "duplicates, at most " + report.Number(highest) + " in " + spell(span)}}
	chart.Bars = scale.bars(columns, span, base, overHigh/float64(max(1, highest)), "duplicate", func(c column) int64 { return c.duplicates })
	if counted {
		low := base + overBetw + overLow
		chart.Panels = append(chart.Panels, templates.PagePanel{Base: low, Top: base + overBetw, LabelY: base + overBetw - 6, Label: "all rows, at most " + report.Number(most)})
		chart.Bars = append(chart.Bars, scale.bars(columns, span, low, overLow/float64(max(1, most)), "any", func(c column) int64 { return c.rows })...)
		chart.Base, chart.Height = low, low+foot
	}
	chart.Bands = scale.bands(incident)
	chart.Ticks = scale.ticks()
	return chart, true
}

// column is one bar's stretch of time: a bucket, or several side by side.
type column struct {
	start            time.Time
	rows, duplicates int64
	counted          bool
}

// spans joins neighbours where there are more buckets than bars can be told apart.
func spans(incident *casefile.Incident) (columns []column, span time.Duration) {
	if incident.BucketUS <= 0 {
		return nil, 0
	}
	each := (len(incident.Buckets) + maxColumns - 1) / maxColumns
	for i, b := range incident.Buckets {
		start, err := time.Parse(time.RFC3339Nano, b.Start)
		if err != nil {
			return nil, 0
		}
		if i%each == 0 {
			columns = append(columns, column{start: start, counted: true})
		}
		last := &columns[len(columns)-1]
		last.duplicates += b.Duplicates
		if b.Rows == nil {
			last.counted = false
		} else {
			last.rows += *b.Rows
		}
	}
	return columns, time.Duration(incident.BucketUS) * time.Microsecond * time.Duration(each)
}

// heights are the most duplicates and the most rows of a column, and whether
// rows were counted in all of them.
func heights(columns []column) (duplicates, rows int64, counted bool) {
	counted = true
	for _, c := range columns {
		duplicates, rows = max(duplicates, c.duplicates), max(rows, c.rows)
		counted = counted && c.counted
	}
	return duplicates, rows, counted
}

// timeScale is linear.
type timeScale struct{ from, to time.Time }

func (s timeScale) x(at time.Time) float64 {
	share := float64(at.Sub(s.from)) / float64(s.to.Sub(s.from))
	return tenth(left + max(0, min(1, share))*(right-left))
}

func (s timeScale) bars(columns []column, span time.Duration, base, unit float64, class string, count func(column) int64) []templates.PageBar {
	var bars []templates.PageBar
	for _, c := range columns {
		n := count(c)
		if n == 0 {
			continue
		}
		x := s.x(c.start)
		high := max(1.5, tenth(unit*float64(n))) // what is there is seen
		label := c.start.UTC().Format("2006-01-02 15:04:05") + ", " + spell(span) + ": " + report.Count(c.duplicates, "duplicate")
		if c.counted {
			label += " of " + report.Count(c.rows, "row")
		}
		bars = append(bars, templates.PageBar{X: x, Y: tenth(base - high), Width: max(1.5, tenth(s.x(c.start.Add(span))-x-0.6)), Height: high, ClassName: class, Label: label})
	}
	return bars
}

// bands are the onset and the end, each with the interval it lies in.
func (s timeScale) bands(incident *casefile.Incident) []templates.PageBand {
	var bands []templates.PageBand
	for _, p := range []struct {
		name  string
		point *casefile.ChangePoint
	}{{"onset", incident.Onset}, {"end", incident.End}} {
		if p.point == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, p.point.At)
		if err != nil {
			continue
		}
		b := templates.PageBand{At: s.x(at), From: s.edge(p.point.Earliest, s.from), Label: p.name, Title: p.name + " " + report.Around(p.point)}
		b.Width = tenth(max(1, s.edge(p.point.Latest, s.to)-b.From))
		b.Anchor = "middle"
		switch {
		case b.At < left+30:
			b.Anchor = "start"
		case b.At > right-30:
			b.Anchor = "end"
		}
		bands = append(bands, b)
	}
	return bands
}

// edge is the place of an end of an interval, which is open where there is none.
func (s timeScale) edge(at *string, open time.Time) float64 {
	if at == nil {
		return s.x(open)
	}
	moment, err := time.Parse(time.RFC3339Nano, *at)
	if err != nil {
		return s.x(open)
	}
	return s.x(moment)
}

const hours = time.Hour

// steps are the distances between ticks that people read easily.
var steps = []time.Duration{
	time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 5 * time.Second, 15 * time.Second,
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * hours, 6 * hours, 12 * hours,
	24 * hours, 2 * 24 * hours, 7 * 24 * hours, 14 * 24 * hours, 30 * 24 * hours, 91 * 24 * hours, 365 * 24 * hours, 3650 * 24 * hours, 36500 * 24 * hours,
}

// maxTicks is how many dates fit beside one another.
const maxTicks = 9

func (s timeScale) ticks() []templates.PageTick {
	whole := s.to.Sub(s.from)
	at := slices.IndexFunc(steps, func(step time.Duration) bool { return whole/step < maxTicks })
	if at < 0 {
		return nil
	}
	step := steps[at]
	layout := "2006-01-02"
	switch {
	case step < time.Second:
		layout = "15:04:05.000"
	case step < time.Minute:
		layout = "15:04:05"
	case step < 24*hours:
		layout = "01-02 15:04"
	}
	var ticks []templates.PageTick
	for t := s.from.UTC().Truncate(step); !t.After(s.to); t = t.Add(step) {
		if x := s.x(t); !t.Before(s.from) && x > left+30 && x < right-30 {
			ticks = append(ticks, templates.PageTick{X: x, Label: t.Format(layout)})
		}
	}
	return ticks
}

// spell writes a stretch of time: days where they are whole.
func spell(span time.Duration) string {
	if days := span / (24 * hours); days > 0 && span%(24*hours) == 0 {
		if days == 1 {
			return "1 day"
		}
		return strconv.FormatInt(int64(days), 10) + " days"
	}
	return report.Duration(span.Microseconds())
}
