package apply

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/remediate/plan"
)

// stopped says which groups were left alone or are new, and that the index
// waits for them.
func (r *runner) stopped(drifted []Drift, arrived int, whence string) error {
	groups := driftedGroups(drifted)
	if !r.opts.DryRun && r.log.open() {
		if err := r.log.write(eventStopped, entryData{Drifted: groups}); err != nil {
			return err
		}
	}
	if len(drifted) == 0 {
		return &plan.Problem{
			Code:    plan.CodeStopped,
			Message: fmt.Sprintf("stopped before the index: new duplicates of %s %s; what the plan names is cleaned", plan.Count(arrived, "key"), whence),
			Hint:    "stop what writes them, then run again with --rescan, which takes what is left and the index; `twinrow undo " + r.dir + "` takes back what was done",
		}
	}
	where, left := "before the index", "what is left and the index"
	if !slices.ContainsFunc(r.p.Tables, func(t plan.Table) bool { return t.Operation(plan.OpUniqueIndex) != nil }) {
		where, left = "part-way", "what is left"
	}
	var rows []string
	for _, d := range drifted[:min(len(drifted), 5)] {
		rows = append(rows, fmt.Sprintf("group %d: row %s is %s", d.Group, d.Row, d.State))
	}
	if len(drifted) > 5 {
		rows = append(rows, fmt.Sprintf("and %d more", len(drifted)-5))
	}
	return &plan.Problem{
		Code:    plan.CodeStopped,
		Message: fmt.Sprintf("stopped %s: %s %s no longer as the evidence has %s (%s)", where, plan.Count(len(groups), "group"), plan.Verb(len(groups), "was left alone, because it is", "were left alone, because they are"), plan.Verb(len(groups), "it", "them"), strings.Join(rows, "; ")),
		Hint:    "look at these rows, then run again with --rescan, which takes " + left + "; `twinrow undo " + r.dir + "` takes back what was done",
	}
}

func driftedGroups(drifted []Drift) []int {
	var groups []int
	for _, d := range drifted { // in the order of their groups
		if len(groups) == 0 || groups[len(groups)-1] != d.Group {
			groups = append(groups, d.Group)
		}
	}
	return groups
}
