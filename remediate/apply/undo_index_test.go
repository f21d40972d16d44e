package apply

import (
	"context"
	"slices"
	"testing"

	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

func (s *story) undoIndex() {
	s.t.Helper()
	target := s.open()
	defer target.Close()
	if err := UndoIndex(context.Background(), target, s.opened, s.plan, Options{}); err != nil {
		s.t.Fatal(full(err))
	}
}

// TestUndoOfTheIndexAlone: it can be done twice, apply goes on from it, and
// undo goes back from it.
func TestUndoOfTheIndexAlone(t *testing.T) {
	for _, strategy := range []string{plan.Atomic, plan.Online} {
		for _, d := range databases {
			if d.name != "tickets" && d.name != "an index replaced" || strategy == plan.Online && d.engine != "postgres" {
				continue
			}
			t.Run(strategy+"/"+d.engine+"/"+d.name, func(t *testing.T) {
				t.Parallel()
				d.options.Strategy = strategy
				s := d.make(t)
				before := s.dump()
				s.undoIndex()
				if diff := cmp.Diff(before, s.dump()); diff != "" {
					t.Fatalf("nothing was done, and it changed something: %s", diff)
				}
				s.apply()
				after := s.dump()
				for range 2 {
					s.undoIndex()
					if checks := s.verify().Checks; slices.ContainsFunc(checks, func(c Check) bool { return c.Name == "every removed row is gone" && !c.OK }) {
						t.Errorf("rows came back: %+v", checks)
					}
				}
				if result := s.apply(); result.Already || result.Tables[0].Index == "" || result.Tables[0].Rows != 0 {
					t.Errorf("%+v", result.Tables[0])
				}
				if diff := cmp.Diff(after, s.dump()); diff != "" && s.engine == "postgres" {
					t.Fatalf("the index came back otherwise: %s", diff)
				}
				s.undoIndex()
				s.undo()
				if diff := cmp.Diff(before, s.dump()); diff != "" {
					t.Fatalf("undo is not exact: %s", diff)
				}
			})
		}
	}
}
