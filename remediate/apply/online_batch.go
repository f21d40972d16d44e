package apply

import (
	"context"
	"maps"
	"time"

	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// batch cleans some groups: those of which all was seen at once, the others
// with care.
func (r *onlineRun) batch(ctx context.Context, next looked) (out outcome, err error) {
	care, hit := next.groups, false
	for tries := 0; tries < 2 && next.seen != nil && !hit; tries++ {
		if tries > 0 { // somebody wrote one of the rows meanwhile, maybe as it was
			if next = r.once.look(ctx, r.o.t.conn, next.groups, next.pace); next.seen == nil {
				break
			}
		}
		if out, hit, err = r.batchAtOnce(ctx, next); hit && err != nil || r.o.lost() {
			return out, err
		}
	}
	if hit {
		care = next.odd
	}
	if next.tried {
		r.once.learn(hit)
	}
	if len(care) == 0 {
		return out, nil
	}
	rest, err := r.apart(ctx, care, r.batchWithCare)
	return outcome{rest.busy, out.left, out.rows + rest.rows, max(out.held, rest.held), rest.ended}, err
}

// batchAtOnce does the groups of a look while all still is as it was seen, as
// far as rows may be locked for so long; hit is false where something is not,
// and nothing was done.
func (r *onlineRun) batchAtOnce(ctx context.Context, next looked) (out outcome, hit bool, err error) {
	s := r.o.session(dialect.Batch(r.w, groupsOf(next.seen)))
	defer s.rollback()
	if err := r.once.begin(ctx, s); err != nil {
		return out, false, err
	}
	started := time.Now()
	done, effects, err := r.once.clean(ctx, s, next.seen, next.pace)
	if err != nil {
		return out, false, err
	}
	out.left = groupsOf(next.seen[len(done):])
	change := entryData{Entry: r.w.Name, Table: r.w.Table.Table, Groups: []int{}, Step: stepClean}
	change.take(groupsOf(done), nil)
	if err := r.asRehearsed(r.w, change, effects); err != nil {
		return out, true, err
	}
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
		if err := r.asRehearsed(r.w, change, effects); err != nil {
			return out, err
		}
	}
	if r.back && change.Rows > 0 {
		if err := s.batchBack(ctx, change); err != nil {
			return out, err
		}
	}
	return out, r.settleBatch(s, change, drifted, effects, &out, started)
}

// settleBatch makes what a batch did durable, or takes it back in a dry run,
// and counts it.
func (r *onlineRun) settleBatch(s *postgresSession, change entryData, drifted []Drift, effects map[string]plan.Effect, out *outcome, started time.Time) error {
	if !r.opts.DryRun && change.Rows > 0 {
		if err := r.commit(s, change); err != nil {
			return err
		}
	} else {
		s.rollback()
		s.ended = time.Now()
	}
	out.rows, out.held, out.ended = change.Rows, s.ended.Sub(started), s.ended
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
	r.result.cleaned = append(r.result.cleaned, change.Groups...)
	r.result.Groups, r.result.Rows = r.result.Groups+len(change.Groups), r.result.Rows+change.Rows
	r.result.Drifted = append(r.result.Drifted, drifted...)
	r.result.Effects = sumEffects(r.result.Effects, effects)
	r.result.count(newSample(r.w, change.Groups, change.Rows, effects))
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
