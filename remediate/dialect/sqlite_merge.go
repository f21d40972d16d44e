package dialect

import (
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// mergedLite writes, for a column, the one value that a rule makes of those
// that from selects, in an order; the row that stays is the first.
func mergedLite(rule, column, from, order string) string {
	known := from + " AND " + column + " IS NOT NULL"
	first := func(order string) string {
		return "(SELECT " + column + " FROM " + known + " ORDER BY " + order + " LIMIT 1)"
	}
	switch rule {
	case "sum":
		return "(SELECT sum(" + column + ") FROM " + from + ")"
	case "min":
		return first(column)
	case "max":
		return first(column + " DESC")
	case "and":
		return bitwise(column, known, "min", first(column))
	case "or":
		return bitwise(column, known, "max", first(column+" DESC"))
	case "first-non-null":
		return first(order)
	}
	return "(SELECT group_concat(d.value, ', ') OVER (ORDER BY d.first ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)\n" +
		"    FROM (SELECT z.value, min(z.place) AS first FROM (SELECT CAST(" + column + " AS TEXT) AS value, row_number() OVER (ORDER BY " + order + ") AS place FROM " + known + ") AS z GROUP BY z.value) AS d LIMIT 1)"
}

// bitwise combines whole numbers bit by bit, for which SQLite has no aggregate;
// what is no number, as 'true', is compared.
func bitwise(column, known, aggregate, compared string) string {
	return "iif(EXISTS (SELECT 1 FROM " + known + " AND typeof(" + column + ") <> 'integer'), " + compared + ",\n" +
		"    (WITH RECURSIVE bits (n) AS (SELECT 0 UNION ALL SELECT bits.n + 1 FROM bits WHERE bits.n < 63)\n" +
		"     SELECT sum((SELECT " + aggregate + "((" + column + " >> bits.n) & 1) FROM " + known + ") << bits.n) FROM bits))"
}

// mergeLite are the assignments of all rules but keep; from selects, for a
// column, the values under the name v of the alias m.
func mergeLite(rules []plan.ColumnRule, columns []plan.Column, value func(column string) (column2, from string), order string) []string {
	var sets []string
	for _, r := range rules {
		if r.Rule == "keep" || !slices.ContainsFunc(columns, func(c plan.Column) bool { return c.Name == r.Column }) {
			continue
		}
		column, from := value(queries.Ident(r.Column))
		sets = append(sets, queries.Ident(r.Column)+" = "+mergedLite(r.Rule, column, from, order))
	}
	return sets
}

// merge gives the rows that stay what the rules make of them and of those that
// collide with them, which then go.
func (g litePointing) merge(step int) Step {
	keepers := "h.n IN (SELECT d.keeper FROM " + g.hits() + " AS d WHERE d.doomed)"
	members := g.hits() + " AS m JOIN " + g.rows.target() + " AS mc ON " + g.rows.at("mc", "m.place_") + " WHERE (m.n = h.n OR m.keeper = h.n)"
	sets := mergeLite(g.ref.Merge, g.child.Columns, func(column string) (string, string) { return "mc." + column, members }, "m.doomed, m.row_no, m.n")
	if len(sets) == 0 {
		own := queries.Ident(g.ref.Columns[0])
		sets = []string{own + " = c." + own}
	}
	return Step{
		Prepare: []string{g.keep(step, g.rows, didBefore, g.keptHit(), g.hit()+" WHERE "+keepers)},
		Want:    "SELECT count(*) FROM " + g.hits() + " AS h WHERE " + keepers,
		SQL:     "UPDATE " + g.rows.target() + " AS c SET " + strings.Join(sets, ",\n  ") + "\n  FROM " + g.hits() + " AS h WHERE " + g.rows.at("c", "h.place_") + " AND " + keepers,
		Keep:    []string{g.keep(step, g.rows, didAfter, g.keptHit(), g.hit()+" WHERE "+keepers)},
		Sure:    g.whole(g.rows, step),
	}
}

// Survivors gives the survivors what the rules make of all rows of their
// group; those that went are read from quarantine.
func (s SQLite) Survivors() []Step {
	if len(s.Merge) == 0 || s.RemoveCount() == 0 {
		return nil
	}
	m := s.own.meta()
	sets := mergeLite(s.Merge, s.Case.Columns, func(column string) (string, string) {
		return "m.v", "(SELECT 0 AS place, t." + column + " AS v FROM " + s.Target() + " AS t WHERE " + s.samePlace() +
			" UNION ALL SELECT q." + m.row + ", q." + column + " FROM " + s.Quarantine() + " AS q WHERE " + s.mine() + " AND q." + m.group + " = f.group_no) AS m WHERE true"
	}, "m.place")
	if len(sets) == 0 {
		return nil
	}
	step := s.changePlanned(stepSurvivors, "f.keep")
	step.Doing = "merging values into the survivors"
	step.SQL = "UPDATE " + s.Target() + " AS c SET " + strings.Join(sets, ",\n  ") + "\n  FROM " + s.found() + " AS f WHERE f.keep AND " + s.own.at("c", "f.place_")
	return []Step{step}
}

// SetSurplus makes the surplus rows that stay unique.
func (s SQLite) SetSurplus() Step {
	var sets []string
	for _, a := range s.Set {
		sets = append(sets, queries.Ident(a.Column)+" = ("+lineEnd(a.Value)+")")
	}
	step := s.changePlanned(stepSet, "NOT f.keep")
	step.Doing = "making surplus rows unique"
	step.SQL = "UPDATE " + s.Target() + " SET " + strings.Join(sets, ", ") + " WHERE " + s.own.placeIn("SELECT "+s.placeColumns()+" FROM "+s.found()+" AS f WHERE NOT f.keep")
	return step
}

// Planned are the steps over rows of the plan itself.
func (s SQLite) Planned() []Step {
	if len(s.Set) > 0 {
		return []Step{s.SetSurplus()}
	}
	return s.Survivors()
}

// changePlanned is a step over rows of the plan, without its SQL.
func (s SQLite) changePlanned(number int, which string) Step {
	row := keptRow{"f.group_no", "f.row_no", "f.group_no", "f.row_no"}
	from := s.found() + " AS f JOIN " + s.Target() + " AS c ON " + s.own.at("c", "f.place_") + " WHERE " + which
	return Step{
		Table: s.own.name, number: number,
		Prepare: []string{s.keep(number, s.own, didBefore, row, from)},
		Want:    "SELECT count(*) FROM " + s.found() + " AS f WHERE " + which,
		Keep:    []string{s.keep(number, s.own, didAfter, row, from)},
		Sure:    s.whole(s.own, number),
	}
}
