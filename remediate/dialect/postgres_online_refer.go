package dialect

import (
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// Busy is the look at one reference in an online clean-up: after Prepare, SQL
// locks the rows that are to change, without waiting, and returns the groups
// of which one could not be had.
type Busy struct {
	Prepare []string
	SQL     string
}

// Busy are the looks at all references whose rows change.
func (p Postgres) Busy() []Busy {
	var all []Busy
	for _, g := range p.pointings() {
		if g.ref.Rows == 0 || g.ref.Action == plan.DeleteRow {
			continue // to delete a row takes no right to lock it before
		}
		prepare, hits := append(g.find(), g.collide()...), "SELECT h.group_no, h.heap, h.place FROM "+g.hits()+" AS h"
		if g.ref.Array {
			prepare = listing{g}.find()
		} else {
			hits += " UNION ALL SELECT h.group_no, h.keeper_heap, h.keeper_place FROM " + g.hits() + " AS h WHERE h.doomed"
		}
		all = append(all, Busy{prepare, "WITH hit AS MATERIALIZED (" + hits + "),\n" +
			"got AS MATERIALIZED (SELECT c.tableoid AS heap, c.ctid AS place FROM hit AS h JOIN " + g.name() + " AS c ON c.ctid = h.place AND c.tableoid = h.heap FOR UPDATE OF c SKIP LOCKED)\n" +
			"SELECT DISTINCT h.group_no FROM hit AS h WHERE NOT EXISTS (SELECT FROM got AS g WHERE g.heap = h.heap AND g.place = h.place)"})
	}
	return all
}

// Late counts the rows of a table that name rows which went, by a reference
// that no constraint keeps: they came between the look and the delete.
type Late struct{ Table, SQL string }

// Late are the looks at all such references.
func (p Postgres) Late() []Late {
	if len(p.Set) > 0 {
		return nil
	}
	var all []Late
	for i := range p.References {
		r := &p.References[i]
		if !r.Declared {
			continue
		}
		var named, went []string
		for n, c := range r.Columns {
			named, went = append(named, "c."+queries.Ident(c)+"::text"), append(went, "(t.whole)."+queries.Ident(r.References[n])+"::text")
		}
		all = append(all, Late{r.Table, "SELECT count(*) FROM " + childrenOf(p.Case.IncomingKeys[r.Number]) + " AS c WHERE (" + strings.Join(named, ", ") + ") IN (\n" +
			"  SELECT " + strings.Join(went, ", ") + " FROM (SELECT q.row_text::" + p.Target() + " AS whole FROM " + p.Quarantine() + " AS q WHERE " + p.mine() + " OFFSET 0) AS t)"})
	}
	return all
}
