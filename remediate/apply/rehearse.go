package apply

import (
	"context"
	"slices"

	"twinrow/remediate/plan"
)

// rehearsedGroups is how many groups of an online clean-up are rehearsed, each
// by itself and all together, to see by what law triggers write.
const rehearsedGroups = 16

// rehearse cleans before the first change and takes it back, in transactions
// that are rolled back. It finds out whether the way back is open and what
// triggers will write, and has a person agree to that.
func (r *runner) rehearse(ctx context.Context, works []*plan.Work) error {
	fires := slices.ContainsFunc(works, (*plan.Work).FiresTriggers)
	if r.opts.Until == UntilFence || !fires && r.log.open() {
		return nil
	}
	dry := *r
	dry.back = !r.log.open()
	dry.opts.DryRun, dry.opts.Until, dry.opts.Progress, dry.opts.Agree = true, UntilClean, nil, nil
	samples, err := dry.samples(ctx, works)
	if err != nil {
		return err
	}
	r.rehearsed = map[string]*rehearsed{}
	var foretold []Written
	for _, w := range works {
		if len(samples[w.Name]) > 0 {
			r.rehearsed[w.Name] = newRehearsed(samples[w.Name])
			foretold = append(foretold, r.rehearsed[w.Name].foretold(w)...)
		}
	}
	if len(foretold) == 0 || r.opts.DryRun || r.opts.Agree == nil {
		return nil
	}
	return r.opts.Agree(foretold)
}

// samples rehearses entries: all in one transaction where they will be done so.
func (r *runner) samples(ctx context.Context, works []*plan.Work) (map[string][]sample, error) {
	out := map[string][]sample{}
	online := slices.ContainsFunc(works, func(w *plan.Work) bool { return w.Strategy == plan.Online })
	if !online {
		result, err := r.rehearseAll(ctx, works)
		if result == nil || len(result.Tables) < len(works) { // else some rows drifted, which the run itself tells
			return nil, err
		}
		for i, w := range works {
			if t := result.Tables[i]; w.FiresTriggers() && t.Rows > 0 {
				out[w.Name] = []sample{newSample(w, t.cleaned, t.Rows, t.Effects)}
			}
		}
		return out, nil
	}
	for i, w := range works {
		if len(w.Operations) == 0 {
			continue
		}
		err := retryLocks(ctx, r.opts.LockWait, func() (err error) {
			out[w.Name], err = r.samplesOf(ctx, w, i+1)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// samplesOf rehearses one entry by itself.
func (r *runner) samplesOf(ctx context.Context, w *plan.Work, n int) ([]sample, error) {
	if w.Strategy != plan.Online {
		all, err := r.samples(ctx, []*plan.Work{w})
		return all[w.Name], err
	}
	run, err := r.onlineOf(ctx, w, n, &TableResult{})
	if err != nil {
		return nil, err
	}
	defer run.o.close()
	before, err := run.settled(ctx)
	if err != nil || before.index == indexOurs {
		return nil, err
	}
	few := spread(newQueue(w, before.kept, r.opts).groups, rehearsedGroups)
	parts := [][]plan.WorkGroup{few}
	for _, g := range few {
		if w.FiresTriggers() {
			parts = append(parts, []plan.WorkGroup{g})
		}
	}
	var all []sample
	for _, part := range parts {
		run.result = &TableResult{}
		if len(part) == 0 {
			continue
		}
		if _, err := run.apart(ctx, part, run.batchWithCare); err != nil {
			return nil, err
		}
		if run.result.Rows > 0 && w.FiresTriggers() {
			all = append(all, newSample(w, run.result.cleaned, run.result.Rows, run.result.Effects))
		}
	}
	return all, nil
}

// spread takes some groups: the next ones that would be done, and others at
// even distances.
func spread(groups []plan.WorkGroup, most int) []plan.WorkGroup {
	if len(groups) <= most {
		return groups
	}
	near := most / 2
	few := slices.Clone(groups[:near])
	rest := groups[near:]
	for i := range most - near {
		few = append(few, rest[i*len(rest)/(most-near)])
	}
	return few
}

// asRehearsed compares what triggers wrote in a transaction with the rehearsal,
// before it is committed.
func (r *runner) asRehearsed(w *plan.Work, change entryData, did map[string]plan.Effect) error {
	known := r.rehearsed[w.Name]
	if known == nil || r.opts.DryRun || change.Rows == 0 {
		return nil
	}
	const hint = "look at the triggers of the tables that change; another run rehearses these rows first and says what they write"
	switch what := known.otherwise(newSample(w, change.Groups, change.Rows, did)); {
	case what == "":
		return nil
	case w.Strategy == plan.Online:
		return &plan.Problem{Code: plan.CodeStopped, Message: what + "; this batch was rolled back, and those before it stay", Hint: hint + "; `twinrow undo " + r.dir + "` takes back what was done"}
	default:
		return differs(what, hint)
	}
}
