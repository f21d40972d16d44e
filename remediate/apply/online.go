package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"twinrow/remediate/plan"
)

// Steps of an online clean-up, as the journal names them; the rows of a table
// that is cleaned in one transaction have none.
const (
	stepFence   = "fence"
	stepClean   = "clean"
	stepIndex   = "index"
	stepReplace = "replace"
	stepUnfence = "unfence"
)

// onlineRun works on one table online.
type onlineRun struct {
	*runner
	o      *postgresOnline
	w      *plan.Work
	result *TableResult
	// once does batches at once; nil where that cannot be.
	once *atOnce
	// refused counts the groups that the database would not let go.
	refused int
}

// onlineOf opens the table for online work.
func (r *runner) onlineOf(ctx context.Context, w *plan.Work, n int, result *TableResult) (*onlineRun, error) {
	t, ok := r.t.(*postgresTarget)
	if !ok {
		return nil, &plan.Problem{Code: plan.CodeUnsupported, Message: "only Postgres is cleaned online", Hint: "plan again with --strategy atomic"}
	}
	r.opts.step(w.Table.Table, "looking at the table")
	o, err := t.online(ctx, w, n, r.opts.LockWait)
	if err != nil {
		return nil, err
	}
	return &onlineRun{runner: r, o: o, w: w, result: result, once: atOnceOf(o)}, nil
}

// onlineTable does one table in many transactions, none of which keeps writers
// waiting. Whatever ends it between two of them leaves a state from which it
// goes on.
func (r *runner) onlineTable(ctx context.Context, w *plan.Work, n int, result *TableResult) error {
	run, err := r.onlineOf(ctx, w, n, result)
	if err != nil {
		return err
	}
	defer run.o.close()
	before, err := run.settled(ctx)
	if err != nil {
		return err
	}
	if err := run.refuseIndex(ctx, before.index); err != nil {
		return err
	}
	if onlineFinished(w, before) {
		result.Already = true
		return nil
	}
	if r.opts.DryRun {
		return run.rehearse(ctx, before)
	}
	return run.forward(ctx, before)
}

// settled reads the state and writes down what became of what a crash interrupted.
func (r *onlineRun) settled(ctx context.Context) (state, error) {
	before, err := r.o.state(ctx)
	if err != nil {
		return before, err
	}
	return before, r.settle(r.w.Name, before)
}

// refuseIndex refuses before the first change what would be refused at the index.
func (r *onlineRun) refuseIndex(ctx context.Context, index indexState) error {
	if index != indexWrong {
		if r.w.Index() == nil || index == indexOurs || index == indexOther {
			return nil
		}
		return r.o.session(r.w).replaceable(ctx)
	}
	return &plan.Problem{Code: plan.CodeExists, Message: r.w.Index().Name + " exists and is not the unique index of the plan; nothing was changed", Hint: "drop it if nothing needs it, or plan again with another --index-name"}
}

// onlineFinished tells whether the database shows that nothing is left to do.
func onlineFinished(w *plan.Work, s state) bool {
	if w.Index() != nil {
		return (s.index == indexOurs || s.index == indexOther && s.rows() == w.RemoveCount()) && !s.fenceLeft && !s.buildLeft && !s.replacedLeft
	}
	return s.rows() == w.RemoveCount()
}

// forward does what is left of the steps, in their order.
func (r *onlineRun) forward(ctx context.Context, before state) error {
	built := before.index == indexOurs || before.index == indexOther
	wanted := r.w.Index() != nil && !built
	if wanted && !before.fenced {
		if err := r.step(ctx, stepFence, "putting up the fence", r.o.fence, r.o.unfence); err != nil {
			return err
		}
	}
	if r.opts.Until == UntilFence {
		return nil
	}
	if before.index != indexOurs {
		if err := r.clean(ctx, before); err != nil {
			return err
		}
	}
	if r.w.Index() == nil || r.opts.Until == UntilClean || r.left(r.result) {
		return nil
	}
	if wanted {
		if err := r.index(ctx, before.index); err != nil || r.result.Arrived > 0 {
			return err
		}
	}
	if r.w.Index().Replaces != nil && (wanted || before.replacedLeft) {
		if err := r.step(ctx, stepReplace, "dropping the index "+r.w.Index().Replaces.Name+", which is replaced", r.o.dropReplaced, nil); err != nil {
			return err
		}
	}
	if r.opts.Until == UntilIndex {
		return nil
	}
	return r.step(ctx, stepUnfence, "taking the fence away", r.o.unfence, nil)
}

// step does one step that is no transaction, with a record before and after.
// One that fails is tidied up; where that fails too, or the connection is
// gone, the record stays open, and the next run looks what became of it.
func (r *onlineRun) step(ctx context.Context, name, doing string, do, tidy func(context.Context) error) error {
	change := entryData{Entry: r.w.Name, Table: r.w.Table.Table, Groups: []int{}, Step: name}
	if name == stepIndex {
		change.Index = r.w.Index().Name
	}
	if err := r.log.begin(r.p); err != nil {
		return err
	}
	if err := r.log.write(eventCommitting, change); err != nil {
		return err
	}
	r.opts.step(r.w.Table.Table, doing)
	err := retryLocks(ctx, r.opts.LockWait, func() error { return do(ctx) })
	if err == nil {
		return r.after(r.log.write(eventCommitted, change))
	}
	if tidy == nil || r.o.lost() {
		return r.interrupted(ctx, err)
	}
	clean := context.WithoutCancel(ctx)
	if left := retryLocks(clean, r.opts.LockWait, func() error { return tidy(clean) }); left != nil {
		return errors.Join(r.interrupted(ctx, err), left)
	}
	return errors.Join(r.interrupted(ctx, err), r.log.write(eventRolledBack, change))
}

// interrupted says how to go on where the caller's context ended the work.
func (r *runner) interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return r.pausedBy("interrupted", ctx.Err())
}

func (r *runner) pausedBy(what string, cause error) error {
	return &plan.Problem{Code: plan.CodeStopped, Message: what + "; what was begun is finished or taken back, and written down", Hint: "run the same command again to go on, or `twinrow undo " + r.dir + "` to take back what was done", Err: cause}
}

// index builds the index; new duplicates stop it without an error, as they do
// in the atomic strategy.
func (r *onlineRun) index(ctx context.Context, found indexState) error {
	if found == indexInert || found == indexEnforcing {
		if err := r.heal(ctx, found); err != nil {
			return err
		}
	}
	name := r.w.Index().Name
	err := r.step(ctx, stepIndex, "building the unique index "+name+" while writers go on", func(ctx context.Context) error {
		if err := r.o.build(ctx); err != nil {
			return err
		}
		return r.o.finish(ctx)
	}, r.o.dropBuilt)
	if arrived, ok := errors.AsType[*arrivedError](err); ok {
		r.result.Arrived = arrived.keys
		return nil
	}
	if err == nil {
		r.result.Index = name
	}
	return err
}

// heal drops an INVALID index that has just the plan's definition: it is
// rebuilt, and until then it is of no use, or worse.
func (r *onlineRun) heal(ctx context.Context, found indexState) error {
	kind := "inert: its build met duplicates, and it enforces nothing"
	if found == indexEnforcing {
		kind = "enforcing: it rejects writes, and no query may use it"
	}
	name := r.w.Index().Name
	r.opts.step(r.w.Table.Table, name+" is INVALID and "+kind+"; dropping it")
	r.result.Healed = name + " was INVALID and " + kind
	return retryLocks(ctx, r.opts.LockWait, func() error { return r.o.dropInvalid(ctx) })
}

// clean removes the rows batch by batch.
func (r *onlineRun) clean(ctx context.Context, before state) error {
	q := newQueue(r.w, before.kept, r.opts)
	if q.left() == 0 {
		return nil
	}
	if err := r.log.begin(r.p); err != nil {
		return err
	}
	r.opts.start(r.w.Table.Table, q.rows())
	defer r.opts.done()
	whole := context.WithoutCancel(ctx)
	r.once.open(whole)
	defer r.once.close(whole)
	for ahead := (<-chan looked)(nil); q.left() > 0 || ahead != nil; {
		if err := r.sense(whole, q); err != nil {
			return err
		}
		if ahead == nil {
			ahead = r.once.ahead(whole, q.next(), q.pace())
		}
		next := <-ahead
		if err := r.between(ctx, q); err != nil {
			return err
		}
		if ahead = nil; len(q.groups) > 0 && !q.gentle { // those that somebody has are for the end
			ahead = r.once.ahead(whole, q.next(), q.pace())
		}
		outcome, err := r.batch(whole, next)
		if err != nil {
			return err
		}
		if before.rows() == 0 && r.result.Rows == 0 && allGone(r.w, r.result.Drifted) {
			return notHere(r.w)
		}
		if !q.took(next.groups, outcome) {
			return r.locked(outcome.busy)
		}
	}
	return r.late(context.WithoutCancel(ctx))
}

// sense sees now and then whether others are at work.
func (r *onlineRun) sense(ctx context.Context, q *queue) (err error) {
	if q.opts.Pause == 0 || time.Since(q.sensed) < sensePause { // without pauses there are no rests either
		return nil
	}
	q.gentle, err = r.o.others(ctx, r.once.sessions()...)
	q.sensed = time.Now()
	return err
}

// between is what happens between two batches: the pause, the replicas, and a
// look whether to stop.
func (r *onlineRun) between(ctx context.Context, q *queue) error {
	if err := r.o.alive(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	err := q.wait(ctx)
	for err == nil {
		if err = r.stopAsked(ctx); err != nil || r.opts.MaxLag == 0 {
			break
		}
		var lag time.Duration
		if lag, err = r.o.lag(ctx); err != nil || lag <= r.opts.MaxLag {
			break
		}
		r.opts.step(r.w.Table.Table, fmt.Sprintf("waiting for a standby that is %s behind", lag.Round(time.Millisecond)))
		err = sleep(ctx, lagPause)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = r.pausedBy("interrupted", ctx.Err())
	}
	if _, stopped := errors.AsType[*plan.Problem](err); stopped && r.log.open() {
		err = errors.Join(err, r.log.write(eventStopped, nil))
	}
	return err
}

// locked stops where the rows that are left stay locked by somebody else.
func (r *onlineRun) locked(groups []int) error {
	err := &plan.Problem{Code: plan.CodeStopped, Message: fmt.Sprintf("rows of %s are locked by another session, and it did not let go of them in time (the first is group %d); what was removed until then is written down", plan.Count(len(groups), "group"), groups[0]),
		Hint: "find who holds the locks with pg_blocking_pids() or wait until they are done; then run the same command again"}
	if !r.log.open() {
		return err
	}
	return errors.Join(err, r.log.write(eventStopped, nil))
}

// rehearse does every batch and rolls it back; the fence and the index, which
// no transaction could take back unseen, are not tried.
func (r *onlineRun) rehearse(ctx context.Context, before state) error {
	r.once.open(ctx)
	defer r.once.close(context.WithoutCancel(ctx))
	for q := newQueue(r.w, before.kept, r.opts); q.left() > 0 && r.opts.Until != UntilFence; {
		if err := ctx.Err(); err != nil {
			return err
		}
		next := <-r.once.ahead(ctx, q.next(), q.pace())
		outcome, err := r.batch(ctx, next)
		if err != nil {
			return err
		}
		if !q.took(next.groups, outcome) {
			return r.locked(outcome.busy)
		}
	}
	if before.rows() == 0 && r.result.Rows == 0 && allGone(r.w, r.result.Drifted) {
		return notHere(r.w)
	}
	if r.w.Index() != nil && !r.left(r.result) && (r.opts.Until == "" || r.opts.Until == UntilIndex) {
		r.result.Index = r.w.Index().Name
	}
	return nil
}
