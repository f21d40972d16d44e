package dialect

import (
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// merged writes, for a column, the one value that a rule makes of those of
// members m, which which selects: the row that stays has the place 0.
func merged(rule plan.ColumnRule, typeName, members, which string) string {
	column := "m." + queries.Ident(rule.Column)
	from := " FROM " + members + " AS m WHERE " + which
	first := func(order string) string {
		return "(SELECT " + column + from + " AND " + column + " IS NOT NULL ORDER BY " + order + " LIMIT 1)"
	}
	switch rule.Rule {
	case "sum":
		return "(SELECT pg_catalog.sum(" + column + ")" + from + ")::" + typeName
	case "min":
		return first(column)
	case "max":
		return first(column + " DESC")
	case "and", "or":
		aggregate := "pg_catalog.bit_" + rule.Rule
		if typeName == "boolean" {
			aggregate = "pg_catalog.bool_" + rule.Rule
		}
		return "(SELECT " + aggregate + "(" + column + ")" + from + ")"
	case "first-non-null":
		return first("m.twinrow_order")
	}
	return "(SELECT pg_catalog.string_agg(d.value, ', ' ORDER BY d.first) FROM (SELECT " + column + "::text AS value, min(m.twinrow_order) AS first" +
		from + " AND " + column + " IS NOT NULL GROUP BY " + column + "::text) AS d)::" + typeName
}

// mergeSets are the assignments of all rules but keep.
func mergeSets(rules []plan.ColumnRule, columns []plan.Column, members, which string) []string {
	var sets []string
	for _, r := range rules {
		for _, c := range columns {
			if c.Name == r.Column && r.Rule != "keep" {
				sets = append(sets, queries.Ident(r.Column)+" = "+merged(r, c.Type, members, which))
			}
		}
	}
	return sets
}

// mergeStep gives the rows that stay what the rules make of them and of those
// that collide with them, which then go. A row that stays may still have to
// move, so its new place is remembered.
func (g pointing) merge(step int) Step {
	keepers := "SELECT DISTINCT h.keeper_heap, h.keeper_place, h.group_no FROM " + g.hits() + " AS h WHERE h.doomed"
	columns := prefixed("c.", quotedAll(columnNames(g.child.Columns)))
	sets := mergeSets(g.ref.Merge, g.child.Columns, g.members(), "m.twinrow_heap = b.keeper_heap AND m.twinrow_place = b.keeper_place")
	if len(sets) == 0 {
		own := queries.Ident(g.ref.Columns[0])
		sets = []string{own + " = c." + own}
	}
	return Step{
		Prepare: []string{
			"DROP TABLE IF EXISTS " + g.members(),
			"CREATE TEMPORARY TABLE " + temporary(g.members()) + " ON COMMIT DROP AS\n" +
				"  SELECT k.keeper_heap AS twinrow_heap, k.keeper_place AS twinrow_place, 0::bigint AS twinrow_order, " + columns + "\n" +
				"  FROM (" + keepers + ") AS k JOIN " + g.name() + " AS c ON c.ctid = k.keeper_place AND c.tableoid = k.keeper_heap\n" +
				"  UNION ALL SELECT h.keeper_heap, h.keeper_place, row_number() OVER (ORDER BY h.row_no, h.heap, h.place), " + columns + "\n" +
				"  FROM " + g.hits() + " AS h JOIN " + g.name() + " AS c ON c.ctid = h.place AND c.tableoid = h.heap WHERE h.doomed",
			"CREATE INDEX ON " + g.members() + " (twinrow_heap, twinrow_place)",
		},
		Want: "SELECT count(*) FROM (" + keepers + ") AS k",
		SQL: "WITH done AS (\n" +
			"  UPDATE " + g.name() + " AS c SET " + strings.Join(sets, ", ") + "\n" +
			"  FROM (SELECT k.*, (o.*)::text AS before_text FROM (" + keepers + ") AS k JOIN " + g.name() + " AS o ON o.ctid = k.keeper_place AND o.tableoid = k.keeper_heap) AS b\n" +
			"  WHERE c.ctid = b.keeper_place AND c.tableoid = b.keeper_heap\n" +
			"  RETURNING b.group_no, b.before_text, (c.*)::text AS after_text, b.keeper_heap, b.keeper_place, c.ctid AS place),\n" +
			"moved AS (UPDATE " + g.hits() + " AS h SET place = d.place FROM done AS d WHERE h.heap = d.keeper_heap AND h.place = d.keeper_place AND NOT h.doomed)\n" +
			strings.TrimPrefix(g.keep(step, g.ref.Table, "updated", ""), "WITH done AS (\n)\n"),
	}
}

// Survivors gives the survivors what the rules make of all rows of their
// group; those that went are read from quarantine.
func (p Postgres) Survivors() []Step {
	if len(p.Merge) == 0 || p.RemoveCount() == 0 {
		return nil
	}
	columns := columnNames(p.Case.Columns)
	sets := mergeSets(p.Merge, p.Case.Columns, p.members(), "m.twinrow_group = b.group_no")
	if len(sets) == 0 {
		return nil
	}
	return []Step{{
		Doing: "merging values into the survivors", Table: p.Table.Table,
		Prepare: []string{
			"DROP TABLE IF EXISTS " + p.members(),
			"CREATE TEMPORARY TABLE " + temporary(p.members()) + " ON COMMIT DROP AS\n" +
				"  SELECT w.group_no AS twinrow_group, 0 AS twinrow_order, " + prefixed("t.", quotedAll(columns)) + "\n" +
				"  FROM " + p.work + " AS w JOIN " + p.Target() + " AS t ON " + p.match() + " WHERE w.keep\n" +
				"  UNION ALL SELECT r.group_no, r.row_no, " + prefixed("(r.whole).", quotedAll(columns)) + "\n" +
				"  FROM (SELECT q.group_no, q.row_no, q.row_text::" + p.Target() + " AS whole FROM " + p.Quarantine() + " AS q\n" +
				"    WHERE " + p.mine() + " AND q.group_no IN (SELECT w.group_no FROM " + p.work + " AS w) OFFSET 0) AS r",
			"CREATE INDEX ON " + p.members() + " (twinrow_group)",
		},
		Want: "SELECT count(*) FROM " + p.work + " AS w WHERE w.keep",
		SQL: p.keep(stepSurvivors, p.Table.Table, "updated",
			"  UPDATE "+p.Target()+" AS c SET "+strings.Join(sets, ", ")+"\n"+
				"  FROM (SELECT w.group_no, t.tableoid AS heap, t.ctid AS place, (t.*)::text AS before_text FROM "+p.work+" AS w JOIN "+p.Target()+" AS t ON "+p.match()+" WHERE w.keep) AS b\n"+
				"  WHERE c.ctid = b.place AND c.tableoid = b.heap\n"+
				"  RETURNING b.group_no, b.before_text, (c.*)::text AS after_text"),
	}}
}

// SetSurplus makes the surplus rows that stay unique.
func (p Postgres) SetSurplus() Step {
	var sets []string
	for _, a := range p.Set {
		sets = append(sets, queries.Ident(a.Column)+" = ("+lineEnd(a.Value)+")")
	}
	_, name := plan.SplitName("postgres", p.Table.Table)
	alias := queries.Ident(name) // what the expression may call the table
	return Step{
		Doing: "making surplus rows unique", Table: p.Table.Table,
		Want: "SELECT count(*) FROM " + p.work + " AS w WHERE NOT w.keep",
		SQL: p.keep(stepSet, p.Table.Table, "updated",
			"  UPDATE "+p.Target()+" AS "+alias+" SET "+strings.Join(sets, ", ")+"\n"+
				"  FROM (SELECT w.group_no AS twinrow_group, t.tableoid AS twinrow_heap, t.ctid AS twinrow_place, (t.*)::text AS twinrow_text FROM "+p.work+" AS w JOIN "+p.Target()+" AS t ON "+p.match()+" WHERE NOT w.keep) AS b\n"+
				"  WHERE "+alias+".ctid = b.twinrow_place AND "+alias+".tableoid = b.twinrow_heap\n"+
				"  RETURNING b.twinrow_group AS group_no, b.twinrow_text AS before_text, ("+alias+".*)::text AS after_text"),
	}
}
