package apply

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"twinrow/remediate/dialect"
	"twinrow/remediate/journal"
	"twinrow/remediate/plan"
)

// Stage is a case with its plan.
type Stage struct {
	Opened *plan.Case
	Plan   *plan.Plan
}

// Verify looks whether what the plan wants holds: no duplicates left, the index
// valid, survivors unchanged, everything removed in quarantine, no orphans. It
// changes nothing. Groups that the plan holds back are told from missed ones.
// later are the cases inside this one that were carried out, in their order:
// each is looked at too, and what one did to rows of those before it is no fault.
func Verify(ctx context.Context, t Target, opened *plan.Case, p *plan.Plan, later ...Stage) (*Report, error) {
	if err := t.identify(ctx, opened); err != nil {
		return nil, err
	}
	var chain [][]*plan.Work
	left := []Check{}
	for _, stage := range append([]Stage{{opened, p}}, later...) {
		works, err := prepare(t, stage.Opened, stage.Plan)
		if err != nil {
			return nil, err
		}
		l, err := readLog(stage.Opened.Dir, func(journal.Record) {})
		if err != nil {
			return nil, err
		}
		settledOnly(works, l)
		left = append(left, leftAlone(works, l)...)
		chain = append(chain, works)
	}
	report := &Report{Checks: left}
	for i, works := range chain {
		for n, w := range works {
			checks, err := verifyTable(ctx, t, w, n+1, laterOf(chain[i+1:], w.Table.Table))
			if err != nil {
				return nil, err
			}
			if i > 0 { // the rest was looked at already
				checks = slices.DeleteFunc(checks, func(c Check) bool { return !dialect.AboutRows(c.Name) })
			}
			report.Checks = append(report.Checks, checks...)
		}
	}
	return report, nil
}

// leftAlone takes the groups that a run left alone out of the works, and says
// so: of them it is not true that a survivor is changed or a row not removed.
func leftAlone(works []*plan.Work, l *log) []Check {
	var checks []Check
	for _, w := range works {
		var groups []plan.WorkGroup
		var left []string
		for _, g := range w.Groups {
			if slices.Contains(l.left, g.Number) {
				left = append(left, strconv.Itoa(g.Number))
			} else {
				groups = append(groups, g)
			}
		}
		if w.Groups = groups; len(left) > 0 {
			checks = append(checks, Check{Table: w.Table.Table, Name: "no group was left alone", Detail: fmt.Sprintf("%s %s not as the evidence had %s: %s; apply with --rescan takes %s", plan.Count(len(left), "group"), plan.Verb(len(left), "was", "were"), plan.Verb(len(left), "it", "them"), strings.Join(left, ", "), plan.Verb(len(left), "it", "them"))})
		}
	}
	return checks
}

// laterOf is what later cases did to a table, in their order.
func laterOf(chain [][]*plan.Work, table string) []*plan.Work {
	var later []*plan.Work
	for _, works := range chain {
		for _, w := range works {
			if w.Table.Table == table {
				later = append(later, w)
			}
		}
	}
	return later
}

func verifyTable(ctx context.Context, t Target, w *plan.Work, n int, later []*plan.Work) ([]Check, error) {
	s, err := t.begin(ctx, w, n, forVerify)
	if err != nil {
		return nil, err
	}
	defer s.rollback()
	checks := make([]Check, 1, 8)
	if checks[0], err = duplicatesCheck(ctx, s, w); err != nil {
		return nil, err
	}
	if len(w.Groups) > 0 {
		if err := s.load(ctx, true); err != nil {
			return nil, err
		}
		for _, after := range later {
			if err := s.overtaken(ctx, after); err != nil {
				return nil, err
			}
		}
	}
	more, err := s.checks(ctx)
	if err != nil {
		return nil, err
	}
	if len(w.Held) > 0 && w.Index() == nil && !w.NoIndex && len(w.Case.UniqueBy) == 0 {
		more = append(more, Check{Name: "the unique index is there, valid and on the key", Detail: "the plan builds none while it holds groups back"})
	}
	checks = append(checks, more...)
	for i := range checks {
		checks[i].Table = w.Table.Table
	}
	return checks, nil
}

func duplicatesCheck(ctx context.Context, s session, w *plan.Work) (Check, error) {
	check := Check{Name: "no duplicates are left"}
	keys, err := s.duplicates(ctx)
	if err != nil {
		return check, err
	}
	held, err := s.standing(ctx, w.Held)
	if err != nil {
		return check, err
	}
	check.OK = keys == 0
	switch {
	case keys == 0:
		check.Detail = "no key has several rows"
	case held == 0:
		check.Detail = severalText(keys)
	default:
		check.Detail = fmt.Sprintf("%s: %d held back by the plan, %d missed or new", severalText(keys), held, max(0, keys-held))
	}
	return check, nil
}

func severalText(keys int) string {
	return plan.Count(keys, "key") + " " + plan.Verb(keys, "has", "have") + " several rows"
}
