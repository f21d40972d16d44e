package plan

import "fmt"

// quarantine copies the rows that will go, losslessly, beside their case,
// group and survivor.
func quarantine(engine, table, caseID string, rows int) Operation {
	name := QuarantineTable(engine, table, caseID)
	return Operation{
		Op: OpQuarantine, Hazards: []Hazard{}, Inverse: OpRelease, Rows: rows, Quarantine: name,
		Does: fmt.Sprintf("copies %s of %s to %s, exactly as they are", Count(rows, "row"), table, name),
	}
}

// release forgets the copies once the rows are back in their table, and the
// quarantine itself when it is empty. It is the inverse of quarantine.
func release(o Operation) Operation {
	return Operation{
		Op: OpRelease, Hazards: []Hazard{}, Irreversible: true, Rows: o.Rows, Quarantine: o.Quarantine,
		Does: fmt.Sprintf("removes %s of this case from %s, and drops it when it is empty", Count(o.Rows, "row"), o.Quarantine),
	}
}
