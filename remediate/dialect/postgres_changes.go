package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// Changes is the quoted name of the table that keeps rows which are changed
// or deleted beside the planned ones.
func (p Postgres) Changes() string {
	return PostgresName(plan.ChangesTable("postgres", p.Table.Table, p.CaseID))
}

// CreateChanges makes that table where it is not there yet.
func (p Postgres) CreateChanges() string {
	return "CREATE TABLE IF NOT EXISTS " + p.Changes() + " (\n" +
		"  case_id text NOT NULL, entry text NOT NULL, step integer NOT NULL, seq bigint GENERATED ALWAYS AS IDENTITY,\n" +
		"  table_name text NOT NULL, group_no bigint NOT NULL, did text NOT NULL CHECK (did IN ('updated', 'deleted')),\n" +
		"  before_text text NOT NULL, after_text text,\n" +
		"  taken_at timestamptz NOT NULL DEFAULT pg_catalog.now(),\n" +
		"  PRIMARY KEY (case_id, entry, step, seq))"
}

// keep makes a statement that changes rows write down what they were. change
// ends in a RETURNING of group_no, before_text and after_text.
func (p Postgres) keep(step int, table, did, change string) string {
	return "WITH done AS (\n" + change + ")\n" +
		"INSERT INTO " + p.Changes() + " (case_id, entry, step, table_name, group_no, did, before_text, after_text)\n" +
		"  SELECT " + fmt.Sprintf("%s, %s, %d, %s, d.group_no, '%s', d.before_text, d.after_text FROM done AS d",
		queries.Literal(p.CaseID), queries.Literal(p.Name), step, queries.Literal(table), did)
}

// Recalls make rows that this case itself changed, in this entry or another,
// expected as it left them, in the order in which it did.
func (p Postgres) Recalls() []Recall {
	var all []Recall
	for _, w := range p.Touching {
		by := p.Of(w)
		if w.Name != p.Name || p.refersToItself() {
			by.span = "" // other groups may have changed the rows
		}
		all = append(all, Recall{Changes: by.Changes(), SQL: by.recall(p.Table.Table, w.Name == p.Name && w.CaseID == p.CaseID)})
	}
	return all
}

// Recall is what one entry changed of a table, as its table of changes keeps it.
type Recall struct {
	Changes string
	SQL     []string
}

// recall is Recalls of one entry, which own says is the work's. Of copies that
// are the same in everything, for want of a key, only those are meant that the
// step was about.
func (p Postgres) recall(table string, own bool) []string {
	var all []string
	within := own && p.refersToItself()
	for _, step := range stepNumbers(p.Work) {
		if step.table != table || step.did != "updated" {
			continue
		}
		which := ""
		switch {
		case step.number == stepSurvivors:
			which = " AND w.keep"
		case step.number == stepSet && own:
			which = " AND NOT w.keep"
		}
		if within { // all that was kept is read only where need be
			which += " AND (" + p.Missing() + ") > 0"
		}
		all = append(all, "UPDATE "+p.work+" AS w SET image = "+digest("q.after_text")+"\n"+
			"  FROM "+p.Changes()+" AS q WHERE "+p.mine()+fmt.Sprintf(" AND q.step = %d AND q.did = 'updated'", step.number)+which+" AND w.image = "+digest("q.before_text"))
	}
	if within { // batches may have changed a row in any order of the steps
		all = slices.Repeat(all, len(all))
	}
	return all
}

// refersToItself tells whether rows of the table change because they refer to
// others of it that go.
func (p Postgres) refersToItself() bool {
	return slices.ContainsFunc(p.References, func(r plan.Reference) bool { return r.Table == p.Table.Table && r.Rows > 0 })
}

// digest is the image of a row's text.
func digest(text string) string {
	return "'sha256:' || pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(" + text + ", 'UTF8')), 'hex')"
}

// Backs take the steps back.
func (p Postgres) Backs() (survivors, others []Back) {
	return backsOf(p.Work, func(step numberedStep) Back {
		if step.did == "deleted" {
			return Back{Table: step.table, SQL: p.insertBack(step)}
		}
		return Back{Table: step.table, SQL: p.updateBack(step)}
	})
}

// columnsOf are the columns of the planned table or of one that refers to it,
// and its primary key.
func (p Postgres) columnsOf(table string) (columns []plan.Column, id []string) {
	if table == p.Table.Table && p.byPlace() {
		return p.Case.Columns, nil
	}
	return tableOf(p.Work, table)
}

func (p Postgres) takenIn(step numberedStep) string {
	return p.mine() + fmt.Sprintf(" AND q.step = %d", step.number)
}

// updateBack gives rows their former values. A row that somebody changed since
// keeps that change, unless it is about the very columns that this case changed.
func (p Postgres) updateBack(step numberedStep) string {
	columns, id := p.columnsOf(step.table)
	own := ownColumns(p.Work, step)
	name := PostgresName(step.table)
	var sets, untouched []string
	for _, c := range columns {
		column := queries.Ident(c.Name)
		switch {
		case c.Generated || c.Identity == "always":
		case slices.Contains(own, c.Name):
			sets = append(sets, column+" = (q.b)."+column)
		default:
			sets = append(sets, column+" = CASE WHEN q.whole THEN (q.b)."+column+" ELSE t."+column+" END")
		}
	}
	for _, c := range own {
		// As text, for json and others that know no equality.
		untouched = append(untouched, "f."+queries.Ident(c)+"::text IS NOT DISTINCT FROM (s.a)."+queries.Ident(c)+"::text")
	}
	var found, from string
	if len(id) > 0 {
		from = "(SELECT t.tableoid AS twinrow_heap, t.ctid AS twinrow_place, (t.*)::text AS twinrow_text, t.* FROM " + name + " AS t)"
		var pairs []string
		for _, c := range id {
			pairs = append(pairs, "f."+queries.Ident(c)+" = (s.a)."+queries.Ident(c))
		}
		found = strings.Join(append(pairs, untouched...), " AND ") + " AND s.joined"
	} else {
		from = "(SELECT t.tableoid AS twinrow_heap, t.ctid AS twinrow_place, (t.*)::text AS twinrow_text, row_number() OVER (PARTITION BY (t.*)::text ORDER BY t.tableoid, t.ctid) AS n FROM " + name + " AS t)"
		found = "f.n = s.n AND f.twinrow_text = s.after_text"
	}
	return "WITH s AS MATERIALIZED (\n" + p.taken(step, own, id) + "),\n" +
		"q AS MATERIALIZED (SELECT s.b, s.before_text, s.straight AND f.twinrow_text = s.after_text AS whole, f.twinrow_heap AS heap, f.twinrow_place AS place\n" +
		"  FROM s JOIN " + from + " AS f ON " + found + "),\n" +
		"back AS (UPDATE " + name + " AS t SET " + strings.Join(sets, ", ") + "\n" +
		"  FROM q WHERE t.ctid = q.place AND t.tableoid = q.heap RETURNING q.whole, (t.*)::text = q.before_text AS same)\n" +
		"SELECT (SELECT count(*) FROM s), (SELECT count(*) FROM back), (SELECT count(*) FROM back WHERE back.whole AND NOT back.same)"
}

// taken reads what a step keeps. An array that names rows of several groups
// was changed once for each part of the work that they were in: it goes back
// to what it was before the first, where all of it follows one from the other.
func (p Postgres) taken(step numberedStep, own, id []string) string {
	name := PostgresName(step.table)
	from := "  FROM " + p.Changes() + " AS q WHERE " + p.takenIn(step)
	texts := "  SELECT q.before_text::" + name + " AS b, q.after_text::" + name + " AS a, q.before_text, q.after_text,"
	if !p.inArrays(step) || len(own)*len(id) == 0 {
		return texts + " true AS straight, true AS joined,\n" +
			"    row_number() OVER (PARTITION BY q.after_text ORDER BY q.seq) AS n\n" + from
	}
	return "  SELECT q.before_text::" + name + " AS b, q.after_text::" + name + " AS a, q.before_text, q.after_text, q.straight, q.joined, 1 AS n FROM (\n" +
		"    SELECT (pg_catalog.array_agg(l.before_text ORDER BY l.seq))[1] AS before_text, (pg_catalog.array_agg(l.after_text ORDER BY l.seq DESC))[1] AS after_text, bool_and(l.straight) AS straight, bool_and(l.joined) AS joined\n" +
		"    FROM (SELECT k.*, coalesce(lag(k.after_text) OVER x = k.before_text, true) AS straight, coalesce(lag((k.a)." + queries.Ident(own[0]) + ") OVER x = (k.b)." + queries.Ident(own[0]) + ", true) AS joined\n" +
		"      FROM (" + texts + " q.seq\n" + from + ") AS k WINDOW x AS (PARTITION BY " + prefixed("(k.a).", quotedAll(id)) + " ORDER BY k.seq)) AS l\n" +
		"    GROUP BY " + prefixed("(l.a).", quotedAll(id)) + ") AS q"
}

// inArrays tells whether a step changed arrays of ids.
func (p Postgres) inArrays(step numberedStep) bool {
	return slices.ContainsFunc(p.References, func(r plan.Reference) bool { return r.Array && r.Number == step.number/stepsAReference })
}

// insertBack puts rows that were deleted back.
func (p Postgres) insertBack(step numberedStep) string {
	columns, _ := p.columnsOf(step.table)
	var into, from []string
	for _, c := range columns {
		if !c.Generated {
			into, from = append(into, queries.Ident(c.Name)), append(from, "(s.b)."+queries.Ident(c.Name))
		}
	}
	name := PostgresName(step.table)
	return "WITH s AS MATERIALIZED (\n" +
		"  SELECT q.before_text::" + name + " AS b, q.before_text FROM " + p.Changes() + " AS q WHERE " + p.takenIn(step) + " ORDER BY q.seq),\n" +
		"back AS (INSERT INTO " + name + " AS t (" + strings.Join(into, ", ") + ") OVERRIDING SYSTEM VALUE\n" +
		"  SELECT " + strings.Join(from, ", ") + " FROM s RETURNING (t.*)::text AS row_text),\n" +
		"lost AS (SELECT s.before_text FROM s EXCEPT ALL SELECT back.row_text FROM back)\n" +
		"SELECT (SELECT count(*) FROM s), (SELECT count(*) FROM back), (SELECT count(*) FROM lost)"
}

// ReleaseChanges forgets this case's rows of the table.
func (p Postgres) ReleaseChanges() string {
	return "DELETE FROM " + p.Changes() + " AS q WHERE " + p.mine()
}
