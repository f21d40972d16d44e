package main

import (
	"fmt"
	"strings"

	"twinrow/remediate/plan"
	"twinrow/report"
)

// printPlan shows what a person signs: who stays, what is done, what it can
// do beside, and where it is written.
func (p *program) printPlan(dir string, made *plan.Plan) {
	for i := range made.Tables {
		t := &made.Tables[i]
		fmt.Fprintf(p.stdout, "%s: %s, %s, %s held back\n", oneLine(t.Table), report.Count(len(t.Groups), "group"), surplus(t), report.Count(len(t.Held), "group"))
		for _, g := range t.Groups[:min(len(t.Groups), shownGroups)] {
			verb, rows := "remove", g.Remove
			if len(t.Set) > 0 {
				verb, rows = "set", g.Set
			}
			var ids []string
			for _, id := range rows {
				ids = append(ids, plan.IDText(id))
			}
			fmt.Fprintf(p.stdout, "  #%d keep %s, %s %s (%s)\n", g.Number, oneLine(plan.IDText(g.Keep)), verb, oneLine(strings.Join(ids, "; ")), oneLine(g.Reason))
		}
		if more := len(t.Groups) - shownGroups; more > 0 {
			fmt.Fprintf(p.stdout, "  and %d more in plan.json\n", more)
		}
		for _, h := range t.Held[:min(len(t.Held), shownGroups)] {
			fmt.Fprintf(p.stdout, "  #%d held: %s\n", h.Number, oneLine(h.Reason))
		}
		fmt.Fprintf(p.stdout, "  %s: %s\n", t.Strategy, t.StrategyReason)
		for i, o := range t.Operations {
			fmt.Fprintf(p.stdout, "  %d. %s: %s\n", i+1, o.Op, oneLine(o.Does))
		}
		for _, note := range t.Notes {
			fmt.Fprintf(p.stdout, "  note: %s\n", oneLine(note))
		}
	}
	if d := made.Decided; d != nil {
		fmt.Fprintf(p.stdout, "%s decided by %s with %s at %s\n", report.Count(len(d.Groups), "group"), oneLine(d.By), oneLine(d.File), d.At)
	}
	for _, h := range made.Hazards {
		fmt.Fprintf(p.stdout, "hazard %s: %s\n", h, h.Means())
	}
	for _, f := range made.Files {
		fmt.Fprintf(p.stdout, "wrote %s\n", oneLine(plan.PathIn(dir, f.Path)))
	}
}

// surplus says how many rows are more than one of each group, and what becomes of them.
func surplus(t *plan.Table) string {
	if len(t.Set) > 0 {
		return report.Count(t.SetRows(), "row") + " to set"
	}
	return report.Count(t.Removed(), "row") + " to remove"
}

// shownGroups is how many groups a terminal is given; the rest stands in plan.json.
const shownGroups = 20
