package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"twinrow/remediate/plan"
)

// Undo takes back what the journal says was done, the last table first: it
// drops the index if the plan's run built it, and puts the rows back exactly.
// It refuses, with nothing half-done, where the place of a row was taken. An
// undo that was interrupted is gone on with; one with nothing to take back
// says so by Already. Of the Options, Allow is not asked for.
func Undo(ctx context.Context, t Target, opened *plan.Case, p *plan.Plan, opts Options) (result *Result, err error) {
	r, works, err := beginBack(ctx, t, opened, p, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.log.Close()) }()
	if !r.log.open() {
		return &Result{DryRun: opts.DryRun, Already: true, Tables: []TableResult{}}, nil
	}
	return r.undo(ctx, works)
}

// beginBack opens the journal for an undo and sees that plan and database are
// those that it speaks of. Where nothing was done, neither is looked at.
func beginBack(ctx context.Context, t Target, opened *plan.Case, p *plan.Plan, opts Options) (*runner, []*plan.Work, error) {
	works, err := prepare(t, opened, p)
	if err != nil {
		return nil, nil, err
	}
	l, err := openLog(opened.Dir, opts.DryRun)
	if err != nil {
		return nil, nil, err
	}
	l.wrote = opts.recorded
	r := &runner{t: t, p: p, log: l, opts: opts, dir: opened.Dir}
	if !l.open() {
		return r, works, nil
	}
	if err := errors.Join(samePlan(l, p), t.identify(ctx, opened)); err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	return r, works, nil
}

func (r *runner) undo(ctx context.Context, works []*plan.Work) (*Result, error) {
	result := &Result{DryRun: r.opts.DryRun}
	for i, work := range slices.Backward(works) {
		var done TableResult
		err := retryLocks(ctx, r.opts.LockWait, func() (err error) {
			done, err = r.undoTable(ctx, work, i+1)
			return err
		})
		if err != nil {
			return result, err
		}
		result.Tables = append(result.Tables, done)
	}
	if r.opts.DryRun {
		return result, nil
	}
	return result, r.log.write(eventUndone, nil)
}

// UndoIndex takes the fence and the index of a plan away and leaves its rows:
// what cases inside this one took away must come back before them, and may
// have the same keys. Undo takes back what is left.
func UndoIndex(ctx context.Context, t Target, opened *plan.Case, p *plan.Plan, opts Options) (err error) {
	r, works, err := beginBack(ctx, t, opened, p, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.log.Close()) }()
	if !r.log.open() {
		return nil
	}
	for i, w := range slices.Backward(works) {
		err := retryLocks(ctx, opts.LockWait, func() error { return r.undoIndex(ctx, w, i+1) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) undoIndex(ctx context.Context, w *plan.Work, n int) error {
	if w.Index() == nil || !r.log.touched(w.Name) {
		return nil
	}
	if w.Strategy == plan.Online {
		run, err := r.onlineOf(ctx, w, n, &TableResult{})
		if err != nil {
			return err
		}
		defer run.o.close()
		now, err := run.settled(ctx)
		if err != nil {
			return err
		}
		return run.unbuild(ctx, now)
	}
	s, err := r.t.begin(ctx, w, n, forUndo)
	if err != nil {
		return err
	}
	defer s.rollback()
	now, err := s.state(ctx)
	if err != nil {
		return err
	}
	if err := r.settle(w.Name, now); err != nil || now.index != indexOurs {
		return err
	}
	r.opts.step(w.Table.Table, "dropping the index "+w.Index().Name)
	if err := s.dropIndex(ctx); err != nil {
		return err
	}
	return r.commitUndo(s, entryData{Entry: w.Name, Table: w.Table.Table, Groups: []int{}, Index: w.Index().Name, Step: stepIndex})
}

func (r *runner) undoTable(ctx context.Context, w *plan.Work, n int) (TableResult, error) {
	result := TableResult{Name: w.Name, Table: w.Table.Table, Set: len(w.Set) > 0, Held: len(w.Held), Drifted: []Drift{}, Effects: map[string]plan.Effect{}}
	if !r.log.touched(w.Name) {
		result.Already = true
		return result, nil
	}
	if w.Strategy == plan.Online {
		err := r.undoOnline(ctx, w, n, &result)
		return result, err
	}
	r.opts.step(w.Table.Table, "waiting for the lock")
	s, err := r.t.begin(ctx, w, n, forUndo)
	if err != nil {
		return result, err
	}
	defer s.rollback()
	now, err := s.state(ctx)
	if err != nil {
		return result, err
	}
	if err := r.settle(w.Name, now); err != nil {
		return result, err
	}
	if now.rows() == 0 && now.index != indexOurs {
		result.Already = true
		return result, r.nothingThere(w)
	}
	if want := r.log.rows(w.Name); now.rows() < want {
		return result, r.quarantineChanged(w, want, now.rows())
	}
	r.opts.step(w.Table.Table, "putting "+plan.Count(now.rows(), "row")+" back")
	rows, err := s.takeBack(ctx, now.index == indexOurs)
	if err != nil {
		return result, err
	}
	result.Rows, result.Groups = rows, len(now.kept)
	if rows > 0 {
		result.Effects[w.Table.Table] = plan.Effect{Inserted: int64(rows)}
	}
	if now.index == indexOurs {
		result.Index = w.Index().Name
	}
	if r.opts.DryRun {
		return result, nil
	}
	return result, r.commitUndo(s, entryData{Entry: w.Name, Table: w.Table.Table, Groups: []int{}, Rows: rows, Index: result.Index})
}

func (r *runner) commitUndo(s session, change entryData) error {
	if err := r.beginUndo(); err != nil {
		return err
	}
	if err := r.log.write(eventUndoCommitting, change); err != nil {
		return err
	}
	if err := conclude(r.log, s, change, eventUndoRolledBack); err != nil {
		return err
	}
	return r.after(r.log.write(eventUndoCommitted, change))
}

// nothingThere tells an undo that was done before a crash from a database that
// lost what the journal speaks of.
func (r *runner) nothingThere(w *plan.Work) error {
	if r.log.undoing[w.Name] || r.log.rows(w.Name) == 0 {
		return nil
	}
	return r.quarantineChanged(w, r.log.rows(w.Name), 0)
}

func (r *runner) quarantineChanged(w *plan.Work, want, got int) error {
	return &plan.Problem{
		Code:    plan.CodeDrift,
		Message: fmt.Sprintf("the quarantine holds %d of the %s that %s removed from %s: somebody emptied it, or the database was restored from a backup; nothing was changed", got, plan.Count(want, "row"), plan.Verb(want, "was", "were"), w.Table.Table),
		Hint:    "put the rows back into " + plan.QuarantineTable(w.Engine, w.Table.Table, w.CaseID) + ", or scan again if the database was restored",
	}
}
