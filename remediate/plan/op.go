package plan

import "slices"

// Operation is one step of a plan, as data. Which SQL it becomes is the
// dialect's; what it needs is all here.
type Operation struct {
	Op string `json:"op"`
	// Hazards are never nil.
	Hazards []Hazard `json:"hazards"`
	// Irreversible is true for an operation without an inverse.
	Irreversible bool `json:"irreversible"`
	// Inverse names the operation that takes this one back; "" where it is irreversible.
	Inverse string `json:"inverse,omitempty"`
	// Does says in plain words what happens.
	Does string `json:"does"`
	// Rows counts the rows it works on, 0 where it works on none.
	Rows int `json:"rows,omitempty"`
	// Quarantine is the table that keeps the removed rows, for quarantine and its inverse.
	Quarantine string `json:"quarantine,omitempty"`
	// Table is the table whose rows are changed, where it is not the planned one.
	Table string `json:"table,omitempty"`
	// Reference is the Number of the reference that is carried out.
	Reference *int `json:"reference,omitempty"`
	// Index is the index that is built or dropped.
	Index *Index `json:"index,omitempty"`
	// Fence names the trigger that keeps new duplicates out, and its function.
	Fence string `json:"fence,omitempty"`
}

// Names of the operations and of their inverses.
const (
	OpQuarantine  = "quarantine"
	OpRelease     = "release"
	OpDelete      = "delete"
	OpRestore     = "restore"
	OpRepoint     = "repoint"
	OpMerge       = "merge"
	OpSet         = "set"
	OpPutBack     = "put-back"
	OpUniqueIndex = "unique-index"
	OpDropIndex   = "drop-index"
	OpFence       = "fence"
	OpUnfence     = "unfence"
)

// Undo returns the operation that takes this one back; ok is false where there is none.
func (o Operation) Undo() (inverse Operation, ok bool) {
	switch o.Op {
	case OpQuarantine:
		return release(o), true
	case OpDelete:
		return restore(o), true
	case OpRepoint, OpMerge, OpSet:
		return putBack(o), true
	case OpUniqueIndex:
		return dropIndex(o), true
	case OpFence:
		return unfence(o), true
	case OpUnfence:
		return fence(o.Fence), true
	default:
		return Operation{}, false
	}
}

// UndoOf lists the inverses of operations in the order in which they take the whole back.
func UndoOf(operations []Operation) []Operation {
	var undo []Operation
	for _, operation := range slices.Backward(operations) {
		if inverse, ok := operation.Undo(); ok {
			undo = append(undo, inverse)
		}
	}
	return undo
}
