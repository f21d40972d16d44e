package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// grandchildren are the looks at what refers to the hits that are deleted, or
// whose own key moves: a cascade would change it unkept, or the database refuse.
func (g pointing) grandchildren() []Referred {
	if g.ref.Rows == 0 {
		return nil
	}
	var all []Referred
	for _, k := range g.child.Incoming {
		which := g.disturbs(k)
		if which == "" {
			continue
		}
		own, on := "", make([]string, len(k.Columns))
		if gone := g.gone("o"); gone != "" && k.Table == g.ref.Table {
			own = " AND NOT EXISTS (SELECT FROM " + g.hits() + " AS o WHERE " + gone + " AND o.place = d.ctid AND o.heap = d.tableoid)"
		}
		for i := range k.Columns {
			on[i] = "d." + queries.Ident(k.Columns[i]) + " = c." + queries.Ident(k.References[i])
		}
		all = append(all, Referred{Number: unforeseen, Table: k.Table,
			Counts: "SELECT h.group_no, min(h.row_id) AS row_id, count(*) AS rows, 0::bigint AS dropped, 0::bigint AS merged\n" +
				"  FROM " + g.hits() + " AS h JOIN " + g.name() + " AS c ON c.ctid = h.place AND c.tableoid = h.heap\n" +
				"  JOIN " + PostgresName(k.Table) + " AS d ON " + strings.Join(on, " AND ") + " WHERE (" + which + ")" + own + " GROUP BY h.group_no"})
	}
	return all
}

// disturbs says for which hits, h, of rows c those that refer to them by k are disturbed.
func (g pointing) disturbs(k plan.ForeignKey) string {
	var which []string
	if gone := g.gone("h"); gone != "" {
		which = append(which, gone)
	}
	for i, column := range g.ref.Columns {
		if g.ref.Action != plan.DeleteRow && slices.Contains(k.References, column) {
			to := fmt.Sprintf("h.new_%d", i+1)
			if g.ref.Action == plan.SetNull {
				to = "NULL"
			}
			which = append(which, "NOT h.doomed AND "+to+" IS DISTINCT FROM c."+queries.Ident(column))
		}
	}
	return strings.Join(which, " OR ")
}

// gone says which hits are deleted, "" where none is.
func (g pointing) gone(alias string) string {
	switch {
	case g.ref.Action == plan.DeleteRow:
		return "true"
	case g.ref.Action == plan.Repoint && g.ref.Dropped > 0:
		return alias + ".doomed"
	}
	return ""
}
