package apply

import (
	"context"
	"maps"
	"time"

	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// look sees before a batch what of its groups is as the evidence has it; nil
// where the batch is to be done with care.
func (r *onlineRun) look(ctx context.Context, groups []plan.WorkGroup) (*sight, error) {
	if !r.once.due() {
		return nil, nil
	}
	seen, err := r.once.look(ctx, groups)
	if err == nil {
		return seen, nil
	}
	if r.once.learn(false); r.o.lost() {
		return nil, err
	}
	return nil, nil
}

// batch cleans some groups in one transaction, those of which all was seen at once.
func (r *onlineRun) batch(ctx context.Context, groups []plan.WorkGroup, seen *sight) (out outcome, err error) {
	if seen != nil {
		out, hit, err := r.batchAtOnce(ctx, groups, seen)
		if r.once.learn(hit); hit || r.o.lost() {
			return out, err
		}
	}
	return r.apart(ctx, groups, r.batchWithCare)
}

// batchAtOnce does a batch in which all still is as it was seen; hit is false
// where something is not, and nothing was done.
func (r *onlineRun) batchAtOnce(ctx context.Context, groups []plan.WorkGroup, seen *sight) (out outcome, hit bool, err error) {
	s := r.o.session(dialect.Batch(r.w, groups))
	defer s.rollback()
	if err := r.once.begin(ctx, s); err != nil {
		return out, false, err
	}
	started := time.Now()
	effects, err := r.once.clean(ctx, s, seen)
	if err != nil {
		return out, false, err
	}
	change := entryData{Entry: r.w.Name, Table: r.w.Table.Table, Groups: []int{}, Step: stepClean}
	change.take(groups, nil)
	err = r.settleBatch(s, change, nil, effects, &out, started)
	return out, true, err
}

// batchWithCare finds out for each group whether it is as the evidence has it,
// and does those that are.
func (r *onlineRun) batchWithCare(ctx context.Context, groups []plan.WorkGroup) (out outcome, err error) {
	s, err := r.o.begin(ctx, groups, forBatch)
	if err != nil {
		return out, err
	}
	defer s.rollback()
	s.sql = s.sql.Between(groups[0].Number, groups[len(groups)-1].Number) // so that a full quarantine is not read through
	if err := s.load(ctx, false); err != nil {
		return out, err
	}
	started := time.Now()
	if out.busy, err = s.lockFree(ctx); err != nil {
		return out, err
	}
	if err := s.forget(ctx, out.busy); err != nil {
		return out, err
	}
	drifted, err := s.drift(ctx)
	if err != nil {
		return out, err
	}
	change := entryData{Entry: r.w.Name, Table: r.w.Table.Table, Groups: []int{}, Step: stepClean, Drifted: driftedGroups(drifted)}
	if err := s.forget(ctx, change.Drifted); err != nil {
		return out, err
	}
	referred, busy, err := s.follow(ctx, &change)
	if err != nil {
		return out, err
	}
	drifted, out.busy = append(drifted, referred...), append(out.busy, busy...)
	change.take(groups, out.busy)
	effects := map[string]plan.Effect{}
	if change.Rows > 0 {
		if effects, err = s.clean(ctx, change.Rows); err != nil {
			return out, refused(err)
		}
	}
	return out, r.settleBatch(s, change, drifted, effects, &out, started)
}

// settleBatch makes what a batch did durable, or takes it back in a dry run,
// and counts it.
func (r *onlineRun) settleBatch(s *postgresSession, change entryData, drifted []Drift, effects map[string]plan.Effect, out *outcome, started time.Time) error {
	if r.opts.DryRun {
		s.rollback()
	} else if change.Rows > 0 {
		if err := r.commit(s, change); err != nil {
			return err
		}
	}
	out.rows, out.held = change.Rows, time.Since(started)
	r.result.LongestLockUS = max(r.result.LongestLockUS, out.held.Microseconds())
	r.count(change, drifted, effects)
	return nil
}

// take counts the groups that this change cleans: all but those left alone.
func (e *entryData) take(groups []plan.WorkGroup, busy []int) {
	left := map[int]bool{}
	for _, list := range [][]int{busy, e.Drifted} {
		for _, g := range list {
			left[g] = true
		}
	}
	for _, g := range groups {
		if !left[g.Number] {
			e.Groups, e.Rows = append(e.Groups, g.Number), e.Rows+len(g.Remove)
		}
	}
}

// count adds a batch to the table's result.
func (r *onlineRun) count(change entryData, drifted []Drift, effects map[string]plan.Effect) {
	r.result.Groups, r.result.Rows = r.result.Groups+len(change.Groups), r.result.Rows+change.Rows
	r.result.Drifted = append(r.result.Drifted, drifted...)
	r.result.Effects = sumEffects(r.result.Effects, effects)
	r.opts.add(change.Rows)
}

func sumEffects(one, other map[string]plan.Effect) map[string]plan.Effect {
	sum := map[string]plan.Effect{}
	maps.Copy(sum, one)
	for table, e := range other {
		s := sum[table]
		sum[table] = plan.Effect{Inserted: s.Inserted + e.Inserted, Updated: s.Updated + e.Updated, Deleted: s.Deleted + e.Deleted}
	}
	return sum
}
