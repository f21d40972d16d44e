package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// What the table of changes says of a row: a row that went, or one that
// changed as it was before and after.
const (
	didDelete = "deleted"
	didBefore = "before"
	didAfter  = "after"
)

// table is a table that the plan changes.
func (s SQLite) table(name string) stored {
	if name == s.own.name {
		return s.own
	}
	for _, k := range s.Case.IncomingKeys {
		if k.Table == name && k.Child != nil {
			return childStored(name, k.Child)
		}
	}
	return stored{name: name}
}

// ChangesName is the name of the table that keeps rows of a table which are
// changed, or deleted beside the planned ones; not quoted.
func (s SQLite) ChangesName(table string) string {
	return plan.ChangesTable(s.Engine, table, s.CaseID)
}

func (s SQLite) changes(table string) string { return "main." + queries.Ident(s.ChangesName(table)) }

// ChangedTables are the tables whose rows the plan changes beside those that go.
func (s SQLite) ChangedTables() []string {
	var tables []string
	for _, step := range stepNumbers(s.Work) {
		if !slices.Contains(tables, step.table) {
			tables = append(tables, step.table)
		}
	}
	return tables
}

// CreateChanges makes the tables that keep changed rows where they are not there yet.
func (s SQLite) CreateChanges() []string {
	var all []string
	for _, table := range s.ChangedTables() {
		all = append(all, createKept(s.ChangesName(table), s.table(table).kept(), s.table(table).keptKey()), s.indexChanges(table))
	}
	return all
}

// indexChanges makes the look-up of what is kept of a row.
func (s SQLite) indexChanges(table string) string {
	name := s.ChangesName(table)
	return "CREATE INDEX IF NOT EXISTS main." + queries.Ident(name+"_ids") + " ON " + queries.Ident(name) + " (" + strings.Join(s.table(table).ids(), ", ") + ")"
}

// keptKey is what no two rows of a table of changes have in common.
func (t stored) keptKey() []string {
	m := t.meta()
	return []string{m.entry, m.step, m.group, m.row, m.did}
}

// keptRow says which row of a change is kept: SQL for its numbers, and for the
// row of the plan that it is, NULL where it is none.
type keptRow struct{ group, row, ofGroup, ofRow string }

// keep writes down rows c of a table, which from selects.
func (s SQLite) keep(step int, t stored, did string, row keptRow, from string) string {
	return "INSERT INTO " + s.changes(t.name) + " (" + queries.Idents(t.kept()) + ")\n" +
		fmt.Sprintf("  SELECT %s, %d, %s, %s, '%s', %s, %s, ", s.Literal(s.Name), step, row.group, row.row, did, row.ofGroup, row.ofRow) +
		sqliteNow + ", " + t.rowid("c") + ", " + prefixed("c.", quotedAll(t.writable())) + "\n  FROM " + from
}

// taken selects the rows of a table of changes that one step kept.
func (s SQLite) taken(t stored, alias string, step int, did string) string {
	m := t.meta()
	return fmt.Sprintf("%[1]s.%[2]s = %[3]s AND %[1]s.%[4]s = %[5]d AND %[1]s.%[6]s = '%[7]s'", alias, m.entry, s.Literal(s.Name), m.step, step, m.did, did)
}

// samePair joins two kept rows of one change.
func (t stored) samePair(a, b string) string {
	m := t.meta()
	return fmt.Sprintf("%[1]s.%[3]s = %[2]s.%[3]s AND %[1]s.%[4]s = %[2]s.%[4]s", a, b, m.group, m.row)
}

// whole holds where every row that a step was to change is kept as it was and as it is.
func (s SQLite) whole(t stored, step int) string {
	changes := s.changes(t.name)
	return "NOT EXISTS (SELECT 1 FROM " + changes + " AS b WHERE " + s.taken(t, "b", step, didBefore) +
		" AND NOT EXISTS (SELECT 1 FROM " + changes + " AS a WHERE " + s.taken(t, "a", step, didAfter) + " AND " + t.samePair("a", "b") + "))"
}

// Stamped counts the rows that a step changed in more than its own columns:
// what a trigger did to them.
func (s SQLite) Stamped(step Step) string {
	t := s.table(step.Table)
	own := ownColumns(s.Work, numberedStep{number: step.number})
	others := slices.DeleteFunc(t.writable(), func(c string) bool { return slices.Contains(own, c) })
	if step.Deletes || len(others) == 0 {
		return "SELECT 0"
	}
	changes := s.changes(t.name)
	return "SELECT count(*) FROM " + changes + " AS b JOIN " + changes + " AS a ON " + t.samePair("a", "b") + " AND " + s.taken(t, "a", step.number, didAfter) +
		" WHERE " + s.taken(t, "b", step.number, didBefore) + " AND NOT " + concat(sameValues("a", "b", others), " AND ")
}

// Recall finds rows that this case itself changed, if they are as it left
// them: they are expected so.
func (s SQLite) Recall() []string {
	m := s.own.meta()
	return s.recall(s, fmt.Sprintf("a.%s = e.group_no AND a.%s = e.row_no", m.ofGroup, m.ofRow))
}

// RecallLater does the same for what a later case changed, whose groups have
// other numbers: the rows are told by their ids.
func (s SQLite) RecallLater(later SQLite) []string {
	var ids []string
	for _, name := range s.Case.ID {
		ids = append(ids, "CAST(t."+s.own.ident(name)+" AS TEXT) IS (SELECT j.value FROM json_each(e.row_id) AS j WHERE j.key = "+s.Literal(name)+")")
	}
	return s.recall(later, strings.Join(ids, " AND "))
}

// recall finds expected rows, e, among those that a case changed last, a,
// where the table has them so, t.
func (s SQLite) recall(by SQLite, which string) []string {
	if !slices.Contains(by.ChangedTables(), s.own.name) {
		return nil
	}
	t, m, changes := s.own, s.own.meta(), by.changes(s.own.name)
	left := func(alias string) string {
		return fmt.Sprintf("%[1]s.%[2]s = %[3]s AND %[1]s.%[4]s = '%[5]s'", alias, m.entry, s.Literal(by.Name), m.did, didAfter)
	}
	same := append(t.sameKept("a"), sameValues("t", "a", t.writable())...)
	again := fmt.Sprintf("z.%[1]s = a.%[1]s AND z.%[2]s = a.%[2]s AND z.%[3]s > a.%[3]s", m.ofGroup, m.ofRow, m.step)
	return []string{"INSERT INTO " + s.found() + " SELECT e.group_no, e.row_no, e.keep, " + prefixed("t.", t.quoted()) + "\n" +
		"  FROM " + changes + " AS a JOIN " + s.Target() + " AS t ON " + concat(same, " AND ") + " JOIN " + s.expected() + " AS e ON " + which + "\n" +
		"  WHERE " + left("a") + s.notFound("e.group_no", "e.row_no") + "\n" +
		"  AND NOT EXISTS (SELECT 1 FROM " + changes + " AS z WHERE " + left("z") + " AND " + again + ")"}
}

// former joins rows of the planned table as they were before a change of this
// case, b, to those that it left, a, as the table has them, t.
func (s SQLite) former() string {
	t, m, changes := s.own, s.own.meta(), s.changes(s.own.name)
	same := append(t.sameKept("a"), sameValues("t", "a", t.writable())...)
	return changes + " AS b JOIN " + changes + " AS a ON " + strings.Join(t.sameRow("a", "b"), " AND ") + " AND a." + m.did + " = '" + didAfter + "'\n" +
		"  JOIN " + s.Target() + " AS t ON " + concat(same, " AND ") + " WHERE b." + m.did + " = '" + didBefore + "'"
}

// keptIdent is a column of the table, or its rowid, where it is kept.
func (s SQLite) keptIdent(column string) string {
	if s.own.has(column) {
		return queries.Ident(column)
	}
	return queries.Ident(s.own.meta().rowid)
}

// notFound leaves out an expected row that was found already.
func (s SQLite) notFound(group, row string) string {
	return fmt.Sprintf(" AND NOT EXISTS (SELECT 1 FROM %s AS f WHERE f.group_no = %s AND f.row_no = %s)", s.found(), group, row)
}

// TouchedByOthers tells whether another entry of the plan changes rows of the table.
func (s SQLite) TouchedByOthers() bool {
	return slices.ContainsFunc(s.Touching, func(w *plan.Work) bool { return w.Name != s.Name })
}

// ReleaseChanges forgets this entry's rows of the changes of a table.
func (s SQLite) ReleaseChanges(table string) string {
	return "DELETE FROM " + s.changes(table) + " WHERE " + s.table(table).meta().entry + " = " + s.Literal(s.Name)
}

// refersAs is the condition that a row of a child refers to a row of its
// parent, each under an alias, by the parent's collation. A list of ids is
// JSON; what is not JSON refers to nothing.
func refersAs(k plan.ForeignKey, child, parent string) string {
	var pairs []string
	for i, name := range k.Columns {
		from, to := child+"."+queries.Ident(name), parent+"."+queries.Ident(k.References[i])
		if k.Array {
			pairs = append(pairs, "EXISTS (SELECT 1 FROM "+elements(from)+" AS j WHERE j.value = "+to+")")
			continue
		}
		pairs = append(pairs, to+" = "+from)
	}
	return strings.Join(pairs, " AND ")
}
