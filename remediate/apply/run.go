package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"twinrow/remediate/plan"
)

// Run carries a plan out: each table in one transaction. Groups of which a row
// is no longer as the evidence has it are left as they are; the rest is
// cleaned, and the run stops before the index with CodeStopped. A run that was
// interrupted is gone on with; one over a plan that was carried out changes
// nothing and says so. The Result is also there beside an error of CodeStopped.
func Run(ctx context.Context, t Target, opened *plan.Case, p *plan.Plan, opts Options) (result *Result, err error) {
	works, err := prepare(t, opened, p)
	if err != nil {
		return nil, err
	}
	if !opts.DryRun {
		if err := p.Consent(opts.Allow); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(refuseAllHeld(p, opened.Dir), fenceToStopAt(p, opts.Until)); err != nil {
		return nil, err
	}
	l, err := openLog(opened.Dir, opts.DryRun)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	l.wrote = opts.recorded
	if err := samePlan(l, p); err != nil {
		return nil, err
	}
	if err := t.identify(ctx, opened); err != nil {
		return nil, err
	}
	r := &runner{t: t, p: p, log: l, opts: opts, dir: opened.Dir}
	return r.run(ctx, works)
}

// prepare joins plan and evidence, and refuses a plan without a database.
func prepare(t Target, opened *plan.Case, p *plan.Plan) ([]*plan.Work, error) {
	if p.Engine == "csv" {
		return nil, unsupported("a file")
	}
	if !t.suits(p.Engine) {
		return nil, &plan.Problem{Code: plan.CodeUsage, Message: "the case was made from " + p.Engine + ", and the database given is of another engine", Hint: "name the database that was scanned"}
	}
	return p.Work(opened)
}

// refuseAllHeld refuses a plan all of whose groups are held back.
func refuseAllHeld(p *plan.Plan, dir string) error {
	held := 0
	for _, t := range p.Tables {
		if len(t.Operations) > 0 {
			return nil
		}
		held += len(t.Held)
	}
	if held == 0 {
		return nil
	}
	return &plan.Problem{Code: plan.CodeRefused, Message: fmt.Sprintf("every group (%d) is held back, because its copies differ", held),
		Hint: "look at them with `twinrow report " + dir + "`; to keep the survivor all the same, plan with --differing keep-survivor"}
}

// fenceToStopAt refuses to stop after the fence of a plan that puts up none.
func fenceToStopAt(p *plan.Plan, until string) error {
	if until != UntilFence || slices.ContainsFunc(p.Tables, func(t plan.Table) bool { return t.Operation(plan.OpFence) != nil }) {
		return nil
	}
	return &plan.Problem{Code: plan.CodeUsage, Message: "--until fence was given, and the plan puts up no fence: each table is done in one transaction, or gets no index", Hint: "leave --until out, or plan with --strategy online"}
}

// samePlan refuses another plan than the one that was begun.
func samePlan(l *log, p *plan.Plan) error {
	if l.open() && l.planSHA256 != p.SHA256 {
		return &plan.Problem{Code: plan.CodeTampered, Message: "the journal speaks of another plan than the plan.json beside it", Hint: "restore the plan.json that was begun with from a copy"}
	}
	return nil
}

// runner is one run.
type runner struct {
	t    Target
	p    *plan.Plan
	log  *log
	opts Options
	dir  string
	// joined is true while all tables are rehearsed in one transaction.
	joined bool
	// back is true while the way back is rehearsed with the way forth.
	back bool
	// rehearsed is what triggers were seen to write, by entry; nil for nothing.
	rehearsed map[string]*rehearsed
}

func (r *runner) run(ctx context.Context, works []*plan.Work) (*Result, error) {
	if r.opts.DryRun && !slices.ContainsFunc(works, func(w *plan.Work) bool { return w.Strategy == plan.Online }) {
		result, err := r.rehearseAll(ctx, works)
		if err != nil {
			return result, err
		}
		return result, r.rehearse(ctx, works)
	}
	if err := r.rehearse(ctx, works); err != nil {
		return nil, err
	}
	return r.tables(ctx, works)
}

// rehearseAll does all tables in one transaction that is rolled back, so that
// each meets what those before it did. A lock that does not come ends it whole.
func (r *runner) rehearseAll(ctx context.Context, works []*plan.Work) (result *Result, err error) {
	err = retryLocks(ctx, r.opts.LockWait, func() error {
		done, err := r.t.together(ctx)
		if err != nil {
			return err
		}
		r.joined = true
		defer func() { r.joined = false; done() }()
		result, err = r.tables(ctx, works)
		if !r.back || result == nil || len(result.Tables) < len(works) {
			return err
		}
		if back := r.wayBack(ctx, works, result.Tables); back != nil {
			result = nil
			return back
		}
		return err
	})
	return result, err
}

// tables does one table after the other.
func (r *runner) tables(ctx context.Context, works []*plan.Work) (*Result, error) {
	result := &Result{DryRun: r.opts.DryRun, Already: true}
	var drifted []Drift
	arrived, whence := 0, "arrived since the scan"
	for i, w := range works {
		var done TableResult
		err := r.again(ctx, func() (err error) {
			done, err = r.table(ctx, w, i+1)
			return err
		})
		if err != nil {
			if w.Strategy == plan.Online && done.Rows > 0 {
				result.Tables = append(result.Tables, done) // its batches stay
			}
			return result, err
		}
		result.Tables = append(result.Tables, done)
		result.Already = result.Already && done.Already
		if !r.log.rescanned {
			drifted = append(drifted, done.Drifted...)
		}
		arrived += done.Arrived
		if done.Arrived > 0 && slices.ContainsFunc(w.Touching, func(o *plan.Work) bool { return o != w }) {
			whence = "arrived since the scan, or came of what another entry changed"
		}
	}
	if len(drifted) > 0 || arrived > 0 {
		return result, r.stopped(drifted, arrived, whence)
	}
	if r.opts.DryRun || r.log.last == eventFinished || r.log.last == "" || !r.log.open() {
		return result, nil
	}
	if r.opts.Until != "" {
		return result, r.log.write(eventStopped, nil)
	}
	return result, r.log.write(eventFinished, nil)
}

// again runs a transaction again while a lock does not come; in a rehearsal
// of all tables it is not the transaction's end.
func (r *runner) again(ctx context.Context, run func() error) error {
	if r.joined {
		return run()
	}
	return retryLocks(ctx, r.opts.LockWait, run)
}

// left tells whether groups were left alone that the index has to wait for.
func (r *runner) left(result *TableResult) bool {
	return len(result.Drifted) > 0 && !r.log.rescanned
}

// table does one table in one transaction.
func (r *runner) table(ctx context.Context, w *plan.Work, n int) (TableResult, error) {
	result := TableResult{Name: w.Name, Table: w.Table.Table, Set: len(w.Set) > 0, Held: len(w.Held), Drifted: []Drift{}, Effects: map[string]plan.Effect{}}
	if len(w.Operations) == 0 {
		result.Already = true
		return result, nil
	}
	if w.Strategy == plan.Online {
		err := r.onlineTable(ctx, w, n, &result)
		return result, err
	}
	if r.opts.Until == UntilFence {
		return result, nil // one transaction needs no fence
	}
	r.opts.step(w.Table.Table, "waiting for the lock")
	s, err := r.t.begin(ctx, w, n, forApply)
	if err != nil {
		return result, err
	}
	defer s.rollback()
	before, err := s.state(ctx)
	if err != nil {
		return result, err
	}
	if err := r.settle(w.Name, before); err != nil {
		return result, err
	}
	if finished(w, before) {
		result.Already = true
		return result, nil
	}
	change, err := r.change(ctx, s, w, before, &result)
	if err != nil || r.opts.DryRun || change.Rows == 0 && change.Index == "" {
		return result, err
	}
	return result, r.commit(s, change)
}

// finished tells whether the database shows that nothing is left to do.
func finished(w *plan.Work, s state) bool {
	if w.Index() != nil {
		return s.index == indexOurs
	}
	return s.rows() == w.RemoveCount()
}

// change works inside the transaction and returns what there is to commit.
func (r *runner) change(ctx context.Context, s session, w *plan.Work, before state, result *TableResult) (entryData, error) {
	change := entryData{Entry: w.Name, Table: w.Table.Table, Groups: []int{}}
	if len(w.Groups) > 0 {
		if err := r.rows(ctx, s, w, before, result, &change); err != nil {
			return change, err
		}
	}
	if w.Index() == nil || r.left(result) || r.opts.Until == UntilClean {
		return change, nil
	}
	switch before.index {
	case indexWrong:
		return change, &plan.Problem{Code: plan.CodeExists, Message: "an index named " + w.Index().Name + " exists and is not a valid unique index on the key; nothing was changed", Hint: "drop it if nothing needs it, or plan again with another --index-name"}
	case indexOther:
		result.Already = len(change.Groups) == 0
		return change, nil
	}
	r.opts.step(w.Table.Table, "building the unique index "+w.Index().Name)
	err := s.buildIndex(ctx)
	if arrived, ok := errors.AsType[*arrivedError](err); ok {
		result.Arrived = arrived.keys
		return change, nil
	}
	if err != nil {
		return change, err
	}
	change.Index, result.Index = w.Index().Name, w.Index().Name
	return change, nil
}

// rows checks, copies and deletes.
func (r *runner) rows(ctx context.Context, s session, w *plan.Work, before state, result *TableResult, change *entryData) error {
	r.opts.step(w.Table.Table, "checking the rows against the evidence")
	if err := s.load(ctx, false); err != nil {
		return err
	}
	drifted, err := s.drift(ctx)
	if err != nil {
		return err
	}
	if before.rows() == 0 && allGone(w, drifted) {
		return notHere(w)
	}
	result.Drifted = append(result.Drifted, drifted...)
	change.Drifted = driftedGroups(drifted)
	if err := s.forget(ctx, change.Drifted); err != nil {
		return err
	}
	if err := leaveReferred(ctx, s, result, change); err != nil {
		return err
	}
	left := map[int]bool{}
	for _, g := range change.Drifted {
		left[g] = true
	}
	for _, g := range w.Groups {
		if !left[g.Number] && before.kept[g.Number] < len(g.Remove) {
			change.Groups = append(change.Groups, g.Number)
			change.Rows += len(g.Remove) - before.kept[g.Number]
		}
	}
	result.Groups, result.Rows = len(change.Groups), change.Rows
	if change.Rows == 0 {
		return nil
	}
	r.opts.step(w.Table.Table, "removing "+plan.Count(change.Rows, "row"))
	effects, err := s.clean(ctx, change.Rows)
	if err == nil {
		result.Effects, result.cleaned = effects, change.Groups
		result.count(newSample(w, change.Groups, change.Rows, effects))
		err = r.asRehearsed(w, *change, effects)
	}
	return err
}

func notHere(w *plan.Work) error {
	return &plan.Problem{Code: plan.CodeDrift, Message: "none of the case's rows is in " + w.Table.Table + ": this does not look like the database of the case", Hint: "name the database that was scanned, or scan this one"}
}

// leaveReferred leaves out the groups to which rows refer otherwise than was
// foretold. What stays may refer to others that go, so it looks until all is as foretold.
func leaveReferred(ctx context.Context, s session, result *TableResult, change *entryData) error {
	for {
		drifted, err := s.referred(ctx)
		if err != nil || len(drifted) == 0 {
			slices.SortStableFunc(result.Drifted, func(a, b Drift) int { return a.Group - b.Group })
			slices.Sort(change.Drifted)
			return err
		}
		var groups []int
		for _, d := range drifted {
			if !slices.Contains(change.Drifted, d.Group) {
				result.Drifted = append(result.Drifted, d)
				change.Drifted, groups = append(change.Drifted, d.Group), append(groups, d.Group)
			}
		}
		if err := s.forget(ctx, groups); err != nil {
			return err
		}
	}
}

func allGone(w *plan.Work, drifted []Drift) bool {
	gone := 0
	for _, d := range drifted {
		if d.State == "gone" {
			gone++
		}
	}
	return gone > 0 && gone == w.RemoveCount()+len(w.Groups)
}

// commit writes the change down, makes it, and writes down that it was made.
func (r *runner) commit(s session, change entryData) error {
	if err := r.log.begin(r.p); err != nil {
		return err
	}
	if err := r.log.write(eventCommitting, change); err != nil {
		return err
	}
	if err := conclude(r.log, s, change, eventRolledBack); err != nil {
		return err
	}
	return r.after(r.log.write(eventCommitted, change))
}

// conclude commits, and tells a commit that failed from one whose fate is unknown.
func conclude(l *log, s session, change entryData, failed string) error {
	unknown, err := s.commit()
	switch {
	case err == nil:
		return nil
	case unknown:
		return &plan.Problem{Code: plan.CodeStopped, Message: "the connection went away while committing, so it is not known whether the change took place", Hint: "run the same command again: it finds out from the database and goes on", Err: err}
	}
	return errors.Join(err, l.write(failed, change))
}

// after turns a journal that failed after the commit into what a person needs to know.
func (r *runner) after(err error) error {
	if err == nil {
		return nil
	}
	return &plan.Problem{Code: plan.CodeStopped, Message: "the change is made, and the journal could not be written after it", Hint: "make room in the case directory, then run the same command again: it finds out from the database and goes on", Err: err}
}
