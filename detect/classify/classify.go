// Package classify says what made each gap between the rows of a group, how
// sure that is, and why: from the transactions where the source kept their
// times, from the gaps else. It owns the windows, the retry schedules, the
// words of the reasons, and what the groups of a table say together.
//
// It must not know where rows come from, nor write a document.
package classify

import (
	"fmt"
	"math"
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

// Evidence is what is known of one row's writing.
type Evidence struct {
	// At is the row's time, nil where it has none; Value is what stands in the
	// time column.
	At    *source.Instant
	Value source.Value
	// Writer is the row's transaction, nil where the source keeps none.
	Writer *source.Writer
	// By and How are filled in by Judge: what the transaction did to the row.
	By  casefile.WrittenBy
	How string
	// ID is the row's id where it is one whole number that grows, else nil.
	ID *int64
	// UpdatedAt is the row's own time of its last change, nil where there is none.
	UpdatedAt *source.Instant
}

// Facts hold for all groups of a table.
type Facts struct {
	Windows Windows
	// Step is the measured resolution of the time column: the least
	// difference that it can show.
	Step time.Duration
	// Writes is what writes the time column, one of source's constants, or "".
	Writes string
	// KeepsTimes is true where the source kept the times of commits.
	KeepsTimes bool
	// Comparable is true where the time column can be compared with the times
	// of commits: it names its zone, or its values agree with UTC.
	Comparable bool
	// Disordered is true where rows are out of order by id and time, which
	// points to several clocks.
	Disordered bool
	// Schedules are the providers' that gaps are tried against.
	Schedules []Schedule
}

// Group fills in the gaps and classes of a group and its rows, the strength
// and the reasons. rows belong to the group's rows and are in order of time already.
func Group(g *casefile.Group, rows []Evidence, f Facts) {
	verdicts := f.verdicts(g, rows)
	if first, last := rows[0].At, rows[len(rows)-1].At; first != nil && last != nil {
		g.SpanUS = microseconds(first.Time, last.Time)
	}
	f.fit(g, rows, verdicts)
	for i, v := range verdicts {
		g.Rows[i+1].Class, g.Rows[i+1].Strength = new(v.class), v.strength
	}
	smallest := smallestOf(verdicts)
	if smallest == nil {
		g.Class, g.Strength = casefile.UntimedClass, casefile.Possible
		g.Reasons = append([]string{"no two rows with a usable time to compare"}, g.Reasons...)
		for _, v := range verdicts {
			g.Unknown = appendNew(g.Unknown, v.unknown)
		}
		return
	}
	g.Class, g.Strength = smallest.class, smallest.strength
	others := otherReasons(verdicts, g.Class)
	g.Mixed = len(others) > 0
	g.Reasons = slices.Concat(f.reasons(*smallest, len(g.Rows)), others, g.Reasons)
	g.Unknown = append(g.Unknown, f.limits(*smallest, rows)...)
	g.Unknown = appendNew(g.Unknown, smallest.unknown)
}

// appendNew adds the sentences that are not said yet.
func appendNew(said, more []string) []string {
	for _, sentence := range more {
		if !slices.Contains(said, sentence) {
			said = append(said, sentence)
		}
	}
	return said
}

// verdict is what is said of one gap.
type verdict struct {
	// wait is the gap that the class goes by; timed is false where there is none.
	wait  time.Duration
	timed bool

	class    casefile.Class
	strength casefile.Strength
	// proof is a sentence about the transactions, "" where they say nothing.
	proof   string
	unknown []string
	// sequential is true where the second is proven to have begun after the first.
	sequential bool
	// byCommit is true where wait is between commits, as the time column's clock is nobody's.
	byCommit bool
}

// verdicts judges every gap of a group and sets the rows' gaps.
func (f Facts) verdicts(g *casefile.Group, rows []Evidence) []verdict {
	out := make([]verdict, 0, len(rows)-1)
	seen := earlier{facts: f}
	for i := 1; i < len(rows); i++ {
		seen.add(rows[i-1])
		if rows[i-1].At != nil && rows[i].At != nil {
			g.Rows[i].GapUS = microseconds(rows[i-1].At.Time, rows[i].At.Time)
		}
		out = append(out, f.verdict(rows[i-1], rows[i], &seen))
	}
	return out
}

// verdict judges one gap: by the transactions first, then by its width.
func (f Facts) verdict(before, row Evidence, seen *earlier) verdict {
	v := f.byGap(before, row)
	if same, ok := f.sameTransaction(before, row); ok {
		same.wait, same.timed = v.wait, v.timed
		return same
	}
	return seen.judge(before, row, v)
}

// byGap classes a gap by its width alone.
func (f Facts) byGap(before, row Evidence) verdict {
	v := verdict{class: casefile.UntimedClass, strength: casefile.Possible}
	if before.At != nil && row.At != nil {
		v.wait, v.timed = row.At.Time.Sub(before.At.Time), true
	}
	if f.Writes != source.WritesStart && f.Writes != source.WritesStatement && trusted(before) && trusted(row) && before.Writer.XID != row.Writer.XID {
		// The server's one clock against those of who knows how many.
		v.wait, v.timed, v.byCommit = row.Writer.Committed.Sub(before.Writer.Committed).Abs(), true, true
	}
	if !v.timed {
		if before.Writer != nil && row.Writer != nil && before.Writer.XID == row.Writer.XID {
			v.unknown = append(v.unknown, "whether the transaction that both rows carry was their first insert, or a restore or a copy of the table")
		}
		return v
	}
	v.class = f.Windows.class(v.wait)
	v.strength = f.strength(v)
	return v
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

// strength: a gap alone proves nothing. Milliseconds make a race likely, as
// long as one clock shows them; minutes and hours fit too many causes.
func (f Facts) strength(v verdict) casefile.Strength {
	oneClock := v.byCommit || !f.Disordered
	fine := v.byCommit || f.Step < time.Second && v.wait >= f.Step
	if v.class == casefile.Race && fine && oneClock {
		return casefile.Likely
	}
	return casefile.Possible
}

// smallestOf is the verdict that the group goes by: that of its smallest gap,
// and of equal ones the surest.
func smallestOf(verdicts []verdict) *verdict {
	var smallest *verdict
	for i := range verdicts {
		v := &verdicts[i]
		switch {
		case v.class == casefile.UntimedClass:
		case smallest == nil || v.wait < smallest.wait,
			v.wait == smallest.wait && rank(v.strength) < rank(smallest.strength):
			smallest = v
		}
	}
	return smallest
}

func rank(s casefile.Strength) int {
	return slices.Index([]casefile.Strength{casefile.Proven, casefile.Likely, casefile.Possible}, s)
}

// microseconds are those between two times, also over more than the 292 years
// that a duration can hold.
func microseconds(from, to time.Time) *int64 {
	if d := to.Sub(from); d < math.MaxInt64 && d > math.MinInt64 {
		return new(d.Microseconds())
	}
	return new(to.UnixMicro() - from.UnixMicro())
}
