package dialect

import (
	"fmt"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// OnlineBatch is how many rows one transaction of an online clean-up removes
// where nothing else is said.
const OnlineBatch = 1000

// Batch is the work on some groups of an online clean-up.
func Batch(w *plan.Work, groups []plan.WorkGroup) *plan.Work {
	batch := *w
	batch.Groups = groups
	return &batch
}

// Batches cuts the groups into parts that remove about size rows each; a group
// is never cut.
func Batches(groups []plan.WorkGroup, size int) [][]plan.WorkGroup {
	var parts [][]plan.WorkGroup
	for len(groups) > 0 {
		n := NextBatch(groups, size)
		parts = append(parts, groups[:n])
		groups = groups[n:]
	}
	return parts
}

// NextBatch is how many of the groups, which are one at least, make the next
// part of about size rows.
func NextBatch(groups []plan.WorkGroup, size int) int {
	rows := 0
	for i, g := range groups {
		if rows += len(g.Remove); rows > size && i > 0 {
			return i
		}
	}
	return len(groups)
}

// Between narrows everything that looks at the quarantine to the groups with
// these numbers, first and last included.
func (p Postgres) Between(first, last int) Postgres {
	p.span = fmt.Sprintf(" AND q.group_no BETWEEN %d AND %d", first, last)
	return p
}

// Only narrows everything that looks at what was kept to these groups.
func (p Postgres) Only(groups []int) Postgres {
	p.span = " AND q.group_no = ANY (" + queries.Literal("{"+strings.Trim(strings.Join(strings.Fields(fmt.Sprint(groups)), ","), "[]")+"}") + "::pg_catalog.int8[])"
	return p
}

// LockFree locks the rows of the work that nobody else has locked, and returns
// the groups of which a row is there and could not be had. It never waits: to
// wait for one row would keep others waiting for the rest.
func (p Postgres) LockFree() string {
	return "WITH got AS MATERIALIZED (\n" +
		"  SELECT w.group_no, w.row_no FROM " + p.work + " AS w JOIN " + p.Target() + " AS t ON " + p.match() + " FOR UPDATE OF t SKIP LOCKED)\n" +
		"SELECT DISTINCT w.group_no FROM " + p.work + " AS w JOIN " + p.Target() + " AS t ON " + p.match() + "\n" +
		"WHERE NOT EXISTS (SELECT FROM got AS g WHERE g.group_no = w.group_no AND g.row_no = w.row_no)"
}

// lockRows locks the rows of the work, in the order of their ids; for a file,
// which cannot come back to those that somebody else has.
func (p Postgres) lockRows() string {
	order := make([]string, len(p.Case.ID))
	for i := range order {
		order[i] = fmt.Sprintf("w.id_%d", i+1)
	}
	return "SELECT count(*) AS locked_rows FROM (SELECT FROM " + p.work + " AS w JOIN " + p.Target() + " AS t ON " + p.match() + " ORDER BY " + strings.Join(order, ", ") + " FOR UPDATE OF t) AS l"
}

// Missing counts the rows of the work that are not where the scan found them.
func (p Postgres) Missing() string {
	return "SELECT count(*) FROM " + p.work + " AS w WHERE NOT EXISTS (SELECT FROM " + p.Target() + " AS t WHERE " + p.match() + " AND " + image + " = w.image)"
}

// DropEmpty drops a table that keeps rows once nothing is in it.
func (p Postgres) DropEmpty(table string) string { return DoBlock(dropEmpty(table)...) }
