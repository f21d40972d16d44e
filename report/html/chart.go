package html

import (
	"fmt"
	"strconv"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/report/charts"
	"twinrow/templates"
)

// drawings are those that the table has something to draw for.
func drawings(t *report.Table, index int, anchor string, shown []templates.PageGroup) []templates.PageChart {
	var drawn []templates.PageChart
	if c := overTime(t, index, anchor); c != nil {
		drawn = append(drawn, *c)
	}
	if c := gapChart(t, index, anchor, shown); c != nil {
		drawn = append(drawn, *c)
	}
	return drawn
}

// overTime draws the incident; nil where the case has no stretches of time.
func overTime(t *report.Table, index int, anchor string) *templates.PageChart {
	if t.Incident == nil {
		return nil
	}
	chart, ok := charts.Over(t.Incident)
	if !ok {
		return nil
	}
	chart.ID, chart.Title = anchor+"-over", "Duplicates over time"
	chart.Description = strings.TrimSpace(strings.Join(says(t.Incident.Says), " "))
	chart.Says, chart.From = says(t.Incident.Says), report.TableField(index, "incident.says")
	return &chart
}

// maxSchedules is how many providers' waits are marked, of those that fit best.
const maxSchedules = 3

// gapChart draws every gap of the table that has a time; nil where there is
// none. A mark leads to its group where that is on the page.
func gapChart(t *report.Table, index int, anchor string, shown []templates.PageGroup) *templates.PageChart {
	gaps := placedGaps(t, len(shown))
	if len(gaps) == 0 {
		return nil
	}
	chart := charts.Gaps(gaps, []charts.Zone{
		{Class: string(casefile.Race), ToUS: t.Windows.RaceUS},
		{Class: string(casefile.Resubmit), ToUS: t.Windows.ResubmitUS},
		{Class: string(casefile.Retry), ToUS: t.Windows.HorizonUS},
		{Class: string(casefile.Replay)},
	}, schedules(t.Retries))
	chart.ID = anchor + "-gaps"
	chart.Title = "Time between copies"
	chart.Description = "Gaps between the rows of a group on a logarithmic axis, coloured by class. Groups by class: " + t.ByClass() + "."
	for _, class := range casefile.Classes {
		if n := t.Totals.ByClass[class]; n > 0 {
			chart.Legend = append(chart.Legend, templates.PageLegend{ClassName: className(class), Label: string(class) + ", " + report.Count(n, "group")})
		}
	}
	if t.Retries != nil {
		chart.Says, chart.From = says([]string{t.Retries.Says}), report.TableField(index, "retries.says")
	}
	return &chart
}

func placedGaps(t *report.Table, shown int) []charts.Gap {
	var gaps []charts.Gap
	for i := range t.Groups {
		g := &t.Groups[i]
		for _, r := range g.Rows {
			if r.GapUS == nil || r.Class == nil {
				continue
			}
			gap := charts.Gap{US: *r.GapUS, Class: className(*r.Class), Label: fmt.Sprintf("group %d: %s, %s", g.Number, report.Duration(*r.GapUS), *r.Class)}
			if i < shown {
				gap.Anchor = "g" + strconv.Itoa(g.Number)
			}
			gaps = append(gaps, gap)
		}
	}
	return gaps
}

// schedules are those of the providers that fit best. One that publishes no
// waits is drawn with the window it goes on for.
func schedules(retries *casefile.Retries) []charts.Schedule {
	if retries == nil {
		return nil
	}
	var drawn []charts.Schedule
	for _, p := range retries.Providers[:min(len(retries.Providers), maxSchedules)] {
		s := charts.Schedule{Name: name(p.Name) + ", waits", WaitsUS: p.WaitsUS}
		if len(p.WaitsUS) == 0 && p.WindowUS > 0 {
			s = charts.Schedule{Name: name(p.Name) + ", window", WaitsUS: []int64{p.WindowUS}}
		}
		drawn = append(drawn, s)
	}
	return drawn
}

// says makes sentences of lines.
func says(lines []string) []string {
	var sentences []string
	for _, line := range lines {
		if line != "" {
			sentences = append(sentences, sentence(report.Sentence(line)))
		}
	}
	return sentences
}
