package plan

import "fmt"

// fence keeps new duplicates out while the clean-up lasts: a trigger that
// refuses what the unique index will refuse, and an index for its look-up
// where the table has none on the key.
func fence(name string) Operation {
	return Operation{
		Op: OpFence, Hazards: []Hazard{}, Inverse: OpUnfence, Fence: name,
		Does: fmt.Sprintf("puts the trigger %s on the table, which refuses new duplicates with the error of the coming index, and an index for its look-up where there is none on the key", name),
	}
}
