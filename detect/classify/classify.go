// Package classify says what made each gap between the rows of a group, how
// sure that is, and why. It owns the windows and the words of the reasons.
//
// It must not know where rows come from, nor write a document.
package classify

import (
	"fmt"
	"slices"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
	"twinrow/detect/source"
)

// Windows are the limits between the classes, each inclusive.
type Windows struct {
	// Race is the widest gap that overlapping writers leave.
	Race time.Duration
	// Resubmit is the widest gap of a double click or a client's time-out.
	Resubmit time.Duration
	// Horizon is the widest gap of an automatic redelivery.
	Horizon time.Duration
}

// DefaultWindows are those of the design: a second, a minute, and the three
// days after which the longest common provider stops redelivering (Stripe).
var DefaultWindows = Windows{Race: time.Second, Resubmit: time.Minute, Horizon: 72 * time.Hour}

// Check refuses windows that are not positive and in ascending order.
func (w Windows) Check() error {
	if w.Race > 0 && w.Race < w.Resubmit && w.Resubmit < w.Horizon {
		return nil
	}
	return &key.Problem{
		Code:    key.CodeUsage,
		Message: fmt.Sprintf("the windows do not ascend: race %s, resubmit %s, retry horizon %s", Spell(w.Race), Spell(w.Resubmit), Spell(w.Horizon)),
		Hint:    "give --race-window below --resubmit-window below --retry-horizon",
	}
}

// Group fills in the gaps and classes of a group and its rows, the strength
// and the reasons. times belong to the rows, nil where there is none; the rows
// are in order of time already. step is the measured resolution of the time
// column: the least difference that it can show.
func Group(g *casefile.Group, times []*source.Instant, step time.Duration, w Windows) {
	gaps := measure(g, times, w)
	if len(times) > 0 && times[0] != nil && times[len(times)-1] != nil {
		g.SpanUS = microseconds(times[len(times)-1].Time.Sub(times[0].Time))
	}
	smallest := smallestGap(gaps)
	if smallest == nil {
		g.Class, g.Strength = casefile.UntimedClass, casefile.Possible
		g.Reasons = []string{"no two rows with a usable time to compare"}
		return
	}
	g.Class = smallest.class
	g.Strength = strength(smallest.wait, smallest.class, step)
	g.Reasons = append(g.Reasons, reason(*smallest, len(g.Rows), w))
	g.Reasons = append(g.Reasons, otherReasons(gaps, g.Class)...)
	g.Mixed = len(g.Reasons) > 1
	g.Unknown = append(g.Unknown, limits(*smallest, times, step)...)
}

type gap struct {
	wait  time.Duration
	class casefile.Class
}

// measure sets each row's gap and class and returns the gaps that have a time.
func measure(g *casefile.Group, times []*source.Instant, w Windows) []gap {
	var gaps []gap
	for i := 1; i < len(g.Rows); i++ {
		class := casefile.UntimedClass
		if times[i-1] != nil && times[i] != nil {
			wait := times[i].Time.Sub(times[i-1].Time)
			class = w.class(wait)
			g.Rows[i].GapUS = microseconds(wait)
			gaps = append(gaps, gap{wait, class})
		} else {
			gaps = append(gaps, gap{-1, class})
		}
		g.Rows[i].Class = &class
	}
	return gaps
}

func (w Windows) class(wait time.Duration) casefile.Class {
	switch {
	case wait <= w.Race:
		return casefile.Race
	case wait <= w.Resubmit:
		return casefile.Resubmit
	case wait <= w.Horizon:
		return casefile.Retry
	default:
		return casefile.Replay
	}
}

func smallestGap(gaps []gap) *gap {
	var smallest *gap
	for i := range gaps {
		if gaps[i].class != casefile.UntimedClass && (smallest == nil || gaps[i].wait < smallest.wait) {
			smallest = &gaps[i]
		}
	}
	return smallest
}

// strength: a gap alone proves nothing. Milliseconds make a race likely, as
// long as the clock shows them; minutes and hours fit too many causes.
func strength(wait time.Duration, class casefile.Class, step time.Duration) casefile.Strength {
	if class == casefile.Race && step < time.Second && wait >= step {
		return casefile.Likely
	}
	return casefile.Possible
}

func reason(g gap, rows int, w Windows) string {
	apart := Spell(g.wait) + " apart"
	if rows > 2 {
		apart = "the nearest two rows are " + apart
	}
	switch g.class {
	case casefile.Race:
		return apart + ", within the race window of " + Spell(w.Race)
	case casefile.Resubmit:
		return apart + ", beyond the race window of " + Spell(w.Race) + " and within the resubmit window of " + Spell(w.Resubmit)
	case casefile.Retry:
		return apart + ", beyond the resubmit window of " + Spell(w.Resubmit) + " and within the retry horizon of " + Spell(w.Horizon)
	default:
		return apart + ", beyond the retry horizon of " + Spell(w.Horizon)
	}
}

// otherReasons names the classes of a group beside its own, each by its smallest gap.
func otherReasons(gaps []gap, own casefile.Class) []string {
	var reasons []string
	for _, class := range casefile.Classes {
		if class == own {
			continue
		}
		var of []gap
		for _, g := range gaps {
			if g.class == class {
				of = append(of, g)
			}
		}
		switch {
		case len(of) == 0:
		case class == casefile.UntimedClass:
			reasons = append(reasons, fmt.Sprintf("%s without a usable time", count(len(of), "row")))
		default:
			least := slices.MinFunc(of, func(a, b gap) int { return int(a.wait/time.Nanosecond) - int(b.wait/time.Nanosecond) })
			reasons = append(reasons, fmt.Sprintf("%s of %s: %s", count(len(of), "other gap"), class, Spell(least.wait)))
		}
	}
	return reasons
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// limits says what the times themselves cannot show.
func limits(smallest gap, times []*source.Instant, step time.Duration) []string {
	var unknown []string
	if smallest.wait < step || step >= time.Second && smallest.class == casefile.Race {
		unknown = append(unknown, fmt.Sprintf("the time column shows steps of %s, so the gap is %s ± %s", Spell(step), Spell(smallest.wait), Spell(step)))
	}
	if slices.ContainsFunc(times, func(t *source.Instant) bool { return t != nil && !t.Zoned }) {
		unknown = append(unknown, "the time column names no zone; UTC was assumed")
	}
	return unknown
}

func microseconds(d time.Duration) *int64 {
	us := d.Microseconds()
	return &us
}
