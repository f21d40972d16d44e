package html

import (
	"fmt"
	"strconv"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/report/charts"
	"twinrow/templates"
)

// chart draws every gap of the table that has a time; nil where there is none.
// A mark leads to its group where that is on the page.
func chart(t *report.Table, anchor string, shown []templates.PageGroup) *templates.PageChart {
	var gaps []charts.Gap
	for i := range t.Groups {
		g := &t.Groups[i]
		for _, r := range g.Rows {
			if r.GapUS == nil || r.Class == nil {
				continue
			}
			gap := charts.Gap{US: *r.GapUS, Class: className(*r.Class), Label: fmt.Sprintf("group %d: %s, %s", g.Number, report.Duration(*r.GapUS), *r.Class)}
			if i < len(shown) {
				gap.Anchor = "g" + strconv.Itoa(g.Number)
			}
			gaps = append(gaps, gap)
		}
	}
	if len(gaps) == 0 {
		return nil
	}
	chart := charts.Gaps(gaps, []charts.Zone{
		{Class: string(casefile.Race), ToUS: t.Windows.RaceUS},
		{Class: string(casefile.Resubmit), ToUS: t.Windows.ResubmitUS},
		{Class: string(casefile.Retry), ToUS: t.Windows.HorizonUS},
		{Class: string(casefile.Replay)},
	})
	chart.ID = anchor + "-gaps"
	chart.Title = "Time between copies"
	chart.Description = "Gaps between the rows of a group on a logarithmic axis, coloured by class. Groups by class: " + t.ByClass() + "."
	for _, class := range casefile.Classes {
		if n := t.Totals.ByClass[class]; n > 0 {
			chart.Legend = append(chart.Legend, templates.PageLegend{ClassName: className(class), Label: string(class) + ", " + report.Count(n, "group")})
		}
	}
	return &chart
}
