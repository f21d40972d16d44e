package apply

import (
	"context"
	"fmt"

	"twinrow/remediate/journal"
	"twinrow/remediate/plan"
)

// Verify looks whether what the plan wants holds: no duplicates left, the index
// valid, survivors unchanged, everything removed in quarantine, no orphans. It
// changes nothing. Groups that the plan holds back are told from missed ones.
func Verify(ctx context.Context, t Target, opened *plan.Case, p *plan.Plan) (*Report, error) {
	works, err := prepare(t, opened, p)
	if err != nil {
		return nil, err
	}
	if err := t.identify(ctx, opened); err != nil {
		return nil, err
	}
	l, err := readLog(opened.Dir, func(journal.Record) {})
	if err != nil {
		return nil, err
	}
	settledOnly(works, l)
	report := &Report{Checks: []Check{}}
	for i, w := range works {
		checks, err := verifyTable(ctx, t, w, i+1)
		if err != nil {
			return nil, err
		}
		report.Checks = append(report.Checks, checks...)
	}
	return report, nil
}

func verifyTable(ctx context.Context, t Target, w *plan.Work, n int) ([]Check, error) {
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
