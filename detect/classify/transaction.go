package classify

import (
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

const (
	// longest is the longest transaction that its times are believed of: past
	// it, a row written again (a restore row by row) is likelier.
	longest = time.Hour
	// clockError is how far an application's clock may be off the server's for
	// a row to count as written when it says.
	clockError = time.Minute
)

// trusted tells whether a row's commit is that of its insert and agrees with
// the row's own time.
func trusted(e Evidence) bool {
	if e.Writer == nil || e.Writer.Committed.IsZero() || e.By != casefile.ByInsert {
		return false
	}
	return e.At == nil || e.Writer.Committed.Sub(e.At.Time).Abs() <= clockError
}

// began is when the row's transaction began, where the time column tells. A
// value without microseconds in a column that has them was not written by now().
func (f Facts) began(e Evidence) (time.Time, bool) {
	if e.At == nil || f.Writes != source.WritesStart || !f.Comparable {
		return time.Time{}, false
	}
	if f.Step <= time.Microsecond && e.At.Time.Nanosecond()%int(time.Millisecond) == 0 {
		return time.Time{}, false
	}
	return e.At.Time, true
}

// sameTransaction tells whether one transaction wrote both rows. A number or a
// commit time that they share is evidence only where it is the insert's.
func (f Facts) sameTransaction(a, b Evidence) (verdict, bool) {
	v := verdict{class: casefile.SameTransaction, strength: casefile.Likely}
	sameStart := f.sameStart(a, b)
	if a.Writer == nil || b.Writer == nil {
		return v, false
	}
	inserts := a.By == casefile.ByInsert && b.By == casefile.ByInsert
	dated := !a.Writer.Committed.IsZero() && !b.Writer.Committed.IsZero()
	sameCommit := dated && a.Writer.Committed.Equal(b.Writer.Committed)
	switch {
	case inserts && a.Writer.XID == b.Writer.XID:
		if a.At == nil || b.At == nil {
			return v, false // a restore leaves one number on every row, and no time tells it
		}
		v.proof = "one transaction inserted both rows"
		switch {
		case sameStart || trusted(a) && trusted(b):
			v.strength = casefile.Proven
		case !dated:
			v.strength = casefile.Possible
			v.unknown = []string{"whether that was the first insert, or a restore or a copy of the table"}
		}
	case inserts && sameCommit && sameStart:
		v.strength = casefile.Proven
		v.proof = "one transaction inserted both rows: they share its start and its commit, and differ in savepoints"
	case inserts && sameCommit:
		v.proof = "both rows were committed in the same microsecond, as savepoints of one transaction are"
		v.unknown = []string{"whether two transactions committed in the same microsecond"}
	case dated && !sameCommit && inserts:
		return v, false
	case sameStart:
		v.proof = "both rows carry the start of one transaction, the same to the microsecond"
		if !inserts || !dated {
			v.unknown = []string{"whether two transactions began in the same microsecond"}
		}
	default:
		return v, false
	}
	return v, true
}

// sameStart tells whether two rows carry one transaction's start, to the microsecond.
func (f Facts) sameStart(a, b Evidence) bool {
	return f.Writes == source.WritesStart && f.Step <= time.Microsecond && a.At != nil && b.At != nil && a.At.Time.Equal(b.At.Time) &&
		a.At.Time.Nanosecond()%int(time.Millisecond) != 0
}

// earlier is what the rows before one in its group say together.
type earlier struct {
	facts Facts
	rows  int
	// dated of them have a commit time; last is the latest, whatever it was of.
	dated int
	last  time.Time
	// inserted is the latest commit that is an insert's for sure, maybe the
	// latest that may be.
	inserted, maybe time.Time
}

func (s *earlier) add(e Evidence) {
	s.rows++
	if e.Writer == nil || e.Writer.Committed.IsZero() {
		return
	}
	committed := e.Writer.Committed
	s.dated++
	s.last = later(s.last, committed)
	if e.At == nil || committed.Before(e.At.Time.Add(-s.facts.margin())) || committed.Sub(e.At.Time) > longest {
		return // not the transaction that the row's time is of
	}
	switch e.By {
	case casefile.ByInsert:
		s.inserted = later(s.inserted, committed)
	case casefile.ByUnknown, casefile.ByUpdate:
		s.maybe = later(s.maybe, committed)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// margin is how far the time column may be off what it rounds.
func (f Facts) margin() time.Duration {
	if f.Step <= time.Microsecond {
		return 0
	}
	return f.Step
}

// judge sharpens a verdict by gap with what the transactions' times prove.
func (s *earlier) judge(before, row Evidence, v verdict) verdict {
	f := s.facts
	if !f.KeepsTimes || s.rows == 0 {
		return v
	}
	began, exact := f.began(row)
	if f.Writes == source.WritesStatement && f.Comparable && row.At != nil {
		began = row.At.Time // no later than this
	} else if !exact {
		return f.explain(before, row, v)
	}
	switch {
	case row.By == casefile.ByBulk:
		return f.explain(before, row, v)
	case began.Add(f.margin()).Before(s.inserted) && (row.Writer == nil || !row.Writer.Committed.Equal(s.inserted)):
		v.class, v.strength = casefile.Race, casefile.Proven
		v.proof = "the later transaction began " + Spell(s.inserted.Sub(began)) + " before the earlier one committed, so the two overlapped"
		v.unknown = nil
	case exact && s.dated == s.rows && began.Add(-f.margin()).After(s.last):
		v.sequential = true
		v.proof = "the later transaction began " + Spell(began.Sub(s.last)) + " after the earlier one had committed, so they did not race: the check for a row that is there already is missing, or it read a stale copy"
		switch {
		case v.wait+f.margin() <= f.Windows.Resubmit:
			v.class, v.strength = casefile.Resubmit, casefile.Proven
		case v.wait <= f.Windows.Resubmit: // the column may round a longer wait down to this
			v.class, v.strength = casefile.Resubmit, casefile.Likely
		}
		if v.wait <= f.Windows.Race {
			v.unknown = append(v.unknown, "whether the check ran in a transaction of its own before: two such checks can race though the inserts did not overlap")
		}
	case began.Add(f.margin()).Before(s.maybe) && v.class == casefile.Race:
		v.proof = "the later transaction began " + Spell(s.maybe.Sub(began)) + " before the commit that the earlier row carries"
		v.unknown = append(v.unknown, "whether that commit is the insert's or a later update's, so that an overlap is likely and not proven")
	default:
		return f.explain(before, row, v)
	}
	return v
}

// explain says why the transactions' times, which the server kept, prove nothing here.
func (f Facts) explain(before, row Evidence, v verdict) verdict {
	for _, e := range []Evidence{before, row} {
		switch {
		case e.Writer == nil:
		case e.Writer.Committed.IsZero():
			v.unknown = append(v.unknown, "when the rows were committed: the server keeps commit times, but none of theirs")
		case e.By == casefile.ByBulk || e.By == casefile.ByUpdate:
			v.unknown = append(v.unknown, "when the rows were inserted: "+e.How)
		case f.Writes != source.WritesStart:
			v.unknown = append(v.unknown, "when the transactions began: the time column does not say that")
		case !f.Comparable:
			v.unknown = append(v.unknown, "whether the transactions overlapped: the time column cannot be compared with the commit times, as it is in another zone or not of the same transactions")
		default:
			continue
		}
		break
	}
	return v
}
