package dialect

import (
	"regexp"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// listing writes the statements for one reference by arrays of ids. Ids are
// compared as text, because no constraint sees to it that the types are alike.
type listing struct{ pointing }

// names is the temporary table of all rows of the work, by what names them,
// and of what is to name them.
func (g listing) names() string { return strings.Replace(g.work, "_work_", "_names_", 1) }

func (g listing) column() string { return queries.Ident(g.ref.Columns[0]) }

// limits are those of a type, as in character varying(10): a cast cuts off what
// is past them, where writing to the column fails.
var limits = regexp.MustCompile(`\([0-9, ]*\)`)

// element is the type of what the array holds, without limits.
func (g listing) element() string {
	name := strings.TrimSuffix(limits.ReplaceAllString(g.typeOf(g.ref.Columns[0]), ""), "[]")
	if name == "character" { // which is character(1)
		return "bpchar"
	}
	return name
}

// find fills the hits with a row for each array and each group of which it
// names a row that goes. Those that would name the survivor again are doomed.
func (g listing) find() []string {
	id := queries.Ident(g.ref.References[0])
	arrays := "SELECT tableoid AS heap, ctid AS place, " + g.column() + " AS ids FROM " + g.name()
	if g.ref.Where != "" {
		arrays += " WHERE (" + lineEnd(g.ref.Where) + ")"
	}
	repeats := "false"
	if g.ref.Action == plan.Repoint {
		repeats = "count(*) > 1"
	}
	return []string{
		"DROP TABLE IF EXISTS " + g.names(),
		"CREATE TEMPORARY TABLE " + temporary(g.names()) + " ON COMMIT DROP AS\n" +
			"  SELECT w.group_no, w.row_no, w.row_id, w.keep, t." + id + "::text AS old, k." + id + "::text AS new\n" +
			"  FROM " + g.work + " AS w JOIN " + g.Target() + " AS t ON " + g.match() + "\n" +
			"  JOIN " + g.work + " AS kw ON kw.group_no = w.group_no AND kw.keep JOIN " + g.Target() + " AS k ON " + g.matchAs("k", "kw"),
		"CREATE INDEX ON " + g.names() + " (old)",
		"ANALYZE " + g.names(),
		"DROP TABLE IF EXISTS " + g.hits(),
		"CREATE TEMPORARY TABLE " + temporary(g.hits()) + " ON COMMIT DROP AS\n" +
			"  SELECT c.heap, c.place, n.group_no, min(n.row_id) FILTER (WHERE NOT n.keep) AS row_id, " + repeats + " AS doomed, pg_catalog.array_ndims(c.ids) > 1 AS deep\n" +
			"  FROM (" + arrays + ") AS c CROSS JOIN LATERAL pg_catalog.unnest(c.ids) AS e (id) JOIN " + g.names() + " AS n ON n.old = e.id::text\n" +
			"  GROUP BY c.heap, c.place, n.group_no, pg_catalog.array_ndims(c.ids) HAVING NOT bool_and(n.keep)",
	}
}

// referred counts the arrays by group. One of several dimensions is never
// foretold, and is told in the place of what is merged.
func (g listing) referred() Referred {
	hits := g.hits() + " AS h"
	if g.ref.Action == plan.DeleteRow { // a row goes with the first of its groups
		hits = "(SELECT DISTINCT ON (h.heap, h.place) h.* FROM " + hits + " ORDER BY h.heap, h.place, h.group_no) AS h"
	}
	return Referred{
		Number: g.ref.Number, Prepare: g.find(),
		Counts: "SELECT h.group_no, min(h.row_id) AS row_id, count(*) AS rows, count(*) FILTER (WHERE h.doomed) AS dropped,\n" +
			"  count(*) FILTER (WHERE h.deep) AS merged\n" +
			"  FROM " + hits + " GROUP BY h.group_no",
	}
}

// hit are the rows to change, each once, under the first of its groups.
func (g listing) hit() string {
	return "SELECT h.heap, h.place, min(h.group_no) AS group_no FROM " + g.hits() + " AS h GROUP BY h.heap, h.place"
}

func (g listing) step() Step {
	first := g.ref.Number * stepsAReference
	step := Step{Table: g.ref.Table, Prepare: g.find(), Want: "SELECT count(*) FROM (" + g.hit() + ") AS d"}
	if g.ref.Action == plan.DeleteRow {
		step.Doing, step.Deletes = "deleting rows of "+g.ref.Table+" whose arrays name rows that go", true
		step.SQL = g.keep(first+stepDrop, g.ref.Table, "deleted",
			"  DELETE FROM "+g.name()+" AS c USING ("+g.hit()+") AS h WHERE c.ctid = h.place AND c.tableoid = h.heap\n"+
				"  RETURNING h.group_no, (c.*)::text AS before_text, NULL::text AS after_text")
		return step
	}
	step.Doing = "putting the survivors into the arrays of " + g.ref.Table
	step.SQL = g.keep(first+stepMove, g.ref.Table, "updated",
		"  UPDATE "+g.name()+" AS c SET "+g.column()+" = b.ids\n"+
			"  FROM (SELECT h.heap, h.place, h.group_no, (o.*)::text AS before_text, "+g.bounded()+" AS ids\n"+
			"    FROM ("+g.hit()+") AS h JOIN "+g.name()+" AS o ON o.ctid = h.place AND o.tableoid = h.heap\n"+
			"    CROSS JOIN LATERAL ("+g.replaced()+") AS r) AS b\n"+
			"  WHERE c.ctid = b.place AND c.tableoid = b.heap\n"+
			"  RETURNING b.group_no, b.before_text, (c.*)::text AS after_text")
	return step
}

// replaced is the array of the row o with other elements, all else in its
// order, NULLs too. Where repeats are to go, the first of the group stays in an
// array that named a row of it which goes; what stood twice for another reason
// is left alone.
func (g listing) replaced() string {
	element, stays := "CASE WHEN n.old IS NULL THEN e.id ELSE n.new::"+g.element()+" END", "true"
	if g.ref.Action == plan.SetNull {
		element = "CASE WHEN n.keep IS NOT FALSE THEN e.id END"
	} else if g.ref.OnConflict == plan.Drop {
		stays = "(x.group_no IS NULL OR x.nth = 1 OR x.stay)"
	}
	return "SELECT pg_catalog.array_agg(x.id ORDER BY x.nr) AS ids FROM (\n" +
		"      SELECT " + element + " AS id, e.nr, n.group_no, row_number() OVER g AS nth, bool_and(n.keep) OVER (PARTITION BY n.group_no) AS stay\n" +
		"      FROM pg_catalog.unnest(o." + g.column() + ") WITH ORDINALITY AS e (id, nr) LEFT JOIN " + g.names() + " AS n ON n.old = e.id::text\n" +
		"      WINDOW g AS (PARTITION BY n.group_no ORDER BY e.nr)) AS x WHERE " + stays
}

// bounded gives the array r.ids the first subscript of the one that it replaces.
func (g listing) bounded() string {
	lower := "pg_catalog.array_lower(o." + g.column() + ", 1)"
	return "CASE WHEN " + lower + " = 1 THEN r.ids ELSE (pg_catalog.format('[%s:%s]=', " + lower + ", " + lower + " + pg_catalog.cardinality(r.ids) - 1) || r.ids::text)::" + g.element() + "[] END"
}
