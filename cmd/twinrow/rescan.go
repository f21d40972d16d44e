package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/detect/classify"
	"twinrow/detect/key"
	"twinrow/detect/scan"
	"twinrow/detect/source"
	"twinrow/remediate/apply"
	"twinrow/remediate/plan"
	"twinrow/report"
)

// rescans is how often one apply looks again at what drifted or arrived.
const rescans = 3

// rescanMemory is what the fingerprints of a rescan may take.
const rescanMemory = 512 << 20

// carryOut carries the plan out. With --rescan, what drifted or arrived since
// the scan is scanned again into a case inside the case, planned by the same
// rules, cleaned, and then the plan goes on to its index.
func (p *program) carryOut(c *cli.Context, w *planned, opts apply.Options) (*apply.Result, error) {
	if err := p.finishRescans(c.Context, w, opts); err != nil {
		return nil, err
	}
	result, err := apply.Run(c.Context, w.target, w.opened, w.plan, opts)
	for n := 0; n < rescans && c.Bool("rescan") && !opts.DryRun && exitStatus(err) == exitStopped && result.Unsettled(); n++ {
		p.say(c, "looking again at what changed since the scan (%d of %d)", n+1, rescans)
		again, rescanErr := p.rescan(c, w, opts)
		if again != nil {
			result.Plus(again)
		}
		if rescanErr != nil {
			return result, rescanErr
		}
		earlier := result
		if result, err = apply.Run(c.Context, w.target, w.opened, w.plan, opts); result != nil {
			result.Plus(earlier)
			if err == nil {
				result.Settle()
			}
		}
	}
	return result, err
}

// rescan makes the next case inside the case, and cleans what it found. The
// result is nil where there was nothing to clean.
func (p *program) rescan(c *cli.Context, w *planned, opts apply.Options) (result *apply.Result, err error) {
	sub, err := p.scanAgain(c, w)
	if err != nil {
		return nil, err
	}
	groups, held := 0, 0
	for _, t := range sub.plan.Tables {
		groups, held = groups+len(t.Groups), held+len(t.Held)
	}
	if groups > 0 {
		if result, err = apply.Run(c.Context, w.target, sub.opened, sub.plan, opts); err != nil {
			return result, err
		}
	}
	if held > 0 {
		return result, &key.Problem{Code: key.CodeStopped, Message: fmt.Sprintf("stopped before the index: the copies of %s differ, and the plan holds such groups back", report.Count(held, "new group")),
			Hint: "look at them with `twinrow report " + sub.opened.Dir + "`, settle them by hand, then run the same command again"}
	}
	return result, apply.Rescanned(w.opened.Dir)
}

// scanAgain scans the tables of a case once more, as it was scanned, and plans
// what it finds by the rules of its plan.
func (p *program) scanAgain(c *cli.Context, w *planned) (*planned, error) {
	at, err := p.place(w.where)
	if err != nil {
		return nil, err
	}
	rules, err := p.configOf(w.opened)
	if err != nil {
		return nil, err
	}
	o := &scanOptions{source: at, read: readOptions{jobs: 2}, memory: rescanMemory, config: rules, dir: nextRescan(w.opened.Dir)}
	strategy := plan.Atomic
	for i := range w.opened.Tables {
		t := &w.opened.Tables[i]
		o.windows = classify.Windows{Race: time.Duration(t.Windows.RaceUS) * time.Microsecond, Resubmit: time.Duration(t.Windows.ResubmitUS) * time.Microsecond, Horizon: time.Duration(t.Windows.HorizonUS) * time.Microsecond}
		o.entries = append(o.entries, scan.Entry{Name: t.Name, Request: requestOf(t)})
		if w.plan.Tables[i].Strategy == plan.Online {
			strategy = plan.Online
		}
	}
	opened, err := p.scanInto(c.Context, o, p.progress(c), nil)
	if err != nil {
		return nil, err
	}
	again := planOptions{keepOf: keepOf(w.plan), source: w.where, differing: w.plan.Differing, strategy: strategy, cleanOnly: true}
	made, err := p.plan(c.Context, opened.Dir, again)
	if problem, ok := errors.AsType[*key.Problem](err); ok && problem.Code == key.CodeUnsupported && strategy == plan.Online {
		again.strategy = plan.Auto // rows refer to what arrived, which takes one transaction
		made, err = p.plan(c.Context, opened.Dir, again)
	}
	if err != nil {
		return nil, err
	}
	return &planned{opened: opened, plan: made, target: w.target, where: w.where}, nil
}

// keepOf are the survivor rules of a plan's entries, by their names.
func keepOf(made *plan.Plan) map[string]string {
	rules := map[string]string{}
	for _, t := range made.Tables {
		rules[t.Name] = t.Keep
	}
	return rules
}

// requestOf is what the scan of a table was asked.
func requestOf(t *casefile.Table) source.Request {
	r := source.Request{Table: t.Table, Key: t.KeyNames(), NullsEqual: t.Nulls == "not-distinct", Where: t.Where, Time: t.Time, Email: t.Email, Name: t.Person, Amount: t.Amount, Ignore: t.Ignore}
	for _, column := range t.Columns {
		if slices.Contains(t.ID, column.Name) { // and not the engine's own place of a row
			r.ID = t.ID
		}
	}
	for _, k := range t.IncomingKeys {
		if k.OnDelete == "" || k.Deletes { // a person said so
			r.References = append(r.References, source.Declared{Table: k.Table, Columns: k.Columns, Where: k.Where, Array: k.Array, Deletes: k.Deletes})
		}
	}
	return r
}

// nextRescan is the directory of the next case inside a case.
func nextRescan(dir string) string {
	for n := 1; ; n++ {
		path := filepath.Join(dir, fmt.Sprintf("rescan-%d", n))
		if _, err := os.Lstat(path); os.IsNotExist(err) {
			return path
		}
	}
}

// openRescans are the cases inside a case that were begun and not taken back,
// in the order in which they were made.
func (p *program) openRescans(w *planned) ([]*planned, error) {
	var open []*planned
	last := nextRescan(w.opened.Dir)
	for n := 1; ; n++ {
		dir := filepath.Join(w.opened.Dir, fmt.Sprintf("rescan-%d", n))
		if dir == last {
			return open, nil
		}
		summary, err := apply.Summarise(dir)
		if err != nil {
			return nil, err
		}
		if !summary.Open {
			continue
		}
		opened, err := casefile.Open(dir)
		if err != nil {
			return nil, err
		}
		made, err := plan.Read(dir)
		if err != nil {
			return nil, err
		}
		open = append(open, &planned{opened: opened, plan: made, target: w.target, where: w.where})
	}
}

// finishRescans goes on with what an interrupted run began inside the case.
func (p *program) finishRescans(ctx context.Context, w *planned, opts apply.Options) error {
	open, err := p.openRescans(w)
	if err != nil || opts.DryRun {
		return err
	}
	for _, sub := range open {
		if _, err := apply.Run(ctx, w.target, sub.opened, sub.plan, opts); err != nil {
			return err
		}
	}
	return nil
}

// takeBack undoes the plan and its rescans in the reverse order: the plan's
// index goes first, which would keep the rescans' rows out; then the rescans,
// the last one first, for each may have changed what those before it left; then
// the rest of the plan.
func (p *program) takeBack(ctx context.Context, w *planned, opts apply.Options) (*apply.Result, error) {
	open, err := p.openRescans(w)
	if err != nil {
		return nil, err
	}
	if len(open) > 0 {
		if err := apply.UndoIndex(ctx, w.target, w.opened, w.plan, opts); err != nil {
			return nil, err
		}
	}
	earlier := &apply.Result{Already: true}
	for _, sub := range slices.Backward(open) {
		back, err := apply.Undo(ctx, w.target, sub.opened, sub.plan, opts)
		if err != nil {
			return earlier, err
		}
		back.Plus(earlier)
		earlier = back
	}
	result, err := apply.Undo(ctx, w.target, w.opened, w.plan, opts)
	if err == nil && len(open) > 0 {
		result.Plus(earlier)
	}
	return result, err
}

// stages are the rescans that stand, for verify.
func (p *program) stages(w *planned) ([]apply.Stage, error) {
	open, err := p.openRescans(w)
	var stages []apply.Stage
	for _, sub := range open {
		stages = append(stages, apply.Stage{Opened: sub.opened, Plan: sub.plan})
	}
	return stages, err
}
