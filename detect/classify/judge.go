package classify

import (
	"fmt"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

// Table is what Judge has to know of a table beside its rows.
type Table struct {
	Transactions source.Transactions
	// Rows were all rows of the table; -1 where only some were read.
	Rows int64
	// Now is when the rows were read.
	Now time.Time
	// UpdatedAt names the column of UpdatedAt, "" where there is none.
	UpdatedAt string
}

// Judge says of every row what its transaction did to it: inserted it, changed
// it later, or wrote it together with rows of other times. rows are those of
// all groups, for what one transaction did elsewhere tells of it here.
func Judge(rows []*Evidence, f Facts, t Table) {
	j := &judging{facts: f, table: t, byXID: map[string]*spread{}, byCommit: map[time.Time]*spread{}}
	never := t.Transactions.Updated == 0 && t.Rows >= 0 && t.Transactions.Inserted-t.Transactions.Deleted >= t.Rows
	j.neverUpdated = never && t.Transactions.Deleted >= 0
	for _, e := range rows {
		j.note(e)
	}
	for _, e := range rows {
		if e.Writer != nil {
			e.By, e.How = j.judge(e)
		}
	}
}

// spread is how far the times of one transaction's rows reach.
type spread struct {
	first, last time.Time
	rows        int
}

// crowd is how many rows of several transactions never share a commit time by
// accident; two do, on a busy server.
const crowd = 5

type judging struct {
	facts        Facts
	table        Table
	neverUpdated bool
	// keptUpdatedAt is true where some row shows that its UpdatedAt is kept.
	keptUpdatedAt bool
	// nearest is how soon after its own time a row was committed, at least;
	// late counts the rows of which that is known.
	nearest  time.Duration
	late     int
	byXID    map[string]*spread
	byCommit map[time.Time]*spread
	// said is what was said last of a transaction that wrote rows so far apart.
	said   *string
	saidOf time.Duration
}

func (j *judging) note(e *Evidence) {
	if e.UpdatedAt != nil && e.At != nil && e.UpdatedAt.Time.After(e.At.Time.Add(j.facts.Step)) {
		j.keptUpdatedAt = true
	}
	if e.Writer == nil || e.At == nil {
		return
	}
	widen(j.byXID, e.Writer.XID, e.At.Time)
	if !e.Writer.Committed.IsZero() {
		widen(j.byCommit, e.Writer.Committed, e.At.Time)
		if late := e.Writer.Committed.Sub(e.At.Time); e.At.Zoned && (j.late == 0 || late < j.nearest) {
			j.nearest = late
		}
		j.late++
	}
}

func widen[K comparable](spreads map[K]*spread, of K, at time.Time) {
	s := spreads[of]
	if s == nil {
		spreads[of] = &spread{at, at, 1}
		return
	}
	s.rows++
	if at.Before(s.first) {
		s.first = at
	}
	if at.After(s.last) {
		s.last = at
	}
}

// judge decides for one row. What wrote rows of several times is looked at
// first: neither statistics nor flags tell a restore from an insert.
func (j *judging) judge(e *Evidence) (casefile.WrittenBy, string) {
	if by, how, ok := j.bulk(e); ok {
		return by, how
	}
	switch {
	case e.Writer.Updated != nil && *e.Writer.Updated:
		return casefile.ByUpdate, "the row itself says that an UPDATE made this version of it"
	case e.Writer.Updated != nil:
		return casefile.ByInsert, "the row itself says that no UPDATE made it"
	case j.neverUpdated && j.counted(e):
		return casefile.ByInsert, "no row of the table was updated since its statistics began, and they count every row"
	case e.UpdatedAt != nil && e.At != nil && e.UpdatedAt.Time.After(e.At.Time.Add(j.facts.Step)):
		return casefile.ByUpdate, j.table.UpdatedAt + " is later than the row's own time"
	case e.UpdatedAt != nil && e.At != nil && e.UpdatedAt.Time.Equal(e.At.Time) && j.keptUpdatedAt:
		return casefile.ByInsert, j.table.UpdatedAt + " equals the row's own time, and other rows show that it is kept"
	}
	return casefile.ByUnknown, "nothing tells whether the row was updated since it was inserted"
}

// settled is how old a commit must be for the statistics of busy sessions to
// hold what followed it.
const settled = time.Minute

// counted tells whether an update that followed the row's commit would stand
// in the statistics by now.
func (j *judging) counted(e *Evidence) bool {
	if !j.table.Transactions.Lagging {
		return true
	}
	return !e.Writer.Committed.IsZero() && j.table.Now.Sub(e.Writer.Committed) > settled
}

// bulk recognises a transaction that wrote rows of several times: a restore,
// CREATE TABLE AS, an import, or an UPDATE of many rows. Within one
// transaction now() never moves, and other clocks move by its length.
func (j *judging) bulk(e *Evidence) (casefile.WrittenBy, string, bool) {
	limit := clockError
	if j.facts.Writes == source.WritesStart {
		limit = 0
	}
	widest := time.Duration(0)
	if s := j.byXID[e.Writer.XID]; s != nil {
		widest = s.last.Sub(s.first)
	}
	if s := j.byCommit[e.Writer.Committed]; s != nil && s.rows >= crowd {
		widest = max(widest, s.last.Sub(s.first))
	}
	if widest > limit {
		return casefile.ByBulk, j.sayWidest(widest), true
	}
	if e.At == nil || e.Writer.Committed.IsZero() || !e.At.Zoned && !j.facts.Comparable {
		return "", "", false
	}
	late := e.Writer.Committed.Sub(e.At.Time)
	switch {
	case j.nearest >= nearestCommit && (e.Writer.Updated == nil || !*e.Writer.Updated):
		return casefile.ByBulk, "every row was committed " + Spell(j.nearest) + " after its own time or later, so all were written again, as a restore row by row does", true
	case late > longest && (e.Writer.Updated == nil || !*e.Writer.Updated) && (j.neverUpdated || e.Writer.Updated != nil):
		return casefile.ByBulk, "the row was committed " + Spell(late) + " after its own time, so it was written again or brings its time along", true
	case late > longest:
		return casefile.ByUpdate, "the row was committed " + Spell(late) + " after its own time", true
	case late < -clockError:
		return casefile.ByUnknown, "the row was committed " + Spell(-late) + " before its own time, so that time is not the transaction's", true
	}
	return "", "", false
}

// sayWidest says the same of all rows of one transaction, which may be a
// million, in one text.
func (j *judging) sayWidest(widest time.Duration) string {
	if j.said == nil || j.saidOf != widest {
		j.saidOf = widest
		j.said = new(fmt.Sprintf("the transaction that wrote them also wrote rows of other times, up to %s apart, as a restore, a copy of the table or an UPDATE of many rows does", Spell(widest)))
	}
	return *j.said
}

// nearestCommit is how soon at least one row of a table must have been
// committed after its own time for those times to be the transactions': where
// every row came later, all were written again, or brought their times along.
const nearestCommit = 5 * time.Second

// ComparableTimes tells whether the time column can be compared with the times
// of commits: some value lies close before its commit, and none after it where
// the column names no zone, which no other zone than UTC does.
func ComparableTimes(rows []*Evidence) bool {
	zoned, nearest, dated := true, time.Duration(0), false
	for _, e := range rows {
		if e.At == nil {
			continue
		}
		zoned = zoned && e.At.Zoned
		if e.Writer == nil || e.Writer.Committed.IsZero() {
			continue
		}
		late := e.Writer.Committed.Sub(e.At.Time)
		if !dated || late < nearest {
			nearest, dated = late, true
		}
	}
	if !dated {
		return zoned
	}
	return nearest < nearestCommit && (zoned || nearest > -time.Second)
}

// Document is what a row's evidence looks like in the case; nil where there is none.
func (f Facts) Document(e Evidence) *casefile.Written {
	if e.Writer == nil {
		return nil
	}
	out := &casefile.Written{XID: e.Writer.XID, By: e.By, How: e.How}
	const layout = "2006-01-02T15:04:05.000000Z"
	if !e.Writer.Committed.IsZero() {
		out.Committed = new(e.Writer.Committed.UTC().Format(layout))
	}
	if began, ok := f.began(e); ok {
		out.Began = new(began.UTC().Format(layout))
	}
	return out
}
