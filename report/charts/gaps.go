// Package charts works out where the marks of a drawing stand. It places what
// the document says and draws nothing itself: the page's template does.
package charts

import (
	"math"
	"slices"

	"twinrow/report"
	"twinrow/templates"
)

// Gap is one gap to be drawn.
type Gap struct {
	US    int64
	Class string
	// Label says what it is, for who points at the mark; Anchor leads to its
	// group on the page and may be empty.
	Label, Anchor string
}

// Zone is the part of the axis that a class's window covers, up to ToUS, and
// from where the zone before it ends. ToUS 0 is without end.
type Zone struct {
	Class string
	ToUS  int64
}

// Schedule is a retry schedule whose waits are marked.
type Schedule struct {
	Name    string
	WaitsUS []int64
}

// The drawing's measures, in units of its view box.
const (
	width   = 1040.0
	top     = 28.0 // above are the zones' names
	foot    = 26.0 // below are the ticks' names
	space   = 10.0 // between the zones and the highest mark
	lane    = 20.0 // for the waits of one schedule
	left    = 24.0
	right   = width - 24.0
	step    = 13.0 // from one dot to the next
	radius  = 5.5
	minDots = 3 // the least height, in dots
	maxDots = 8 // the most; more in one place are drawn as bars
)

const (
	millisecond = 1_000.0
	day         = 86_400_000_000.0
)

// ticks are the places on the axis that have a name people use.
var ticks = []struct {
	us    float64
	label string
}{
	{1, "1 µs"}, {10, "10 µs"}, {100, "100 µs"}, {1e3, "1 ms"}, {1e4, "10 ms"}, {1e5, "100 ms"}, {1e6, "1 s"}, {1e7, "10 s"},
	{6e7, "1 m"}, {6e8, "10 m"}, {3.6e9, "1 h"}, {day, "1 d"}, {10 * day, "10 d"}, {100 * day, "100 d"}, {1000 * day, "1000 d"}, {10_000 * day, "10,000 d"}, {100_000 * day, "100,000 d"},
}

// axis is logarithmic, from a millisecond to ten days and as much further as
// the gaps go. The same span in every report makes two of them comparable.
type axis struct{ from, to float64 }

func newAxis(gaps []Gap) axis {
	from, to := millisecond, 10*day
	for _, g := range gaps {
		if g.US > 0 {
			from = min(from, float64(g.US))
		}
		to = max(to, float64(g.US))
	}
	return axis{math.Floor(math.Log10(from)), math.Log10(to * 1.2)}
}

// x is the place of a gap. None, and two rows out of order, stand at the left
// end, where the axis cannot reach.
func (a axis) x(us float64) float64 {
	if us <= 0 {
		return left
	}
	share := (math.Log10(us) - a.from) / (a.to - a.from)
	return tenth(left + max(0, min(1, share))*(right-left))
}

// tenth rounds, for a tenth of a unit is finer than anybody sees and shorter to write.
func tenth(x float64) float64 { return math.Round(x*10) / 10 }

// Gaps places gaps on the axis, stacked where they are close: a dot each, or
// bars where a stack of dots would be too high. Zones are in ascending order.
// The waits of each schedule stand on a line of their own above.
func Gaps(gaps []Gap, zones []Zone, schedules []Schedule) templates.PageChart {
	a := newAxis(gaps)
	columns, highest := a.stack(gaps)
	lanes := lane * float64(len(schedules))
	base := top + lanes + space + step*float64(max(minDots, min(highest, maxDots)))
	chart := templates.PageChart{Width: width, Height: base + foot, Top: top, Base: base}
	for _, t := range ticks {
		if x := math.Log10(t.us); x >= a.from-1e-9 && x <= a.to {
			chart.Ticks = append(chart.Ticks, templates.PageTick{X: a.x(t.us), Label: t.label})
		}
	}
	chart.Zones = a.zones(zones)
	chart.Waits = a.waits(schedules)
	if highest <= maxDots {
		chart.Dots = dots(columns, base)
	} else {
		chart.Bars = bars(columns, highest, base, base-top-lanes-space)
		chart.Note = "height is the number of gaps; the highest bar is " + report.Number(highest)
	}
	return chart
}

func (a axis) waits(schedules []Schedule) []templates.PageWaits {
	var placed []templates.PageWaits
	for i, s := range schedules {
		p := templates.PageWaits{Y: top + lane*(float64(i)+0.7), Label: s.Name}
		for _, us := range slices.Compact(slices.Sorted(slices.Values(s.WaitsUS))) {
			if us > 0 && math.Log10(float64(us)) <= a.to {
				p.Marks = append(p.Marks, templates.PageTick{X: a.x(float64(us)), Label: s.Name + ": " + report.Duration(us)})
			}
		}
		placed = append(placed, p)
	}
	return placed
}

func (a axis) zones(zones []Zone) []templates.PageZone {
	var placed []templates.PageZone
	from := left
	for _, z := range zones {
		to := right
		if z.ToUS > 0 {
			to = a.x(float64(z.ToUS))
		}
		if to > from {
			placed = append(placed, templates.PageZone{
				X: tenth(from), Width: tenth(to - from), Middle: tenth((from + to) / 2),
				ClassName: z.Class, Label: z.Class, Wide: to-from > 8*float64(len(z.Class)),
			})
		}
		from = max(from, to)
	}
	return placed
}

// stack puts the gaps into columns as wide as a dot and says how high the highest is.
func (a axis) stack(gaps []Gap) (columns map[int][]Gap, highest int) {
	columns = map[int][]Gap{}
	for _, g := range gaps {
		column := int(a.x(float64(g.US)) / step)
		columns[column] = append(columns[column], g)
		highest = max(highest, len(columns[column]))
	}
	return columns, highest
}
