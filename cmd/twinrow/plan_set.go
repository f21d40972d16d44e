package main

import (
	"context"
	"errors"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
	"twinrow/remediate/survivor"
)

// newKeys has the database work out the keys that rows would get by a `surplus:
// {set: …}`, so that one which is taken is found before anything is done. It is
// nil where nothing is set.
func (a *asker) newKeys(ctx context.Context, table *casefile.Table, set []plan.Assignment) (func(plan.Fields) (bool, int64), error) {
	if len(set) == 0 {
		return nil, nil
	}
	parts, taken := dialect.SetKey(a.opened.Source.Engine, table, set)
	ask := source.Ranking{Predicates: []string{taken}}
	for _, part := range parts {
		ask.Order = append(ask.Order, key.Term{Text: part})
	}
	standings := &survivor.Standings{}
	err := a.rankThere(ctx, table, ask, allAtOnce, standings)
	if problem, ok := errors.AsType[*key.Problem](err); ok && problem.Code == key.CodeUsage {
		return nil, &key.Problem{Code: key.CodeUsage, Message: "`surplus: {set: …}` of " + table.Name + " cannot be worked out: " + problem.Message, Hint: "mend it in the copy of twinrow.yaml in the case, then plan again", Err: problem.Err}
	}
	return func(row plan.Fields) (bool, int64) {
		standing, ok := standings.Get(row)
		return ok && standing.Holds[0], standing.Place
	}, err
}
