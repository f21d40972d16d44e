package classify

import (
	"fmt"
	"math"
	"slices"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

const (
	// mostBuckets keeps a chart readable and the search for change-points quick.
	mostBuckets = 300
	// fewest duplicates tell an onset from chance.
	fewest = 5
)

var widths = []time.Duration{
	time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 365 * 24 * time.Hour,
}

// Duplicates are the times of all rows that are not the first of their group,
// in order. Times before 1970 and after now say nothing of an incident and are
// counted in leftOut.
func Duplicates(groups [][]Evidence, now time.Time) (times []time.Time, leftOut int) {
	for _, rows := range groups {
		for _, e := range rows[1:] {
			switch {
			case e.At == nil:
			case e.At.Time.Unix() < 0 || e.At.Time.After(now):
				leftOut++
			default:
				times = append(times, e.At.Time)
			}
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times, leftOut
}

// IncidentWindow is the stretch of time to count all rows in: the duplicates'
// own and half as much on either side, an hour at least.
func IncidentWindow(duplicates []time.Time, now time.Time) source.Window {
	first, last := duplicates[0], duplicates[len(duplicates)-1]
	beside := max(last.Sub(first)/2, time.Hour)
	from, to := first.Add(-beside), last.Add(beside)
	if to.After(now) {
		to = now
	}
	width := widths[len(widths)-1]
	for _, w := range widths {
		if to.Sub(from)/w < mostBuckets {
			width = w
			break
		}
	}
	from = from.Truncate(width)
	return source.Window{From: from, Width: width, Buckets: int(to.Sub(from)/width) + 1, Now: now}
}

// Incident says since when, how much, and whether it goes on. line is nil where
// the rows' times could not be counted.
func Incident(duplicates []time.Time, leftOut int, w source.Window, line *source.Timeline) *casefile.Incident {
	first, last := duplicates[0], duplicates[len(duplicates)-1]
	in := &casefile.Incident{
		FirstDuplicate: stamp(first), LastDuplicate: stamp(last), State: "cannot-tell",
		BucketUS: w.Width.Microseconds(), Says: []string{},
	}
	if leftOut > 0 {
		in.Says = append(in.Says, casefile.Count(leftOut, "duplicate")+" with a time before 1970 or in the future left out")
	}
	counts := make([]int64, w.Buckets)
	for _, at := range duplicates {
		counts[min(int(at.Sub(w.From)/w.Width), w.Buckets-1)]++
	}
	for i := range counts {
		b := casefile.Bucket{Start: stamp(w.From.Add(time.Duration(i) * w.Width)), Duplicates: counts[i]}
		if line != nil {
			b.Rows = new(line.Counts[i])
		}
		in.Buckets = append(in.Buckets, b)
	}
	i := incident{Incident: in, times: duplicates, window: w, counts: counts, line: line}
	i.from, i.to = int(first.Sub(w.From)/w.Width), min(int(last.Sub(w.From)/w.Width), w.Buckets-1)+1
	i.changes()
	i.rates()
	i.state()
	return in
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// incident is one while it is worked out; from and to are the buckets of its
// course, to not included.
type incident struct {
	*casefile.Incident
	times    []time.Time
	window   source.Window
	counts   []int64
	line     *source.Timeline
	from, to int
}

func (i *incident) say(format string, args ...any) {
	i.Says = append(i.Says, fmt.Sprintf(format, args...))
}

func (i *incident) start(bucket int) time.Time {
	return i.window.From.Add(time.Duration(bucket) * i.window.Width)
}

// changes finds onset and end.
func (i *incident) changes() {
	i.Method = Method
	switch {
	case i.line == nil:
		i.say("no onset is told: the rows of the table could not be counted by their time")
		return
	case len(i.times) < fewest:
		i.say("%s are too few to tell an onset or an end from chance", casefile.Count(len(i.times), "duplicate"))
		return
	}
	rows := i.line.Counts
	found, ok := findChange(i.counts, rows)
	if !ok {
		i.say("the share of duplicates does not change beyond chance from %s to %s, so no onset is told", stamp(i.window.From), stamp(i.start(i.window.Buckets)))
		return
	}
	if inside := i.duplicatesIn(found.onset, found.end); inside*2 < int64(len(i.times)) {
		i.say("duplicates came all along: most of them lie outside of the stretch in which their share is highest, so no onset is told")
		return
	}
	i.from, i.to = found.onset, found.end
	if i.rowsIn(0, found.onset) == 0 {
		i.say("the data starts with duplicates, so the onset may lie before it")
	} else {
		i.Onset = i.point(i.firstFrom(found.onset), found.onsetFirst, found.onsetLast+1)
		i.say("duplicates set in at %s, between %s and %s", i.Onset.At, *i.Onset.Earliest, *i.Onset.Latest)
	}
	if i.rowsIn(found.end, len(rows))+i.line.After > 0 {
		i.End = i.point(i.lastBefore(found.end), found.endFirst-1, found.endLast)
		if found.endLast >= len(rows) {
			i.End.Latest = nil
		}
	}
}

// point is a change-point whose interval runs from one bucket's start to another's.
func (i *incident) point(at time.Time, earliest, latest int) *casefile.ChangePoint {
	return &casefile.ChangePoint{At: stamp(at), Earliest: new(stamp(i.start(earliest))), Latest: new(stamp(i.start(latest)))}
}

// firstFrom is the first duplicate in a bucket or after it.
func (i *incident) firstFrom(bucket int) time.Time {
	for _, at := range i.times {
		if !at.Before(i.start(bucket)) {
			return at
		}
	}
	return i.start(bucket)
}

// lastBefore is the last duplicate before a bucket.
func (i *incident) lastBefore(bucket int) time.Time {
	last := i.start(bucket)
	for _, at := range i.times {
		if at.Before(i.start(bucket)) {
			last = at
		}
	}
	return last
}

func (i *incident) rowsIn(from, to int) int64 {
	var n int64
	for _, c := range i.line.Counts[from:to] {
		n += c
	}
	return n
}

func (i *incident) duplicatesIn(from, to int) int64 {
	var n int64
	for _, c := range i.counts[from:to] {
		n += c
	}
	return n
}

// rates are duplicates an hour and their share, over the incident's course.
func (i *incident) rates() {
	first, last := i.firstFrom(i.from), i.lastBefore(i.to)
	duplicates := i.duplicatesIn(i.from, i.to)
	if hours := last.Sub(first).Hours(); hours > 0 && duplicates > 1 {
		i.PerHour = new(round(float64(duplicates) / hours))
	}
	if i.line == nil {
		return
	}
	if rows := i.rowsIn(i.from, i.to); rows > 0 && duplicates <= rows {
		i.Share = new(round(float64(duplicates) / float64(rows)))
		i.say("%.3g %% of the rows written from %s to %s were duplicates", 100**i.Share, stamp(first), stamp(last))
	}
}

// round keeps six significant digits: the figure is no more exact than that.
func round(f float64) float64 {
	if f == 0 {
		return 0
	}
	scale := math.Pow(10, 5-math.Floor(math.Log10(math.Abs(f))))
	return math.Round(f*scale) / scale
}

// state tells an incident that is over from one that only paused: had it gone
// on at the least share that its duplicates allow (95 %), how likely are all
// the rows since without one?
func (i *incident) state() {
	if i.line == nil {
		i.say("whether it goes on cannot be told")
		return
	}
	if !i.line.Last.IsZero() {
		i.LastRow = new(stamp(i.line.Last))
	}
	lastBucket := min(int(i.times[len(i.times)-1].Sub(i.window.From)/i.window.Width), i.window.Buckets-1)
	since := i.rowsIn(lastBucket+1, i.window.Buckets) + i.line.After
	if since == 0 && i.line.Last.After(i.times[len(i.times)-1]) {
		since = 1 // the newest row lies in the bucket of the last duplicate
	}
	i.RowsSince = &since
	duplicates, rows := float64(i.duplicatesIn(i.from, i.to)), float64(i.rowsIn(i.from, i.to))
	if rows == 0 {
		i.say("whether it goes on cannot be told")
		return
	}
	least := math.Max(duplicates-1.64*math.Sqrt(duplicates), 0.05) / rows
	silent := math.Pow(1-math.Min(least, 1), float64(since))
	switch {
	case silent < 0.05:
		i.State = "ended"
		i.say("it has ended: at least %s since the last duplicate, and none of them is one", casefile.Count(int(since), "row"))
	case len(i.times) >= fewest:
		i.State = "going-on"
		i.End = nil
		i.say("it is still going on as far as the data tells: the last duplicate is of %s, and %s", i.LastDuplicate, rowsSince(since))
	default:
		i.say("whether it goes on cannot be told: %s", rowsSince(since))
	}
}

// rowsSince speaks of rows that are too few to tell an end by.
func rowsSince(n int64) string {
	if n == 0 {
		return "no row came since"
	}
	return "the rows since then are few"
}
