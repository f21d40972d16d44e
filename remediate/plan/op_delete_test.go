package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDeleteAndItsInverse(t *testing.T) {
	o := deleteRows("public.tickets", 1, []Hazard{TakesLock, Cascades})
	if diff := cmp.Diff([]Hazard{DeletesRows, Cascades, TakesLock}, o.Hazards); diff != "" {
		t.Error(diff)
	}
	undo, ok := o.Undo()
	if !ok || undo.Op != OpRestore || undo.Op != o.Inverse || undo.Rows != 1 {
		t.Errorf("%+v", undo)
	}
}

func TestUndoOfRunsBackwards(t *testing.T) {
	all := []Operation{quarantine("sqlite", "t", "c", 1), deleteRows("t", 1, nil), uniqueIndex("t", &Index{Name: "i"}, nil)}
	var got []string
	for _, o := range UndoOf(all) {
		got = append(got, o.Op)
	}
	if diff := cmp.Diff([]string{OpDropIndex, OpRestore, OpRelease}, got); diff != "" {
		t.Error(diff)
	}
}
