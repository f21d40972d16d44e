package classify

import (
	"fmt"
	"slices"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

// reasons are the sentences for the verdict that a group goes by.
func (f Facts) reasons(v verdict, rows int) []string {
	var out []string
	if v.proof != "" {
		out = append(out, v.proof)
	}
	if !v.timed {
		return out
	}
	apart := spellBeside(v.wait, f.Windows.limit(v.wait)) + " apart"
	if v.byCommit {
		apart = "committed " + apart + " by the server's clock"
	}
	if rows > 2 {
		apart = "the nearest two rows are " + apart
	}
	if v.class == casefile.SameTransaction || v.class != f.Windows.class(v.wait) {
		return append(out, apart)
	}
	return append(out, apart+", "+f.Windows.place(v.class))
}

// limit is the window that a wait just exceeds, or the last one.
func (w Windows) limit(wait time.Duration) time.Duration {
	switch w.class(wait) {
	case casefile.Race, casefile.Resubmit:
		return w.Race
	case casefile.Retry:
		return w.Resubmit
	default:
		return w.Horizon
	}
}

// place says where a class lies between the windows.
func (w Windows) place(class casefile.Class) string {
	switch class {
	case casefile.Race:
		return "within the race window of " + Spell(w.Race)
	case casefile.Resubmit:
		return "beyond the race window of " + Spell(w.Race) + " and within the resubmit window of " + Spell(w.Resubmit)
	case casefile.Retry:
		return "beyond the resubmit window of " + Spell(w.Resubmit) + " and within the retry horizon of " + Spell(w.Horizon)
	default:
		return "beyond the retry horizon of " + Spell(w.Horizon)
	}
}

// otherReasons names the classes of a group beside its own, each by its smallest gap.
func otherReasons(verdicts []verdict, own casefile.Class) []string {
	var reasons []string
	for _, class := range casefile.Classes {
		if class == own {
			continue
		}
		var least *verdict
		n := 0
		for i, v := range verdicts {
			if v.class == class {
				if n++; least == nil || v.wait < least.wait {
					least = &verdicts[i]
				}
			}
		}
		switch {
		case n == 0:
		case n > 1 && class != casefile.UntimedClass:
			reasons = append(reasons, fmt.Sprintf("%s of %s, the least %s", casefile.Count(n, "other gap"), class, Spell(least.wait)))
		case class == casefile.UntimedClass:
			reasons = append(reasons, casefile.Count(n, "row")+" without a usable time")
		default:
			reasons = append(reasons, fmt.Sprintf("%s of %s: %s", casefile.Count(n, "other gap"), class, Spell(least.wait)))
		}
	}
	return reasons
}

// limits says what the times themselves cannot show.
func (f Facts) limits(v verdict, rows []Evidence) []string {
	var unknown []string
	coarse := v.wait < f.Step || f.Step >= time.Second && f.Windows.class(v.wait) == casefile.Race
	if v.timed && !v.byCommit && coarse && v.strength != casefile.Proven {
		unknown = append(unknown, fmt.Sprintf("the time column shows steps of %s, so the gap is %s ± %s", Spell(f.Step), spellBare(v.wait), Spell(f.Step)))
	}
	if slices.ContainsFunc(rows, func(e Evidence) bool { return e.At != nil && !e.At.Zoned }) && !f.Comparable {
		unknown = append(unknown, "the time column names no zone; UTC was assumed")
	}
	if f.Disordered && !v.byCommit && f.Writes != source.WritesStart && v.strength != casefile.Proven {
		unknown = append(unknown, "whose clock each row carries: ids and times of the table run in different orders, which points to several clocks")
	}
	return unknown
}

// spellBare is Spell, but for nothing at all, which needs no unit.
func spellBare(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	return Spell(d)
}
