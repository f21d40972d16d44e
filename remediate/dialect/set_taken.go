package dialect

import (
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// SetKey writes, over a row of the table, the parts of the key that the row
// would have once its columns are set, and the condition that the table has a
// row with that key already. It is SQL of every engine.
func SetKey(engine string, table *plan.CaseTable, set []plan.Assignment) (parts []string, taken string) {
	columns := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		columns[i] = queries.Ident(c.Name)
		if j := slices.IndexFunc(set, func(a plan.Assignment) bool { return a.Column == c.Name }); j >= 0 {
			columns[i] = "(" + set[j].Value + "\n) AS " + columns[i]
		}
	}
	// The row as it would be; in the inner query its new values hide the old ones.
	made := " FROM (SELECT " + strings.Join(columns, ", ") + ") AS twinrow_made"
	there := keyExprs(table.Key)
	for _, part := range there {
		parts = append(parts, "(SELECT "+part+made+")")
	}
	name := queries.Ident(table.Table)
	if engine == "postgres" {
		name = PostgresName(table.Table)
	}
	rows := "SELECT " + strings.Join(there, ", ") + " FROM " + name
	taken = "(" + strings.Join(parts, ", ") + ") IN (" + rows + ")"
	if table.Where != "" {
		taken = "(SELECT (" + table.Where + "\n)" + made + ") AND (" + strings.Join(parts, ", ") + ") IN (" + rows + " WHERE (" + table.Where + "\n))"
	}
	return parts, taken
}
