package plan

import "testing"

func TestUnfenceAndItsInverse(t *testing.T) {
	up := fence("twinrow_fence_x")
	o := unfence(up)
	undo, ok := o.Undo()
	if !ok || undo.Op != OpFence || undo.Op != o.Inverse || undo.Fence != up.Fence {
		t.Errorf("%+v %+v", o, undo)
	}
}
