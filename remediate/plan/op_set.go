package plan

import (
	"fmt"
	"strings"
)

// set keeps the surplus rows and makes them unique by changing columns. Each
// is kept as it was.
func set(table string, rows int, assignments []Assignment, hazards []Hazard) Operation {
	var columns []string
	for _, a := range assignments {
		columns = append(columns, a.Column)
	}
	return Operation{
		Op: OpSet, Hazards: union(hazards), Inverse: OpPutBack, Rows: rows, Table: table,
		Does: fmt.Sprintf("sets %s of %s of %s, which %s and %s unique", strings.Join(columns, ", "), Count(rows, "surplus row"), table, Verb(rows, "stays", "stay"), Verb(rows, "becomes", "become")),
	}
}
