package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
)

// back is the work table of the rows that are put back.
func (s SQLite) back() string { return s.workName("back") }

// Backs take the steps back, in the order of the other engine's.
func (s SQLite) Backs() (survivors, others []Back) {
	return backsOf(s.Work, func(step numberedStep) Back {
		if step.did == "deleted" {
			return s.insertBack(step)
		}
		return s.updateBack(step)
	})
}

// asLeft joins the rows t of a table to those that a step left, a, unless a
// later step of this entry changed them again. A row that somebody changed
// since is still found, if not in the very columns that the step changed.
func (s SQLite) asLeft(step numberedStep) (from string) {
	t := s.table(step.table)
	same := append(t.sameKept("a"), sameValues("t", "a", s.tells(t, step))...)
	return s.changes(t.name) + " AS a JOIN " + t.target() + " AS t ON " + concat(same, " AND ") + " WHERE " + s.taken(t, "a", step.number, didAfter)
}

// tells are the columns by which a row is seen to be as a step left it: those
// that it changed. Where a row is known by its rowid alone it is every column,
// because VACUUM gives the rowids of such a table to other rows.
func (s SQLite) tells(t stored, step numberedStep) []string {
	if t.keepsRowid() && !t.movable() {
		return t.writable()
	}
	return ownColumns(s.Work, step)
}

// updateBack gives rows their former values. A row that somebody changed since
// keeps that change, unless it is about the very columns that this case changed.
func (s SQLite) updateBack(step numberedStep) Back {
	t := s.table(step.table)
	m, own, changes := t.meta(), ownColumns(s.Work, step), s.changes(t.name)
	var sets []string
	for _, c := range t.writable() {
		column := queries.Ident(c)
		if slices.Contains(own, c) {
			sets = append(sets, column+" = b."+column)
		} else {
			sets = append(sets, column+" = iif(k.whole, b."+column+", c."+column+")")
		}
	}
	before := s.back() + " AS k JOIN " + changes + " AS b ON b." + m.group + " = k.group_no AND b." + m.row + " = k.row_no AND " + s.taken(t, "b", step.number, didBefore)
	there := append(t.sameKept("b"), sameValues("t", "b", t.writable())...)
	return Back{
		Table: t.name, number: step.number,
		Prepare: []string{
			"DROP TABLE IF EXISTS " + s.back(),
			"CREATE TABLE " + s.back() + " (group_no, row_no, whole, " + strings.Join(numbers("place_", len(t.places)), ", ") + ", UNIQUE (group_no, row_no))",
			"INSERT INTO " + s.back() + " SELECT a." + m.group + ", a." + m.row + ", " + concat(sameValues("t", "a", t.writable()), " AND ") + ", " + prefixed("t.", t.quoted()) + " FROM " + s.asLeft(step),
			"UPDATE " + t.target() + " AS c SET " + strings.Join(sets, ",\n  ") + "\n  FROM " + before + " WHERE " + t.at("c", "k.place_"),
		},
		SQL: "SELECT (SELECT count(*) FROM " + changes + " AS a WHERE " + s.taken(t, "a", step.number, didAfter) + ") AS want, (SELECT count(*) FROM " + s.back() + ") AS got,\n" +
			"  (SELECT count(*) FROM " + before + " WHERE k.whole AND NOT EXISTS (SELECT 1 FROM " + t.target() + " AS t WHERE " + concat(there, " AND ") + ")) AS lost",
	}
}

// insertBack puts rows that were deleted back.
func (s SQLite) insertBack(step numberedStep) Back {
	t := s.table(step.table)
	taken := s.changes(t.name) + " AS q WHERE " + s.taken(t, "q", step.number, didDelete)
	into, from := t.restored("q")
	place := "EXISTS (SELECT 1 FROM " + t.target() + " AS t WHERE " + concat(t.sameKept("q"), " AND ") + ")"
	same := "EXISTS (SELECT 1 FROM " + t.target() + " AS t WHERE " + concat(append(t.sameKept("q"), sameValues("t", "q", t.writable())...), " AND ") + ")"
	return Back{
		Table: t.name, number: step.number,
		Prepare: append(t.makeRoom(s.changes(t.name), s.taken(t, "q", step.number, didDelete)),
			"INSERT INTO "+t.target()+" ("+strings.Join(into, ", ")+")\n  SELECT "+strings.Join(from, ", ")+" FROM "+taken+" ORDER BY q."+t.meta().group+", q."+t.meta().row),
		SQL: fmt.Sprintf("SELECT (SELECT count(*) FROM %[1]s) AS want, (SELECT count(*) FROM %[1]s AND %[2]s) AS got, (SELECT count(*) FROM %[1]s AND %[2]s AND NOT %[3]s) AS lost",
			taken, place, same),
	}
}

// movable tells whether a row may come back under another rowid: where people
// know it by columns, the rowid was only its place, which SQLite gives to the
// next row once the last ones are gone.
func (t stored) movable() bool {
	return t.keepsRowid() && !slices.Equal(t.ids(), []string{queries.Ident(t.meta().rowid)})
}

// makeRoom gives kept rows q, for which a condition holds, new rowids where
// other rows have taken theirs: past all that there are.
func (t stored) makeRoom(kept, condition string) []string {
	if !t.movable() {
		return nil
	}
	place, rowid := t.quoted()[0], t.meta().rowid
	top := "SELECT max(m.top) FROM (SELECT max(t." + place + ") AS top FROM " + t.target() + " AS t UNION ALL SELECT max(k." + rowid + ") FROM " + kept + " AS k) AS m"
	return []string{"UPDATE " + kept + " AS q SET " + rowid + " = (" + top + ") + q." + place + "\n" +
		"  WHERE " + condition + " AND EXISTS (SELECT 1 FROM " + t.target() + " AS t WHERE " + concat(t.sameKept("q"), " AND ") + ")"}
}

// restored are the columns that a row which comes back is given, and their
// values in what is kept of it.
func (t stored) restored(kept string) (into, from []string) {
	if t.keepsRowid() {
		into, from = append(into, t.quoted()[0]), append(from, kept+"."+t.meta().rowid)
	}
	for _, c := range t.writable() {
		into, from = append(into, queries.Ident(c)), append(from, kept+"."+queries.Ident(c))
	}
	return into, from
}
