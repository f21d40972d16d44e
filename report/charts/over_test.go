package charts_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"twinrow/detect/casefile"
	"twinrow/report/charts"
)

func incident(buckets int, width time.Duration, duplicates func(int) int64) *casefile.Incident {
	start := time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)
	i := &casefile.Incident{BucketUS: width.Microseconds()}
	for n := range buckets {
		rows := int64(10)
		i.Buckets = append(i.Buckets, casefile.Bucket{Start: start.Add(time.Duration(n) * width).Format(time.RFC3339Nano), Rows: &rows, Duplicates: duplicates(n)})
	}
	return i
}

func TestBarsOverTimeAddUpAndStayInside(t *testing.T) {
	for _, buckets := range []int{1, 2, 17, 240, 241, 5000} {
		chart, ok := charts.Over(incident(buckets, time.Hour, func(n int) int64 { return int64(n % 3) }))
		if !ok {
			t.Fatalf("%d buckets are not drawn", buckets)
		}
		if len(chart.Bars) > 2*240 {
			t.Errorf("%d buckets make %d bars", buckets, len(chart.Bars))
		}
		for _, b := range chart.Bars {
			if b.X < 0 || b.X+b.Width > chart.Width+1 || b.Y < chart.Top-0.1 || b.Y+b.Height > chart.Base+0.1 {
				t.Errorf("%d buckets: the bar %+v is outside of %v to %v", buckets, b, chart.Top, chart.Base)
			}
		}
		for _, tick := range chart.Ticks {
			if tick.X < 0 || tick.X > chart.Width {
				t.Errorf("%d buckets: the tick %+v is outside", buckets, tick)
			}
		}
		if len(chart.Ticks) > 10 {
			t.Errorf("%d buckets have %d ticks", buckets, len(chart.Ticks))
		}
	}
}

func TestWhatHappenedInOneBucketIsSaidAtItsBar(t *testing.T) {
	chart, _ := charts.Over(incident(24, time.Hour, func(n int) int64 {
		if n == 5 {
			return 4
		}
		return 0
	}))
	bar := chart.Bars[0]
	if want := "2025-12-01 05:00:00, 1 h: 4 duplicates of 10 rows"; bar.Label != want || bar.ClassName != "duplicate" {
		t.Errorf("the bar is %+v, want %q", bar, want)
	}
	if n := len(chart.Bars); n != 25 {
		t.Errorf("there are %d bars, for one of duplicates and 24 of all rows", n)
	}
}

func TestOnsetAndEndStandWhereTheyAre(t *testing.T) {
	i := incident(24, time.Hour, func(int) int64 { return 1 })
	i.Onset = &casefile.ChangePoint{At: "2025-12-01T06:00:00Z", Earliest: new("2025-12-01T05:00:00Z"), Latest: new("2025-12-01T07:00:00Z")}
	i.End = &casefile.ChangePoint{At: "2025-12-01T18:00:00Z", Earliest: new("2025-12-01T12:00:00Z")}
	chart, _ := charts.Over(i)
	if len(chart.Bands) != 2 {
		t.Fatalf("the bands are %+v", chart.Bands)
	}
	onset, end := chart.Bands[0], chart.Bands[1]
	if onset.Label != "onset" || onset.At != 272 || math.Abs(onset.Width-2*(272-onset.From)) > 0.5 {
		t.Errorf("the onset is %+v", onset)
	}
	if end.At != 768 || end.From != 520 || end.From+end.Width < chart.Width-30 || !strings.Contains(end.Title, "not before 2025-12-01 12:00:00") {
		t.Errorf("the end is %+v, which is open to the right", end)
	}
}

func TestNothingIsDrawnOfWhatIsNoTime(t *testing.T) {
	bad := incident(3, time.Hour, func(int) int64 { return 1 })
	bad.Buckets[1].Start = "soon"
	none := incident(3, 0, func(int) int64 { return 1 })
	for _, i := range []*casefile.Incident{{}, bad, none} {
		if chart, ok := charts.Over(i); ok {
			t.Errorf("drawn is %+v", chart)
		}
	}
	odd := incident(3, time.Hour, func(int) int64 { return 1 })
	odd.Onset = &casefile.ChangePoint{At: "soon"}
	odd.End = &casefile.ChangePoint{At: "2025-12-01T01:00:00Z", Earliest: new("soon")}
	if chart, ok := charts.Over(odd); !ok || len(chart.Bands) != 1 {
		t.Errorf("the bands are %+v", chart.Bands)
	}
}

func TestWaitsStandWhereTheirGapsWould(t *testing.T) {
	schedules := []charts.Schedule{{Name: "Svix family", WaitsUS: []int64{300_000_000, 5_000_000, 36_000_000_000, 36_000_000_000}}, {Name: "window", WaitsUS: []int64{1 << 62, 0}}}
	chart := charts.Gaps([]charts.Gap{{US: 5_000_000, Class: "resubmit"}}, zones, schedules)
	if len(chart.Waits) != 2 || len(chart.Waits[0].Marks) != 3 || len(chart.Waits[1].Marks) != 0 {
		t.Fatalf("the waits are %+v", chart.Waits)
	}
	if mark, dot := chart.Waits[0].Marks[0], chart.Dots[0]; math.Abs(mark.X-dot.X) > 13 || mark.Label != "Svix family: 5 s" {
		t.Errorf("the wait %+v is not above the gap at %v", mark, dot.X)
	}
	if d := chart.Dots[0]; d.Y < chart.Waits[1].Y || d.Y > chart.Base {
		t.Errorf("the dot at %v is among the waits", d.Y)
	}
}
