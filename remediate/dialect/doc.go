// Package dialect turns the operations of a plan into SQL: the statements that
// apply runs, the numbered files that an engine's own client runs alone, and
// the migrations of a team's tool.
//
// It must not know a driver or a connection, and decides nothing: what is done
// to which row stands in the plan.
package dialect

import (
	"slices"

	"twinrow/remediate/plan"
)

// Marker is the text that proves that this case built an index: the comment on
// it in Postgres, a comment inside its definition in SQLite.
func Marker(caseID string) string { return "twinrow case " + caseID }

// Check is one thing that verify looks at.
type Check struct {
	Name string
	// SQL returns one row: whether the check holds, and a detail for people.
	SQL string
}

// isColumn tells whether an id part is a column of the table and not the
// engine's own row identity.
func isColumn(w *plan.Work, name string) bool {
	for _, c := range w.Case.Columns {
		if c.Name == name {
			return true
		}
	}
	return false
}

// KeptCheck is the name of the check that needs the quarantine to be there.
const KeptCheck = "every removed row is in quarantine"

// The other checks about single rows.
const (
	survivorsCheck = "every survivor is as the evidence has it"
	surplusCheck   = "every surplus row is as it was made"
	goneCheck      = "every removed row is gone"
)

// AboutRows tells the checks about the rows of a plan from those about its table.
func AboutRows(check string) bool {
	return slices.Contains([]string{KeptCheck, survivorsCheck, surplusCheck, goneCheck}, check)
}
