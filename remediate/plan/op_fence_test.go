package plan

import "testing"

func TestFenceAndItsInverse(t *testing.T) {
	o := fence(OwnName("fence", "c0ffee000000", "public.tickets"))
	undo, ok := o.Undo()
	if !ok || undo.Op != OpUnfence || undo.Op != o.Inverse || undo.Fence != o.Fence || len(o.Fence) > 34 {
		t.Errorf("%+v %+v", o, undo)
	}
	if OwnName("fence", "c0ffee000000", "a") == OwnName("fence", "c0ffee000000", "b") {
		t.Error("two entries share a fence")
	}
}
