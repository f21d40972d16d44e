package apply

import (
	"context"
	"errors"
	"time"

	"twinrow/remediate/plan"
)

// undoOnline takes a table back in many transactions: the fence and the index
// go first, then the rows come back batch by batch.
func (r *runner) undoOnline(ctx context.Context, w *plan.Work, n int, result *TableResult) error {
	run, err := r.onlineOf(ctx, w, n, result)
	if err != nil {
		return err
	}
	defer run.o.close()
	now, err := run.settled(ctx)
	if err != nil {
		return err
	}
	if want := r.log.rows(w.Name); now.rows() < want {
		return r.quarantineChanged(w, want, now.rows())
	}
	if now.rows() == 0 && now.index != indexOurs && !now.fenceLeft && !now.buildLeft {
		result.Already = true
		return run.tidy(ctx) // a crash may have come just before it
	}
	if now.index == indexOurs {
		result.Index = w.Index().Name
	} else if err := run.o.session(w).wantReplaced(ctx); err != nil {
		return err
	}
	if !r.opts.DryRun {
		if err := run.unbuild(ctx, now); err != nil {
			return err
		}
	}
	if err := run.restore(ctx, now); err != nil {
		return err
	}
	return run.tidy(ctx)
}

// tidy drops the quarantine once it is empty.
func (r *onlineRun) tidy(ctx context.Context) error {
	if r.opts.DryRun {
		return nil
	}
	return retryLocks(ctx, r.opts.LockWait, func() error { return r.o.dropQuarantine(ctx) })
}

// beginUndo records the start of an undo once.
func (r *runner) beginUndo() error {
	if r.log.last == eventUndoStarted || r.log.last == eventUndoCommitted || r.log.last == eventUndoRolledBack {
		return nil
	}
	return r.log.write(eventUndoStarted, begunData{r.p.SHA256})
}

// unbuild takes the fence and the index away, and what is left of either. Each
// of it can be done again, so a crash needs no look into the past.
func (r *onlineRun) unbuild(ctx context.Context, now state) error {
	if err := r.beginUndo(); err != nil {
		return err
	}
	for _, part := range []struct {
		there bool
		what  string
		do    func(context.Context) error
	}{
		{now.fenceLeft, "taking the fence away", r.o.unfence},
		{now.buildLeft, "dropping an index that was not finished", r.o.dropBuilt},
		{now.index == indexOurs && r.w.Index().Replaces != nil, "building the index that was replaced", r.o.rebuildReplaced},
		{now.index == indexOurs, "dropping the index", r.o.dropIndex},
	} {
		if !part.there {
			continue
		}
		r.opts.step(r.w.Table.Table, part.what)
		if err := retryLocks(ctx, r.opts.LockWait, func() error { return part.do(ctx) }); err != nil {
			return r.interrupted(ctx, err)
		}
	}
	return nil
}

// restore puts the rows back.
func (r *onlineRun) restore(ctx context.Context, now state) error {
	back := *r.w
	back.Groups = nil
	for _, g := range r.w.Groups {
		if now.kept[g.Number] > 0 {
			back.Groups = append(back.Groups, g)
		}
	}
	q := newQueue(&back, nil, r.opts)
	if r.w.ChangesRows() {
		q.parts, q.groups = r.backwards(back.Groups), nil
	}
	r.opts.start(r.w.Table.Table, now.rows())
	defer r.opts.done()
	for q.left() > 0 {
		if err := r.between(ctx, q); err != nil {
			return err
		}
		if err := r.sense(context.WithoutCancel(ctx), q); err != nil {
			return err
		}
		groups := q.next()
		out, err := r.restoreBatch(context.WithoutCancel(ctx), groups, now.kept)
		if err != nil {
			return err
		}
		q.took(groups, out)
	}
	return nil
}

func (r *onlineRun) restoreBatch(ctx context.Context, groups []plan.WorkGroup, kept map[int]int) (out outcome, err error) {
	for n := 1; ; n++ {
		err = retryLocks(ctx, r.opts.LockWait, func() error {
			out, err = r.tryRestore(ctx, groups, kept)
			return err
		})
		problem, ok := errors.AsType[*plan.Problem](err)
		if !ok || problem.Code != plan.CodeDrift || n == refusals { // somebody may just be at work on a row
			return out, err
		}
	}
}

// allBack puts back what a batch removed and changed.
func (s *postgresSession) allBack(ctx context.Context) (int, error) {
	changed := s.w.ChangesRows()
	if changed {
		var err error
		if changed, err = s.exists(ctx, s.sql.Changes()); err != nil {
			return 0, err
		}
	}
	back, err := s.rowsBack(ctx, changed)
	if err != nil || !changed {
		return back, err
	}
	return back, s.exec(ctx, "emptying the quarantine", s.sql.ReleaseChanges())
}

func (r *onlineRun) tryRestore(ctx context.Context, groups []plan.WorkGroup, kept map[int]int) (out outcome, err error) {
	s, err := r.o.begin(ctx, groups, forBack)
	if err != nil {
		return out, err
	}
	defer s.rollback()
	change := entryData{Entry: r.w.Name, Table: r.w.Table.Table, Groups: []int{}, Step: stepClean}
	for _, g := range groups {
		change.Groups = append(change.Groups, g.Number)
		out.rows += kept[g.Number]
	}
	started := time.Now()
	s.sql = s.sql.Only(change.Groups)
	if err := s.exec(ctx, "starting a transaction", s.sql.Restoring()); err != nil {
		return out, err
	}
	if change.Rows, err = s.allBack(ctx); err != nil {
		return out, err
	}
	if change.Rows != out.rows {
		return out, r.quarantineChanged(r.w, out.rows, change.Rows)
	}
	if err := s.exec(ctx, "emptying the quarantine", s.sql.Release()); err != nil {
		return out, err
	}
	if r.opts.DryRun {
		s.rollback()
	} else if err := r.commitUndo(s, change); err != nil {
		return out, err
	}
	out.ended = time.Now()
	out.held = out.ended.Sub(started)
	r.count(change, nil, map[string]plan.Effect{r.w.Table.Table: {Inserted: int64(change.Rows)}})
	return out, nil
}

// dropQuarantine drops the quarantine once it is empty, and what else keeps rows.
func (o *postgresOnline) dropQuarantine(ctx context.Context) error {
	for _, table := range []string{o.sql.Quarantine(), o.sql.Changes()} {
		there, err := o.session(o.w).exists(ctx, table)
		if err != nil {
			return err
		}
		if !there {
			continue
		}
		if err := o.together(ctx, "dropping the empty quarantine", o.sql.DropEmpty(table)); err != nil {
			return err
		}
	}
	return nil
}

// settle writes down what became of what a crash interrupted, be it an apply
// or an undo.
func (r *runner) settle(entry string, s state) error {
	if r.opts.DryRun {
		return nil
	}
	return errors.Join(r.log.settle(entry, s), r.log.settleUndo(entry, s))
}
