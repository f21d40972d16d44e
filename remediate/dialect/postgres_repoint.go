package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// pointing writes the statements for one reference.
type pointing struct {
	Postgres
	ref   *plan.Reference
	child *plan.Child
}

// pointings are the references whose rows can be looked at.
func (p Postgres) pointings() []pointing {
	var all []pointing
	for _, r := range followed(p.Work) {
		all = append(all, pointing{p, r.ref, r.child})
	}
	return all
}

// hits is the temporary table of the rows that refer to a row that goes.
func (p Postgres) hits() string { return strings.Replace(p.work, "_work_", "_hits_", 1) }

func (p Postgres) members() string { return strings.Replace(p.work, "_work_", "_members_", 1) }

func temporary(name string) string { return strings.TrimPrefix(name, "pg_temp.") }

func (g pointing) name() string { return PostgresName(g.ref.Table) }

// typeOf is the type of one of the child's columns.
func (g pointing) typeOf(column string) string {
	for _, c := range g.child.Columns {
		if c.Name == column {
			return c.Type
		}
	}
	return "text"
}

// to is a column of the planned table in the type of the child's.
func (g pointing) to(alias string, i int) string {
	sql := alias + "." + queries.Ident(g.ref.References[i])
	if g.ref.Declared {
		sql += "::" + g.typeOf(g.ref.Columns[i])
	}
	return sql
}

// refers is the condition that a row c of the child refers to t by a column.
func (g pointing) refers(i int) string {
	column := "c." + queries.Ident(g.ref.Columns[i])
	return column + " = " + g.to("t", i)
}

// find fills the hits with every row that refers to a row that goes and does
// not go itself, and with what it is to refer to.
func (g pointing) find() []string {
	var news, on []string
	for i := range g.ref.Columns {
		news = append(news, fmt.Sprintf("%s AS new_%d", g.to("k", i), i+1))
		on = append(on, g.refers(i))
	}
	if g.ref.Where != "" {
		on = append(on, "("+lineEnd(g.ref.Where)+")")
	}
	child := g.name() + " AS c"
	if g.ref.Where != "" { // the predicate's names are the child's own
		child = "LATERAL (SELECT c.tableoid, c.ctid, " + prefixed("c.", quotedAll(g.ref.Columns)) + " FROM " + g.name() + " AS c WHERE " + strings.Join(on, " AND ") + ") AS c"
		on = []string{"true"}
	}
	own := ""
	if g.ref.Table == g.Table.Table {
		own = " AND NOT EXISTS (SELECT FROM " + g.going() + ")"
	}
	return []string{
		"DROP TABLE IF EXISTS " + g.hits(),
		"CREATE TEMPORARY TABLE " + temporary(g.hits()) + " ON COMMIT DROP AS\n" +
			"  SELECT c.tableoid AS heap, c.ctid AS place, w.group_no, w.row_no, w.row_id, false AS doomed, c.tableoid AS keeper_heap, c.ctid AS keeper_place, " + strings.Join(news, ", ") + "\n" +
			"  FROM " + g.work + " AS w JOIN " + g.Target() + " AS t ON " + g.match() + "\n" +
			"  JOIN " + g.work + " AS kw ON kw.group_no = w.group_no AND kw.keep JOIN " + g.Target() + " AS k ON " + g.matchAs("k", "kw") + "\n" +
			"  JOIN " + child + " ON " + strings.Join(on, " AND ") + "\n" +
			"  WHERE NOT w.keep" + own,
	}
}

// going joins a row c of the planned table itself to the rows that go.
func (g pointing) going() string {
	return g.work + " AS gw JOIN " + g.Target() + " AS gt ON " + g.matchAs("gt", "gw") + " WHERE NOT gw.keep AND gt.ctid = c.ctid AND gt.tableoid = c.tableoid"
}

// matchAs is match under other aliases.
func (p Postgres) matchAs(table, work string) string {
	parts := make([]string, len(p.Case.ID))
	for i, name := range p.Case.ID {
		parts[i] = fmt.Sprintf("%s.%s = %s.id_%d", table, strings.TrimPrefix(p.idExpr(name), "t."), work, i+1)
	}
	return strings.Join(parts, " AND ")
}

// collide marks the rows that would have the same unique key as another once
// they refer to the survivor. The row that stays is one that refers to the
// survivor already, else the first by the order of what it refers to.
func (g pointing) collide() []string {
	if g.ref.Action != plan.Repoint {
		return nil
	}
	var all []string
	for _, u := range g.child.Unique {
		if u.Entry != "" && g.ref.OnConflict == plan.Stop { // what is the same under it is that entry's own
			continue
		}
		var parts, known []string
		for _, c := range u.Columns {
			parts = append(parts, queries.Ident(c))
		}
		for _, r := range u.Rest {
			parts = append(parts, keyExprs([]plan.KeyPart{r})[0])
		}
		if !u.NullsEqual {
			for _, part := range parts {
				known = append(known, "pg_catalog.num_nulls("+part+") = 0")
			}
		}
		if u.Where != "" {
			known = append(known, "("+lineEnd(u.Where)+")")
		}
		if len(known) == 0 {
			known = []string{"true"}
		}
		all = append(all, g.mark(parts, known))
	}
	return all
}

func (g pointing) mark(parts, known []string) string {
	order := []string{"n.twinrow_moving", "n.twinrow_row"}
	for _, c := range g.child.ID {
		order = append(order, "n."+queries.Ident(c))
	}
	return "UPDATE " + g.hits() + " AS h SET doomed = true, keeper_heap = r.keeper_heap, keeper_place = r.keeper_place\n" +
		"  FROM (SELECT n.twinrow_heap AS heap, n.twinrow_place AS place, n.twinrow_moving AS moving, row_number() OVER x AS number,\n" +
		"      first_value(n.twinrow_heap) OVER x AS keeper_heap, first_value(n.twinrow_place) OVER x AS keeper_place\n" +
		"    FROM (" + g.after() + ") AS n WHERE " + strings.Join(known, " AND ") + "\n" +
		"    WINDOW x AS (PARTITION BY " + strings.Join(parts, ", ") + " ORDER BY " + strings.Join(order, ", ") + ", n.twinrow_heap, n.twinrow_place)) AS r\n" +
		"  WHERE r.moving AND r.number > 1 AND h.heap = r.heap AND h.place = r.place"
}

// after are the child's rows as they would be: those that move, and those
// that refer to a survivor already.
func (g pointing) after() string {
	var moved, still, there []string
	for _, c := range g.child.Columns {
		column := queries.Ident(c.Name)
		still = append(still, "c."+column)
		if i := slices.Index(g.ref.Columns, c.Name); i >= 0 {
			moved = append(moved, fmt.Sprintf("h.new_%d::%s AS %s", i+1, c.Type, column))
		} else {
			moved = append(moved, "c."+column)
		}
	}
	var news []string
	for i, c := range g.ref.Columns {
		there = append(there, "c."+queries.Ident(c))
		news = append(news, fmt.Sprintf("h.new_%d", i+1))
	}
	return "SELECT c.tableoid AS twinrow_heap, c.ctid AS twinrow_place, true AS twinrow_moving, h.row_no AS twinrow_row, " + strings.Join(moved, ", ") + "\n" +
		"      FROM " + g.hits() + " AS h JOIN " + g.name() + " AS c ON c.ctid = h.place AND c.tableoid = h.heap WHERE NOT h.doomed\n" +
		"      UNION ALL SELECT c.tableoid, c.ctid, false, 0, " + strings.Join(still, ", ") + " FROM " + g.name() + " AS c\n" +
		"      WHERE (" + strings.Join(there, ", ") + ") IN (SELECT " + strings.Join(news, ", ") + " FROM " + g.hits() + " AS h)\n" +
		"      AND NOT EXISTS (SELECT FROM " + g.hits() + " AS h WHERE h.place = c.ctid AND h.heap = c.tableoid)"
}

// Referred lists the references to be compared with what was foretold.
func (p Postgres) Referred() []Referred {
	var all []Referred
	for _, g := range p.pointings() {
		if g.ref.Array {
			all = append(all, listing{g}.referred())
			continue
		}
		all = append(all, Referred{
			Number: g.ref.Number, Table: g.ref.Table, Prepare: g.look(),
			Counts: "SELECT h.group_no, min(h.row_id) AS row_id, count(*) AS rows, count(*) FILTER (WHERE h.doomed) AS dropped,\n" +
				"  count(DISTINCT (h.keeper_heap, h.keeper_place)) FILTER (WHERE h.doomed) AS merged\n" +
				"  FROM " + g.hits() + " AS h GROUP BY h.group_no",
		})
		all = append(all, g.grandchildren()...)
	}
	return all
}

// Steps are what is done to rows that refer to those that go, before these go.
func (p Postgres) Steps() []Step {
	var all []Step
	for _, g := range p.pointings() {
		if g.ref.Array && g.ref.Rows > 0 {
			all = append(all, listing{g}.step())
		} else {
			all = append(all, stepsFor(g, g.ref)...)
		}
	}
	return all
}

func (g pointing) look() []string { return append(g.find(), g.collide()...) }

func (g pointing) count(which string) string {
	return "SELECT count(*) FROM " + g.hits() + " AS h WHERE " + which
}

// remove deletes hits.
func (g pointing) remove(step int, which string) Step {
	return Step{SQL: g.keep(step, g.ref.Table, "deleted",
		"  DELETE FROM "+g.name()+" AS c USING "+g.hits()+" AS h WHERE c.ctid = h.place AND c.tableoid = h.heap AND "+which+"\n"+
			"  RETURNING h.group_no, (c.*)::text AS before_text, NULL::text AS after_text")}
}

// move makes the hits refer to the survivors, or to nothing.
func (g pointing) move(step int, toNull bool) Step {
	var sets []string
	for i, c := range g.ref.Columns {
		value := fmt.Sprintf("b.new_%d", i+1)
		if toNull {
			value = "NULL"
		}
		sets = append(sets, queries.Ident(c)+" = "+value)
	}
	return Step{SQL: g.keep(step, g.ref.Table, "updated",
		"  UPDATE "+g.name()+" AS c SET "+strings.Join(sets, ", ")+"\n"+
			"  FROM (SELECT h.*, (o.*)::text AS before_text FROM "+g.hits()+" AS h JOIN "+g.name()+" AS o ON o.ctid = h.place AND o.tableoid = h.heap WHERE NOT h.doomed) AS b\n"+
			"  WHERE c.ctid = b.place AND c.tableoid = b.heap\n"+
			"  RETURNING b.group_no, b.before_text, (c.*)::text AS after_text")}
}
