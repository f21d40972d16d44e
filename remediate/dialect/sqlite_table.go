package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// rowidNames are the names that SQLite has for the rowid.
var rowidNames = []string{"rowid", "_rowid_", "oid"}

// stored is a table whose rows a plan changes, with what finds a row again.
type stored struct {
	name    string
	columns []plan.Column
	// places are the rowid, or the primary key; id identifies a row for people.
	places, id []string
}

// childStored is a table that refers. A single INTEGER primary key is the
// rowid by another name, and moves with a change of it.
func childStored(name string, child *plan.Child) stored {
	t := stored{name: name, columns: child.Columns, places: child.ID, id: child.ID}
	whole := len(child.ID) == 1 && slices.ContainsFunc(child.Columns, func(c plan.Column) bool { return c.Name == child.ID[0] && strings.EqualFold(c.Type, "INTEGER") })
	if child.Rowid != "" && !whole {
		t.places = []string{child.Rowid}
	}
	return t
}

func (t stored) target() string { return "main." + queries.Ident(t.name) }

func (t stored) has(column string) bool {
	return slices.ContainsFunc(t.columns, func(c plan.Column) bool { return c.Name == column })
}

// ident quotes a column; a rowid's own name is written bare, because quoted it
// could be taken for a string.
func (t stored) ident(column string) string {
	if !t.has(column) && slices.Contains(rowidNames, strings.ToLower(column)) {
		return column
	}
	return queries.Ident(column)
}

func (t stored) quoted() []string {
	quoted := make([]string, len(t.places))
	for i, p := range t.places {
		quoted[i] = t.ident(p)
	}
	return quoted
}

// keepsRowid tells whether a restored row is given its rowid: where there is
// one that is no column of the table.
func (t stored) keepsRowid() bool { return len(t.places) == 1 && !t.has(t.places[0]) }

// writable are the columns that a restored row is given.
func (t stored) writable() []string {
	var names []string
	for _, c := range t.columns {
		if !c.Generated {
			names = append(names, c.Name)
		}
	}
	return names
}

// at joins the table under an alias to places that are numbered columns, as "h.place_".
func (t stored) at(alias, numbered string) string {
	parts := make([]string, len(t.places))
	for i, p := range t.quoted() {
		parts[i] = fmt.Sprintf("%s.%s IS %s%d", alias, p, numbered, i+1)
	}
	return strings.Join(parts, " AND ")
}

// sameKept joins the table, t, to kept rows by their place.
func (t stored) sameKept(kept string) []string {
	if t.keepsRowid() {
		return []string{"t." + t.quoted()[0] + " = " + kept + "." + t.meta().rowid}
	}
	var same []string
	for _, p := range t.quoted() {
		same = append(same, "t."+p+" IS "+kept+"."+p)
	}
	return same
}

// ids are the columns that identify a row where it is kept.
func (t stored) ids() []string {
	if len(t.id) == 0 || slices.ContainsFunc(t.id, func(c string) bool { return !t.has(c) }) {
		return []string{queries.Ident(t.meta().rowid)}
	}
	return quotedAll(t.id)
}

// sameRow are the conditions that two kept rows are of one row.
func (t stored) sameRow(a, b string) []string {
	var same []string
	for _, c := range t.ids() {
		same = append(same, a+"."+c+" IS "+b+"."+c)
	}
	return same
}

// sameValues are the conditions that two rows are the same, by type and by bytes.
func sameValues(a, b string, columns []string) []string {
	var same []string
	for _, c := range columns {
		left, right := a+"."+queries.Ident(c), b+"."+queries.Ident(c)
		same = append(same, "(typeof("+left+") = typeof("+right+") AND CAST("+left+" AS BLOB) IS CAST("+right+" AS BLOB))")
	}
	return same
}

// placeIn compares the table's place with those of a query.
func (t stored) placeIn(query string) string {
	if len(t.places) == 1 {
		return t.quoted()[0] + " IN (" + query + ")"
	}
	return "(" + strings.Join(t.quoted(), ", ") + ") IN (" + query + ")"
}

// rowid is the rowid to keep of a row under an alias, NULL where it is a column.
func (t stored) rowid(alias string) string {
	if t.keepsRowid() {
		return alias + "." + t.quoted()[0]
	}
	return "NULL"
}

// metaColumns name what is kept beside a row.
type metaColumns struct {
	entry, group, row, rowID, survivor, takenAt, rowid string
	// step, did, ofGroup and ofRow are of rows that are changed; the last two
	// say which row of the plan it is, where it is one.
	step, did, ofGroup, ofRow string
}

// meta are names that no column of the table has.
func (t stored) meta() metaColumns {
	prefix := "twinrow_"
	for slices.ContainsFunc(t.columns, func(c plan.Column) bool { return strings.HasPrefix(strings.ToLower(c.Name), prefix) }) {
		prefix += "_"
	}
	return metaColumns{
		prefix + "entry", prefix + "group", prefix + "row", prefix + "row_id", prefix + "survivor", prefix + "taken_at", prefix + "rowid",
		prefix + "step", prefix + "did", prefix + "of_group", prefix + "of_row",
	}
}

// quarantined are the columns of the quarantine, in their order.
func (t stored) quarantined() []string {
	m := t.meta()
	return append([]string{m.entry, m.group, m.row, m.rowID, m.survivor, m.takenAt, m.rowid}, t.writable()...)
}

// kept are the columns of the table that keeps changed rows, in their order.
func (t stored) kept() []string {
	m := t.meta()
	return append([]string{m.entry, m.step, m.group, m.row, m.did, m.ofGroup, m.ofRow, m.takenAt, m.rowid}, t.writable()...)
}

// createKept makes a table for rows that are kept where it is not there yet.
// Its columns have no types, so that every value keeps the one it has.
func createKept(name string, columns, unique []string) string {
	return "CREATE TABLE IF NOT EXISTS main." + queries.Ident(name) + " (" + queries.Idents(columns) + ", UNIQUE (" + queries.Idents(unique) + "))"
}

// createKeptWhere does so where a condition holds; where it does not, the
// statement itself fails, so that a client that goes on after an error leaves
// no empty table behind.
func createKeptWhere(name string, columns, unique []string, condition string) []string {
	nulls := make([]string, len(columns))
	for i, c := range columns {
		nulls[i] = "NULL AS " + queries.Ident(c)
	}
	return []string{
		"CREATE TABLE IF NOT EXISTS main." + queries.Ident(name) + " AS SELECT " + strings.Join(nulls, ", ") + "\n" +
			"  WHERE CASE WHEN " + condition + " THEN 0 ELSE abs(-9223372036854775808) END",
		"CREATE UNIQUE INDEX IF NOT EXISTS " + queries.Ident(name+"_rows") + " ON " + queries.Ident(name) + " (" + queries.Idents(unique) + ")",
	}
}
