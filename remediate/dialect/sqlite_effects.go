package dialect

import (
	"fmt"
	"strings"

	"twinrow/remediate/plan"
)

// Sum is a number that is compared before and after a change.
type Sum struct {
	// Table is the table that it is of, SQL counts.
	Table, SQL string
	// Than and Change say how the number after the change stands to the one
	// before it: "=" and " - (SELECT …)", or "<=".
	Than, Change string
	// Wrong says, for people, what is amiss where it does not.
	Wrong string
}

// Sizes count the rows of every table that is touched.
func (s SQLite) Sizes() []Sum {
	var all []Sum
	for _, name := range s.Touched() {
		all = append(all, Sum{
			Table: name, SQL: "SELECT count(*) FROM " + s.table(name).target(), Than: "=", Change: s.shrinks(name),
			Wrong: "a trigger kept a row of " + name + " or removed others",
		})
	}
	return all
}

// shrinks is by how much a table is to shrink, as SQL that goes on a number.
func (s SQLite) shrinks(table string) string {
	if len(s.Set) > 0 {
		return ""
	}
	change := ""
	if table == s.own.name {
		change = " - (SELECT count(*) FROM " + s.expected() + " AS e WHERE NOT e.keep)"
	}
	for _, g := range s.pointings() {
		if g.ref.Table != table || g.ref.Rows == 0 {
			continue
		}
		column := map[string]string{plan.DeleteRow: "f.rows", plan.Repoint: "f.dropped"}[g.ref.Action]
		if column != "" {
			change += fmt.Sprintf(" - (SELECT coalesce(sum(%s), 0) FROM %s AS f WHERE f.number = %d AND f.group_no IN (SELECT e.group_no FROM %s AS e))", column, s.foretold(), g.ref.Number, s.expected())
		}
	}
	return change
}

// Emptied counts the references among rows that go which the table's own
// foreign keys set to NULL as the rows go one by one.
func (s SQLite) Emptied() string {
	var counts []string
	for _, k := range s.Case.IncomingKeys {
		if k.Table == s.own.name && strings.HasPrefix(strings.ToLower(k.OnDelete), "set ") {
			counts = append(counts, "(SELECT count(*) FROM "+s.found()+" AS f JOIN "+s.Target()+" AS t ON "+s.samePlace()+" JOIN "+s.Target()+" AS c ON "+refersAs(k, "c", "t")+
				" JOIN "+s.found()+" AS g ON "+s.own.at("c", "g.place_")+" WHERE NOT f.keep AND NOT g.keep)")
		}
	}
	return "SELECT 0" + strings.Join(append([]string{""}, counts...), " + ")
}

// Orphans count the rows that refer to nothing, in every table that refers to
// one whose rows change: a change must leave no more of them.
func (s SQLite) Orphans() []Sum {
	var all []Sum
	add := func(k plan.ForeignKey, parent stored) {
		all = append(all, Sum{
			Table: k.Table, SQL: "SELECT count(*) " + orphansFrom(k, childOf(k), parent.target(), ""), Than: "<=",
			Wrong: "rows of " + k.Table + " would refer to nothing",
		})
	}
	for _, k := range s.Case.IncomingKeys {
		add(k, s.own)
	}
	for _, g := range s.pointings() {
		for _, k := range g.child.Incoming {
			if g.ref.Rows > 0 && g.disturbs(k) != "" {
				add(k, g.rows)
			}
		}
	}
	return all
}

// childOf are the rows that refer, as orphans are looked for among them: each
// element of a list is a row.
func childOf(k plan.ForeignKey) string {
	child := referringRows(k)
	if !k.Array {
		return child
	}
	column := quotedAll(k.Columns)[0]
	return "(SELECT e.value AS " + column + " FROM " + child + " AS a, " + elements("a."+column) + " AS e)"
}
