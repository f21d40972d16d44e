package charts_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/report/charts"
	"twinrow/templates"
)

var zones = []charts.Zone{{Class: "race", ToUS: 1_000_000}, {Class: "resubmit", ToUS: 60_000_000}, {Class: "retry", ToUS: 259_200_000_000}, {Class: "replay"}}

func TestDotsStandWhereTheirGapsAre(t *testing.T) {
	chart := charts.Gaps([]charts.Gap{
		{US: 79_000, Class: "race", Label: "b", Anchor: "g3"}, {US: 14_000, Class: "race", Label: "a"},
		{US: 155_718_000_000, Class: "retry", Label: "d"}, {US: 69_299_000_000, Class: "retry", Label: "c"},
	}, zones, nil)
	var labels []string
	for i, d := range chart.Dots {
		labels = append(labels, d.Label)
		if i > 0 && d.X <= chart.Dots[i-1].X {
			t.Errorf("%s at %v is not right of %s at %v", d.Label, d.X, chart.Dots[i-1].Label, chart.Dots[i-1].X)
		}
		zone := chart.Zones[map[string]int{"race": 0, "retry": 2}[d.ClassName]]
		if d.X < zone.X || d.X > zone.X+zone.Width {
			t.Errorf("%s at %v is outside of its zone %+v", d.Label, d.X, zone)
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, labels); diff != "" {
		t.Errorf("dots (-want +got):\n%s", diff)
	}
	if chart.Dots[1].Anchor != "g3" || len(chart.Bars) != 0 || chart.Note != "" {
		t.Errorf("the chart is %+v", chart)
	}
}

func TestEqualGapsAreStacked(t *testing.T) {
	gap := charts.Gap{US: 14_000, Class: "race"}
	chart := charts.Gaps([]charts.Gap{gap, gap, gap}, zones, nil)
	for i, d := range chart.Dots {
		if i > 0 && (d.X != chart.Dots[0].X || d.Y >= chart.Dots[i-1].Y) {
			t.Errorf("dot %d stands at %v, %v", i, d.X, d.Y)
		}
		if d.Y < chart.Top || d.Y > chart.Base {
			t.Errorf("dot %d is outside of the drawing", i)
		}
	}
}

func TestManyGapsAreBars(t *testing.T) {
	var gaps []charts.Gap
	for range 1000 {
		gaps = append(gaps, charts.Gap{US: 14_000, Class: "race"})
	}
	gaps = append(gaps, charts.Gap{US: 14_000, Class: "resubmit"}, charts.Gap{US: 5_000_000, Class: "resubmit"})
	chart := charts.Gaps(gaps, zones, nil)
	if len(chart.Dots) != 0 || chart.Note != "height is the number of gaps; the highest bar is 1,001" {
		t.Errorf("%d dots, note %q", len(chart.Dots), chart.Note)
	}
	var labels []string
	for _, b := range chart.Bars {
		labels = append(labels, b.Label)
		if b.Height < 1 || b.Y+b.Height > chart.Base+0.1 || b.Y < chart.Top {
			t.Errorf("the bar %+v is outside of the drawing or not seen", b)
		}
	}
	if diff := cmp.Diff([]string{"race: 1,000 gaps", "resubmit: 1 gap", "resubmit: 1 gap"}, labels); diff != "" {
		t.Errorf("bars (-want +got):\n%s", diff)
	}
}

func TestEveryGapIsInsideTheDrawing(t *testing.T) {
	for _, us := range []int64{-5, 0, 1, 999, 1_000_000, 259_200_000_000, 3_155_695_200_000_000, 1<<63 - 1} {
		chart := charts.Gaps([]charts.Gap{{US: us, Class: "race"}}, zones, nil)
		if d := chart.Dots[0]; d.X < 0 || d.X > chart.Width {
			t.Errorf("%d stands at %v of %v", us, d.X, chart.Width)
		}
		for _, tick := range chart.Ticks {
			if tick.X < 0 || tick.X > chart.Width {
				t.Errorf("%d: the tick %+v is outside", us, tick)
			}
		}
		end := chart.Zones[len(chart.Zones)-1]
		if end.ClassName != "replay" || end.X+end.Width > chart.Width {
			t.Errorf("%d: the last zone is %+v", us, end)
		}
	}
}

func TestTheAxisIsTheSameForUsualGaps(t *testing.T) {
	a := charts.Gaps([]charts.Gap{{US: 14_000}}, zones, nil)
	b := charts.Gaps([]charts.Gap{{US: 155_718_000_000}}, zones, nil)
	if diff := cmp.Diff(a.Ticks, b.Ticks); diff != "" {
		t.Errorf("the ticks differ:\n%s", diff)
	}
	want := templates.PageTick{X: 24, Label: "1 ms"}
	if diff := cmp.Diff(want, a.Ticks[0]); diff != "" {
		t.Errorf("the first tick (-want +got):\n%s", diff)
	}
}
