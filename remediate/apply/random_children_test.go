package apply

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// makeChild makes a table that refers to the parent, once or twice, and fills it.
func (w *world) makeChild(refs []string) string {
	name := w.name("child")
	var columns []column
	var fks [][]column
	var definitions []string
	if w.may(60) {
		columns = append(columns, column{name: w.name("id"), kind: "int", tail: " PRIMARY KEY"})
	}
	for range 1 + w.IntN(2) {
		var fk []column
		for _, to := range w.named {
			i := slices.IndexFunc(w.columns, func(c column) bool { return c.name == to })
			fk = append(fk, column{name: w.name("ref"), kind: w.columns[i].kind})
		}
		fks, columns = append(fks, fk), append(columns, fk...)
		definitions = append(definitions, "FOREIGN KEY ("+quoted(fk)+") REFERENCES "+w.table(w.parent)+" ("+queries.Idents(w.named)+")"+w.onDelete())
	}
	tag := column{name: w.name("tag"), kind: "int"}
	columns = append(append(columns, tag), w.payload(w.IntN(3))...)
	unique := w.may(40)
	if unique {
		w.trait("child's unique key")
	}
	all := make([]string, 0, len(columns)+len(definitions))
	for _, c := range columns {
		all = append(all, queries.Ident(c.name)+" "+c.kind+c.tail)
	}
	w.f("CREATE TABLE %s (%s);", w.table(name), strings.Join(append(all, definitions...), ", "))
	if unique {
		w.f("CREATE UNIQUE INDEX ON %s (%s, %s)%s;", w.table(name), quoted(fks[0]), queries.Ident(tag.name), w.one("", "", " WHERE "+queries.Ident(tag.name)+" > 0"))
	}
	for n := 1; n <= w.IntN(30); n++ {
		var values []string
		for _, c := range columns {
			switch {
			case c.tail == " PRIMARY KEY":
				values = append(values, fmt.Sprint(n))
			case c.name == tag.name:
				values = append(values, fmt.Sprint(w.IntN(4)))
			case c.value != nil:
				values = append(values, c.value(w.Rand))
			case slices.ContainsFunc(fks, func(fk []column) bool { return fk[0].name == c.name }):
				ref := refs[w.IntN(len(refs))]
				if w.may(15) {
					ref = strings.TrimSuffix(strings.Repeat("NULL, ", len(w.named)), ", ")
				}
				values = append(values, ref)
			}
		}
		w.f("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT DO NOTHING;", w.table(name), quoted(columns), strings.Join(values, ", "))
	}
	w.trait("children")
	w.refer(name, fks, tag)
	if columns[0].tail == " PRIMARY KEY" && w.may(25) {
		w.f("CREATE TABLE %s (id int REFERENCES %s%s);", w.table(w.name("grandchild")), w.table(name), w.onDelete())
		w.trait("grandchildren")
	}
	return name
}

// refer draws what becomes of the rows that refer.
func (w *world) refer(child string, fks [][]column, tag column) {
	for _, fk := range fks {
		rule := plan.ReferenceRule{Table: w.table(child), Columns: columnsOf(fk)}
		if w.schema == "public" && w.may(50) {
			rule.Table = queries.Ident(child)
		}
		switch w.IntN(6) {
		case 0:
			rule.Action = plan.DeleteRow
		case 1:
			rule.Action = plan.SetNull
		case 2, 3:
			rule.OnConflict = plan.Drop
		case 4:
			rule.OnConflict, rule.Merge = plan.Merge, []plan.ColumnRule{{Column: tag.name, Rule: "keep"}}
		default:
			continue
		}
		w.rules.References = append(w.rules.References, rule)
	}
}
