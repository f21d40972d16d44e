package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// litePointing writes the statements for one reference in SQLite and D1.
type litePointing struct {
	SQLite
	ref   *plan.Reference
	child *plan.Child
	rows  stored
	key   plan.ForeignKey
}

func (s SQLite) pointings() []litePointing {
	var all []litePointing
	for _, r := range followed(s.Work) {
		all = append(all, litePointing{s, r.ref, r.child, s.table(r.ref.Table), s.Case.IncomingKeys[r.ref.Number]})
	}
	return all
}

// hits is the work table of the rows that refer to a row that goes; those with
// row_no 0 refer to the survivor already.
func (s SQLite) hits() string { return s.workName("hits") }

// find fills the hits with every row that refers to a row that goes and does
// not go itself, with what it is to refer to and where it will be found then.
func (g litePointing) find() []string {
	places := len(g.rows.places)
	columns := []string{"group_no", "row_no", "row_id", "doomed", "keeper"}
	names := slices.Concat(columns, numbers("place_", places), numbers("new_", len(g.ref.Columns)), numbers("then_", places))
	values := slices.Concat([]string{"f.group_no", "f.row_no", "e.row_id", "0", "NULL"}, prefixedAll("c.", g.rows.quoted()), g.news(), g.thens())
	insert := "INSERT OR IGNORE INTO " + g.hits() + " (" + strings.Join(names, ", ") + ")\n"
	statements := []string{
		"DROP TABLE IF EXISTS " + g.hits(),
		"CREATE TABLE " + g.hits() + " (n INTEGER PRIMARY KEY, " + strings.Join(names, ", ") + ", UNIQUE (" + strings.Join(numbers("place_", places), ", ") + "))",
		"CREATE INDEX " + g.workName("hits_by_keeper") + " ON " + bare(g.hits()) + " (keeper)",
		insert + "  SELECT " + strings.Join(values, ", ") + "\n" +
			"  FROM " + g.found() + " AS f CROSS JOIN " + g.expected() + " AS e ON e.group_no = f.group_no AND e.row_no = f.row_no\n" +
			"  CROSS JOIN " + g.Target() + " AS t ON " + g.samePlace() + "\n" +
			"  CROSS JOIN " + g.found() + " AS kf ON kf.group_no = f.group_no AND kf.keep CROSS JOIN " + g.Target() + " AS k ON " + g.own.at("k", "kf.place_") + "\n" +
			"  CROSS JOIN " + referringRows(g.key) + " AS c ON " + refersAs(g.key, "c", "t") + "\n" +
			"  WHERE NOT f.keep" + g.notGoing() + " ORDER BY f.group_no, f.row_no, " + prefixed("c.", g.rows.quoted()),
	}
	if !g.collides() {
		return statements
	}
	values = slices.Concat([]string{"f.group_no", "0", "''", "0", "NULL"}, prefixedAll("c.", g.rows.quoted()), slices.Repeat([]string{"NULL"}, len(g.ref.Columns)), prefixedAll("c.", g.rows.quoted()))
	return append(statements, insert+"  SELECT "+strings.Join(values, ", ")+"\n"+
		"  FROM "+g.found()+" AS f CROSS JOIN "+g.Target()+" AS t ON "+g.samePlace()+"\n"+
		"  CROSS JOIN "+g.rows.target()+" AS c ON "+refersAs(g.key, "c", "t")+"\n"+
		"  WHERE f.keep AND f.group_no IN (SELECT h.group_no FROM "+g.hits()+" AS h)"+g.notGoing()+" ORDER BY f.group_no, "+prefixed("c.", g.rows.quoted()))
}

// collides tells whether rows could collide once they refer to another row.
func (g litePointing) collides() bool {
	return g.ref.Action == plan.Repoint && !g.ref.Array && len(g.child.Unique) > 0
}

// news are what each column is to refer to. A reference that is kept as text
// stays text in a column without a type.
func (g litePointing) news() []string {
	var all []string
	for i, c := range g.ref.Columns {
		value := fmt.Sprintf("iif(typeof(c.%[1]s) = 'text', CAST(k.%[2]s AS TEXT), k.%[2]s)", queries.Ident(c), queries.Ident(g.ref.References[i]))
		if g.ref.Array || g.ref.Action == plan.SetNull {
			value = "NULL"
		}
		all = append(all, value)
	}
	return all
}

// thens are where each row is found once it has moved.
func (g litePointing) thens() []string {
	var all []string
	for i, p := range g.rows.places {
		value := "c." + g.rows.quoted()[i]
		if at := slices.Index(g.ref.Columns, p); at >= 0 && g.ref.Action != plan.DeleteRow {
			value = g.news()[at]
		}
		all = append(all, value)
	}
	return all
}

// notGoing leaves rows out that go themselves.
func (g litePointing) notGoing() string {
	if g.ref.Table != g.own.name {
		return ""
	}
	return " AND NOT EXISTS (SELECT 1 FROM " + g.found() + " AS g WHERE NOT g.keep AND " + g.own.at("c", "g.place_") + ")"
}

func numbers(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%d", prefix, i+1)
	}
	return out
}

func prefixedAll(prefix string, names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = prefix + n
	}
	return out
}

// collide marks the rows that would have the same unique key as another once
// they refer to the survivor. The row that stays is one that refers to the
// survivor already, else the first by the order of what it refers to.
func (g litePointing) collide() []string {
	if !g.collides() {
		return nil
	}
	var all []string
	for _, u := range g.child.Unique {
		if u.Unclear || u.Entry != "" && g.ref.OnConflict == plan.Stop { // what is the same under an entry's key is that entry's own
			continue
		}
		from, parts, known := g.colliding(u)
		all = append(all, "UPDATE "+g.hits()+" AS h SET doomed = 1, keeper = r.keeper FROM (\n"+
			"  SELECT h.n, h.row_no, row_number() OVER x AS number, first_value(h.n) OVER x AS keeper FROM "+g.hits()+" AS h JOIN "+from+" AS c ON "+g.rows.at("c", "h.place_")+" WHERE "+strings.Join(known, " AND ")+"\n"+
			"  WINDOW x AS (PARTITION BY "+strings.Join(parts, ", ")+" ORDER BY h.row_no, h.n)) AS r\n"+
			"  WHERE h.n = r.n AND r.row_no > 0 AND r.number > 1")
	}
	return all
}

// colliding are the child's rows with what a unique key holds beside the
// columns that refer, and what must hold of it. Expressions are computed where
// their names are the child's own.
func (g litePointing) colliding(u plan.UniqueKey) (from string, parts, known []string) {
	from, parts, known = g.rows.target(), []string{"h.group_no"}, []string{"NOT h.doomed"}
	computed := ""
	add := func(sql string) string {
		name := fmt.Sprintf("twinrow_part_%d", len(parts))
		computed += ", (" + lineEnd(sql) + ") AS " + name
		return "c." + name
	}
	for _, part := range u.Rest {
		column := "c." + queries.Ident(part.Text)
		if part.Expression {
			column = add(part.Text)
		}
		parts = append(parts, column)
		if !u.NullsEqual {
			known = append(known, column+" IS NOT NULL")
		}
	}
	if u.Where != "" {
		known = append(known, add(u.Where))
	}
	if computed != "" {
		from = "(SELECT " + strings.Join(append(g.rows.quoted(), "*"), ", ") + computed + " FROM " + from + ")"
	}
	return from, parts, known
}

// hit joins the hits, h, to their rows, c.
func (g litePointing) hit() string {
	return g.hits() + " AS h JOIN " + g.rows.target() + " AS c ON " + g.rows.at("c", "h.place_")
}

func (g litePointing) look() []string { return append(g.find(), g.collide()...) }

func (g litePointing) count(which string) string {
	return "SELECT count(*) FROM " + g.hits() + " AS h WHERE h.row_no > 0 AND " + which
}

// keptHit says which row of a change a hit is.
func (g litePointing) keptHit() keptRow {
	row := keptRow{"h.group_no", "h.n", "NULL", "NULL"}
	if g.ref.Table == g.own.name {
		row.ofGroup, row.ofRow = g.ofPlan("group_no"), g.ofPlan("row_no")
	}
	return row
}

func (g litePointing) ofPlan(column string) string {
	return "(SELECT o." + column + " FROM " + g.found() + " AS o WHERE " + g.own.at("c", "o.place_") + ")"
}

// remove deletes hits.
func (g litePointing) remove(step int, which string) Step {
	hit := "h.row_no > 0 AND " + which
	return Step{
		Prepare: []string{g.keep(step, g.rows, didDelete, g.keptHit(), g.hit()+" WHERE "+hit)},
		SQL:     "DELETE FROM " + g.rows.target() + " WHERE " + g.rows.placeIn("SELECT "+strings.Join(numbers("h.place_", len(g.rows.places)), ", ")+" FROM "+g.hits()+" AS h WHERE "+hit),
		Sure:    "NOT EXISTS (SELECT 1 FROM " + g.hit() + " WHERE " + hit + ")",
	}
}

// move makes the hits refer to the survivors, or to nothing.
func (g litePointing) move(step int, _ bool) Step {
	const hit = "h.row_no > 0 AND NOT h.doomed"
	var sets, there []string
	for i, c := range g.ref.Columns {
		sets = append(sets, fmt.Sprintf("%s = h.new_%d", queries.Ident(c), i+1))
		there = append(there, fmt.Sprintf("c.%s IS h.new_%d", queries.Ident(c), i+1))
	}
	then := g.rows.at("c", "h.then_")
	return Step{
		Prepare: []string{g.keep(step, g.rows, didBefore, g.keptHit(), g.hit()+" WHERE "+hit)},
		SQL:     "UPDATE " + g.rows.target() + " AS c SET " + strings.Join(sets, ", ") + " FROM " + g.hits() + " AS h WHERE " + g.rows.at("c", "h.place_") + " AND " + hit,
		Keep:    []string{g.keep(step, g.rows, didAfter, g.keptHit(), g.hits()+" AS h JOIN "+g.rows.target()+" AS c ON "+then+" WHERE "+hit)},
		Sure: g.whole(g.rows, step) + " AND NOT EXISTS (SELECT 1 FROM " + g.hits() + " AS h WHERE " + hit +
			" AND NOT EXISTS (SELECT 1 FROM " + g.rows.target() + " AS c WHERE " + then + " AND " + strings.Join(there, " AND ") + "))",
	}
}

// Referred lists the references to be compared with what was foretold: those
// of the plan, rows that refer to rows which would be deleted or move on the
// way, and references that the plan does not know of.
func (s SQLite) Referred() []Referred {
	var all []Referred
	for _, g := range s.pointings() {
		all = append(all, Referred{
			Number: g.ref.Number, Table: g.ref.Table, Prepare: g.look(),
			Counts: "SELECT h.group_no, min(h.row_id) AS row_id, count(*) AS rows, sum(h.doomed) AS dropped,\n" +
				"  count(DISTINCT iif(h.doomed, h.keeper, NULL)) AS merged FROM " + g.hits() + " AS h WHERE h.row_no > 0 GROUP BY h.group_no",
		})
		for _, k := range g.child.Incoming {
			if which := g.disturbs(k); which != "" {
				all = append(all, Referred{Number: unforeseen, Table: k.Table, Counts: g.grandchildren(k, which)})
			}
		}
	}
	for _, k := range s.strangers() {
		all = append(all, Referred{Number: unforeseen, Table: k.Table, Counts: "SELECT f.group_no, min(e.row_id) AS row_id, count(*) AS rows, 0 AS dropped, 0 AS merged FROM " +
			s.referrers(k) + " GROUP BY f.group_no"})
	}
	return all
}

// disturbs says for which hits, h, of rows c others that refer to them by k
// would refer to nothing: those that are deleted, and those whose own key moves.
func (g litePointing) disturbs(k plan.ForeignKey) string {
	var which []string
	if gone := g.gone("h"); gone != "" {
		which = append(which, gone)
	}
	for i, column := range g.ref.Columns {
		if g.ref.Action != plan.DeleteRow && slices.Contains(k.References, column) {
			which = append(which, fmt.Sprintf("h.row_no > 0 AND h.new_%d IS NOT c.%s", i+1, queries.Ident(column)))
		}
	}
	return strings.Join(which, " OR ")
}

// gone says which hits are deleted, "" where none is.
func (g litePointing) gone(alias string) string {
	switch g.ref.Action {
	case plan.DeleteRow:
		return alias + ".row_no > 0"
	case plan.Repoint:
		return alias + ".doomed"
	}
	return ""
}

// grandchildren counts the rows, d, that refer so; those that are deleted too do not count.
func (g litePointing) grandchildren(k plan.ForeignKey, which string) string {
	own := ""
	if gone := g.gone("o"); gone != "" && k.Table == g.ref.Table {
		own = " AND NOT EXISTS (SELECT 1 FROM " + g.hits() + " AS o WHERE " + gone + " AND " + g.rows.at("d", "o.place_") + ")"
	}
	return "SELECT h.group_no, min(h.row_id) AS row_id, count(*) AS rows, 0 AS dropped, 0 AS merged FROM " + g.hit() +
		" JOIN " + referringRows(k) + " AS d ON " + refersAs(k, "d", "c") + " WHERE (" + which + ")" + own + " GROUP BY h.group_no"
}

// strangers are the references that the plan does not follow: those that the
// scan could not count, and those that came since.
func (s SQLite) strangers() []plan.ForeignKey {
	var all []plan.ForeignKey
	for _, k := range s.Case.IncomingKeys {
		if !slices.ContainsFunc(s.pointings(), func(g litePointing) bool { return SameReference(g.key, k) }) {
			all = append(all, k)
		}
	}
	return all
}

// SameReference tells whether two references say the same.
func SameReference(a, b plan.ForeignKey) bool {
	return strings.EqualFold(a.Table, b.Table) && a.Where == b.Where && a.Array == b.Array && slices.EqualFunc(a.Columns, b.Columns, strings.EqualFold) && slices.EqualFunc(a.References, b.References, strings.EqualFold)
}

// referrers joins the rows of a child, c, that refer to a row that is to go
// and do not go themselves.
func (s SQLite) referrers(k plan.ForeignKey) string {
	sql := s.found() + " AS f CROSS JOIN " + s.expected() + " AS e ON e.group_no = f.group_no AND e.row_no = f.row_no CROSS JOIN " + s.Target() + " AS t ON " + s.samePlace() +
		" CROSS JOIN " + referringRows(k) + " AS c ON " + refersAs(k, "c", "t") + " WHERE NOT f.keep"
	if strings.EqualFold(k.Table, s.own.name) {
		sql += " AND NOT EXISTS (SELECT 1 FROM " + s.found() + " AS g WHERE NOT g.keep AND " + s.own.at("c", "g.place_") + ")"
	}
	return sql
}

// Steps are what is done to rows that refer to those that go, before these go.
func (s SQLite) Steps() []Step {
	var all []Step
	for _, g := range s.pointings() {
		all = append(all, stepsFor(g, g.ref)...)
	}
	return all
}
