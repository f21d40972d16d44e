package plan

import "fmt"

// deleteRows removes exactly the rows listed, each only if it is still as the
// evidence has it and its copy is in quarantine.
// more are the hazards that this table and engine add.
func deleteRows(table string, rows int, more []Hazard) Operation {
	return Operation{
		Op: OpDelete, Hazards: union([]Hazard{DeletesRows}, more), Inverse: OpRestore, Rows: rows,
		Does: fmt.Sprintf("deletes %s of %s, each only if it is still as the evidence has it", Count(rows, "row"), table),
	}
}

// restore puts the rows back from quarantine. It is the inverse of deleteRows.
func restore(o Operation) Operation {
	return Operation{
		Op: OpRestore, Hazards: []Hazard{}, Inverse: OpDelete, Rows: o.Rows,
		Does: fmt.Sprintf("puts %s back from quarantine, exactly as they were", Count(o.Rows, "row")),
	}
}
