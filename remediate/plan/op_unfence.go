package plan

// unfence takes the fence away, once the unique index does its work. It is
// the inverse of fence, and fence is its own.
func unfence(o Operation) Operation {
	return Operation{
		Op: OpUnfence, Hazards: []Hazard{}, Inverse: OpFence, Fence: o.Fence,
		Does: "drops the trigger " + o.Fence + ", its function and its index",
	}
}
