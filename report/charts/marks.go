package charts

import (
	"maps"
	"slices"

	"twinrow/report"
	"twinrow/templates"
)

// dots are one for each gap, the first of a column at its foot.
func dots(columns map[int][]Gap, base float64) []templates.PageDot {
	var dots []templates.PageDot
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		for i, g := range columns[column] {
			dots = append(dots, templates.PageDot{
				X: tenth((float64(column) + 0.5) * step), Y: tenth(base - step*(float64(i)+0.65)), R: radius,
				ClassName: g.Class, Label: g.Label, Anchor: g.Anchor,
			})
		}
	}
	return dots
}

// bars are one for each class of a column, on top of one another.
func bars(columns map[int][]Gap, highest int, base, tallest float64) []templates.PageBar {
	unit := tallest / float64(highest)
	var bars []templates.PageBar
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		foot := base
		for _, part := range byClass(columns[column]) {
			high := max(1, tenth(unit*float64(part.gaps))) // what is there is seen
			bars = append(bars, templates.PageBar{
				X: tenth(float64(column) * step), Y: tenth(foot - high), Width: step, Height: high,
				ClassName: part.class, Label: part.class + ": " + report.Count(part.gaps, "gap"),
			})
			foot -= high
		}
	}
	return bars
}

type share struct {
	class string
	gaps  int
}

// byClass says how high each class's part of a column is, in the order the classes occur.
func byClass(column []Gap) []share {
	var shares []share
	for _, g := range column {
		i := slices.IndexFunc(shares, func(s share) bool { return s.class == g.Class })
		if i < 0 {
			shares = append(shares, share{class: g.Class})
			i = len(shares) - 1
		}
		shares[i].gaps++
	}
	return shares
}
