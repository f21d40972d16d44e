package classify

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"twinrow/detect/casefile"
)

const (
	// most is how many deliveries of a group are tried against schedules: more
	// are no retries any more.
	most = 64
	// skips is how many deliveries may be missing between two rows: they
	// failed before they wrote.
	skips = 1
	// chance is how often a chain that nobody scheduled may fit by accident
	// for the fit to count as likely.
	chance = 0.05
	// spanned is the natural logarithm of the range over which gaps that
	// nobody scheduled are taken to lie evenly: 5 s to 72 h.
	spanned = 10.9
)

// delivery is one or several rows that one delivery wrote.
type delivery struct {
	at time.Time
	// row is the place of its first row in the group.
	row int
}

// run is how a stretch of a group's deliveries fits a schedule.
type run struct {
	schedule *Schedule
	// from is the place of the first delivery; attempts are the numbers from
	// there on, and waits what the schedule sets between them.
	from     int
	attempts []int
	waits    []time.Duration
	// accident is how often a chain as long would fit anywhere by accident.
	accident float64
	skipped  int
	error    float64
}

// fit tries the schedules on a group: what fits is named with all others that
// do, and a chain that hardly fits by accident makes its gaps retries.
func (f Facts) fit(g *casefile.Group, rows []Evidence, verdicts []verdict) {
	deliveries := f.deliveriesOf(rows, verdicts)
	if len(f.Schedules) == 0 || len(deliveries) < 2 || len(deliveries) > most {
		return
	}
	var runs []run
	for i := range f.Schedules {
		s := &f.Schedules[i]
		if r, ok := s.fit(deliveries, f.Step); ok {
			r.accident *= float64(published(f.Schedules))
			runs = append(runs, r)
		}
	}
	slices.SortStableFunc(runs, func(a, b run) int {
		return cmp.Or(cmp.Compare(len(b.attempts), len(a.attempts)), cmp.Compare(a.skipped, b.skipped), cmp.Compare(a.error, b.error))
	})
	if len(f.Schedules) > 1 && len(deliveries) > 2 && len(runs) > 0 && len(runs[0].attempts) < 3 {
		runs = nil // one gap of several, that fits one schedule of many, says nothing
	}
	runs = alike(runs, len(deliveries))
	for _, r := range runs {
		g.Fits = append(g.Fits, r.document(deliveries, len(rows)))
	}
	if len(runs) > 0 {
		g.Reasons = append(g.Reasons, sayRuns(runs))
		f.sharpen(verdicts, deliveries, runs[0])
	}
	if names := windowsThatHold(f.Schedules, deliveries); len(runs) == 0 && len(f.Schedules) == 1 && names != "" {
		g.Reasons = append(g.Reasons, names)
	}
	if len(f.Schedules) == 1 && len(runs) == 0 && len(f.Schedules[0].Cumulative) > 0 {
		g.Reasons = append(g.Reasons, "fits no wait of "+f.Schedules[0].Title)
	}
}

// published counts the schedules that have waits to fit.
func published(schedules []Schedule) int {
	n := 0
	for _, s := range schedules {
		if len(s.Cumulative) > 0 {
			n++
		}
	}
	return n
}

// alike drops the runs that are shorter than the best, where that is a chain,
// and calls all of the rest likely where one of them is: that one schedule is
// busier, so that more fits it by accident, does not make it the less likely one.
//
// A chain with gaps in it, or over some of the rows only, is dropped unless it
// is likely: among many groups such chains come about by accident.
func alike(runs []run, deliveries int) []run {
	if len(runs) == 0 || len(runs[0].attempts) < 3 {
		return runs
	}
	runs = slices.DeleteFunc(runs, func(r run) bool { return len(r.attempts) < len(runs[0].attempts) })
	least := runs[0].accident
	for _, r := range runs {
		least = min(least, r.accident)
	}
	for i := range runs {
		runs[i].accident = least
	}
	return slices.DeleteFunc(runs, func(r run) bool {
		return !r.likely() && (r.skipped > 0 || len(r.attempts) < deliveries)
	})
}

// sayRuns names all schedules that fit, in one sentence.
func sayRuns(runs []run) string {
	var text strings.Builder
	text.WriteString(runs[0].says())
	for i, r := range runs[1:] {
		if len(r.attempts) == 2 && i == 3 {
			fmt.Fprintf(&text, ", and %d more", len(runs)-1-i)
			break
		}
		text.WriteString(", as well as " + r.schedule.Title + ", attempts " + numbers(r.attempts))
	}
	if len(runs[0].attempts) == 2 {
		text.WriteString(" (one gap is weak evidence)")
	}
	return text.String()
}

// sharpen turns the gaps of a fitting chain into retries; one gap alone only
// leaves open who sent it again.
func (f Facts) sharpen(verdicts []verdict, deliveries []delivery, r run) {
	for i := range r.waits {
		row := deliveries[r.from+i+1].row
		if row == 0 {
			continue // the clocks put it first
		}
		v := &verdicts[row-1]
		switch {
		case v.class == casefile.UntimedClass || v.strength == casefile.Proven && v.class != casefile.Resubmit:
		case r.likely():
			v.class, v.strength = casefile.Retry, casefile.Likely
		case v.class == casefile.Resubmit && v.strength == casefile.Proven && (v.wait > f.Windows.Race || len(r.attempts) >= 3):
			v.unknown = append(v.unknown, "whether a person or a provider sent it again: that it came afterwards is proven, its cause is not")
		}
	}
}

// likely: a chain of three rows and more that hardly fits by accident.
func (r run) likely() bool { return len(r.attempts) >= 3 && r.accident < chance }

// deliveriesOf folds rows that overlapping writers or one transaction wrote
// into one delivery. Where the verdicts go by the commits, so do the deliveries.
func (f Facts) deliveriesOf(rows []Evidence, verdicts []verdict) []delivery {
	byCommit := !slices.ContainsFunc(verdicts, func(v verdict) bool { return !v.byCommit })
	at := func(e Evidence) time.Time {
		if byCommit {
			return e.Writer.Committed
		}
		return e.At.Time
	}
	if rows[0].At == nil {
		return nil
	}
	out := []delivery{{at(rows[0]), 0}}
	for i, v := range verdicts {
		if rows[i+1].At == nil || v.class == casefile.UntimedClass {
			break
		}
		if v.class != casefile.Race && v.class != casefile.SameTransaction {
			out = append(out, delivery{at(rows[i+1]), i + 1})
		}
	}
	slices.SortStableFunc(out, func(a, b delivery) int { return a.at.Compare(b.at) })
	return out
}

// fit finds the longest stretch of the deliveries that fits the schedule, of
// equally long ones that with the fewest missing attempts, then the closest.
func (s *Schedule) fit(deliveries []delivery, step time.Duration) (run, bool) {
	var best run
	waits := s.waits()
	if len(waits) == 0 || !s.valid(deliveries[0].at) {
		return best, false
	}
	for from := range len(deliveries) - 1 {
		for attempt := 1; attempt <= len(waits); attempt++ {
			r := s.follow(deliveries, from, attempt, waits, step)
			if len(r.attempts) >= 2 && better(r, best) {
				best = r
			}
		}
	}
	if len(best.attempts) < 2 || len(best.attempts) == 2 && best.skipped > 0 {
		return best, false
	}
	best.schedule = s
	best.accident = s.accidents(waits, len(best.attempts)-1, best.skipped, step) * float64(len(deliveries)-len(best.attempts)+1)
	return best, true
}

func better(a, b run) bool {
	return cmp.Or(cmp.Compare(len(a.attempts), len(b.attempts)), cmp.Compare(b.skipped, a.skipped), cmp.Compare(b.error, a.error)) > 0
}

// follow walks the deliveries along the schedule from one attempt on.
func (s *Schedule) follow(deliveries []delivery, from, attempt int, waits []time.Duration, step time.Duration) run {
	r := run{from: from, attempts: []int{attempt}}
	for i := from + 1; i < len(deliveries); i++ {
		gap := deliveries[i].at.Sub(deliveries[i-1].at)
		fitted := false
		var wait time.Duration
		for jump := 1; jump <= 1+skips && attempt-1+jump <= len(waits); jump++ {
			wait += waits[attempt-2+jump]
			low, high := s.bounds(wait, jump, step)
			if gap < low || gap > high {
				continue
			}
			attempt += jump
			r.attempts = append(r.attempts, attempt)
			r.waits = append(r.waits, wait)
			r.skipped += jump - 1
			r.error += math.Abs(float64(gap-wait)) / float64(max(wait, time.Second))
			fitted = true
			break
		}
		if !fitted {
			break
		}
	}
	return r
}

// bounds are the least and the widest gap that a wait over some attempts leaves.
func (s *Schedule) bounds(wait time.Duration, attempts int, step time.Duration) (low, high time.Duration) {
	jitter := time.Duration(float64(wait) * s.Tolerance)
	return wait - jitter - step, wait + jitter + step + time.Duration(attempts)*s.Timeout + time.Second
}

// accidents is how many paths of some gaps along the schedule a chain of
// random gaps is expected to fit.
func (s *Schedule) accidents(waits []time.Duration, gaps, skipped int, step time.Duration) float64 {
	reach := min(skips, skipped)
	// paths[a] is the expected number of fitting paths that end at attempt a.
	paths := make([]float64, len(waits)+1)
	for a := range paths {
		paths[a] = 1
	}
	for range gaps {
		next := make([]float64, len(paths))
		for a := range paths {
			var wait time.Duration
			for jump := 1; jump <= 1+reach && a+jump < len(paths); jump++ {
				wait += waits[a+jump-1]
				low, high := s.bounds(wait, jump, step)
				next[a+jump] += paths[a] * math.Log(float64(high)/float64(max(low, time.Second))) / spanned
			}
		}
		paths = next
	}
	sum := 0.0
	for _, p := range paths {
		sum += p
	}
	return sum
}

// document is the run as the case has it.
func (r run) document(deliveries []delivery, rows int) casefile.Fit {
	fit := casefile.Fit{
		Provider: r.schedule.Name, Name: r.schedule.Title, Gaps: len(r.waits), Strength: casefile.Possible, Says: r.says(),
		Attempts: make([]int, rows), WaitsUS: make([]int64, rows-1),
	}
	if r.likely() {
		fit.Strength = casefile.Likely
	}
	for i, attempt := range r.attempts {
		fit.Attempts[deliveries[r.from+i].row] = attempt
		if row := deliveries[r.from+i].row; i > 0 && row > 0 {
			fit.WaitsUS[row-1] = r.waits[i-1].Microseconds()
		}
	}
	return fit
}

// says is the sentence for people.
func (r run) says() string {
	return "fits " + r.schedule.Title + ", attempts " + numbers(r.attempts)
}

// numbers writes attempts as "3 and 4".
func numbers(attempts []int) string {
	words := make([]string, len(attempts))
	for i, a := range attempts {
		words[i] = fmt.Sprint(a)
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// windowsThatHold is the sentence for a provider that publishes no waits, "" where it has some.
func windowsThatHold(schedules []Schedule, deliveries []delivery) string {
	s := schedules[0]
	span := deliveries[len(deliveries)-1].at.Sub(deliveries[0].at)
	switch {
	case len(s.Cumulative) > 0:
		return ""
	case !s.automatic():
		return s.Title + " does not deliver again by itself, so this is no automatic retry of its"
	case !s.valid(deliveries[0].at):
		return "was written when the schedule of " + s.Title + " did not hold"
	case span > s.Window:
		return "spans " + Spell(span) + ", beyond the " + Spell(s.Window) + " for which " + s.Title + " goes on"
	}
	return "within the " + Spell(s.Window) + " for which " + s.Title + " goes on; it publishes no intervals, so no attempt is claimed"
}
