package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// counted are the tables whose names the server's counts are to be under.
func (s *postgresSession) counted() []string {
	names := []string{s.w.Table.Table, s.sql.Quarantine(), s.sql.Changes()}
	for _, r := range s.w.References {
		names = append(names, r.Table)
	}
	return names
}

// effects reads the server's own counts.
func (s *postgresSession) effects(ctx context.Context) (effects, error) {
	out := effects{}
	rows, err := s.conn.Query(ctx, queries.Postgres("apply_effects"), s.counted())
	if err == nil {
		err = out.read(rows)
	}
	return out, explain(ctx, "counting the effects", err)
}

// read takes the counts from what apply_effects returned.
func (e effects) read(rows pgx.Rows) error {
	var relid uint32
	var name string
	var one plan.Effect
	_, err := pgx.ForEachRow(rows, []any{&relid, &name, &one.Inserted, &one.Updated, &one.Deleted}, func() error {
		e.add(name, one)
		return nil
	})
	return err
}

// since takes the counts of before away and leaves out tables where nothing happened.
func since(before, now effects) effects {
	out := effects{}
	for name, e := range now {
		b := before[name]
		e.Inserted, e.Updated, e.Deleted = e.Inserted-b.Inserted, e.Updated-b.Updated, e.Deleted-b.Deleted
		if e != (plan.Effect{}) {
			out[name] = e
		}
	}
	return out
}

// clean copies and deletes, changes what else the plan changes, and asserts
// what that did everywhere.
func (s *postgresSession) clean(ctx context.Context, want int) (map[string]plan.Effect, error) {
	before, err := s.effects(ctx)
	if err != nil {
		return nil, err
	}
	foretold := effects{}
	if err := s.change(ctx, want, foretold); err != nil {
		return nil, err
	}
	if err := s.exec(ctx, "checking foreign keys", "SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
		return nil, err
	}
	now, err := s.effects(ctx)
	if err != nil {
		return nil, err
	}
	return s.asForetold(since(before, now), foretold)
}

// change makes the changes in their order, and adds up what they are to do.
func (s *postgresSession) change(ctx context.Context, want int, foretold effects) error {
	copied, err := s.count(ctx, "copying rows to quarantine", s.sql.Copy())
	if err != nil {
		return err
	}
	foretold.add(s.sql.Quarantine(), plan.Effect{Inserted: int64(copied)})
	if len(s.w.Set) > 0 {
		return carryOut(ctx, s, s.sql.Changes(), foretold, s.sql.SetSurplus())
	}
	if err := carryOut(ctx, s, s.sql.Changes(), foretold, s.sql.Steps()...); err != nil {
		return err
	}
	deleted, err := s.count(ctx, "deleting rows", s.sql.Delete())
	if err != nil {
		return err
	}
	foretold.add(s.w.Table.Table, plan.Effect{Deleted: int64(want)})
	if copied != want || deleted != want {
		return differs(fmt.Sprintf("%s of %s %s to go, and %d were copied and %d deleted", plan.Count(want, "row"), s.w.Table.Table, plan.Verb(want, "was", "were"), copied, deleted), "a trigger or rule of the table keeps rows from being deleted; look at it, then plan again")
	}
	return carryOut(ctx, s, s.sql.Changes(), foretold, s.sql.Survivors()...)
}

// asForetold compares the effects with what was foretold. Triggers, to which
// the plan had consent, may add rows elsewhere.
func (s *postgresSession) asForetold(did, foretold effects) (map[string]plan.Effect, error) {
	out := map[string]plan.Effect{}
	for name, e := range did {
		if _, known := foretold[name]; !known && (e.Updated != 0 || e.Deleted != 0 || !s.w.FiresTriggers()) {
			return nil, differs(fmt.Sprintf("a foreign key or trigger also changed %s (%s), which was not foretold", name, counts(e)), "clean up the rows that refer to the removed ones first, then run again")
		}
		out[name] = e
	}
	for name, want := range foretold {
		if got := did[name]; got != want && moved(got) != want {
			return nil, differs(fmt.Sprintf("%s was to have %s, and had %s", name, counts(want), counts(got)), "look at the triggers, rules and foreign keys of that table, then run again")
		}
		out[name] = want
	}
	delete(out, s.sql.Quarantine())
	delete(out, s.sql.Changes())
	return out, nil
}

// moved counts rows that an update moved from one partition to another, which
// the server counts as deleted here and inserted there, as updated.
func moved(e plan.Effect) plan.Effect {
	return plan.Effect{Updated: e.Updated + e.Inserted, Deleted: e.Deleted - e.Inserted}
}

func counts(e plan.Effect) string {
	return fmt.Sprintf("%d inserted, %d updated, %d deleted", e.Inserted, e.Updated, e.Deleted)
}

// buildIndex builds and marks the index. Duplicates that came after the scan
// are counted, for which the failed statement alone is rolled back.
func (s *postgresSession) buildIndex(ctx context.Context) error {
	if err := s.replaceable(ctx); err != nil {
		return err
	}
	if err := s.exec(ctx, "building the index", "SAVEPOINT twinrow_index"); err != nil {
		return err
	}
	err := s.exec(ctx, "building the index", s.sql.CreateIndex())
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "23505" {
		return s.newDuplicates(ctx)
	}
	if err != nil {
		return err
	}
	for _, sql := range s.sql.BuiltStatements() {
		if err := s.exec(ctx, "finishing the index", sql); err != nil {
			return err
		}
	}
	return nil
}

func (s *postgresSession) newDuplicates(ctx context.Context) error {
	if err := s.exec(ctx, "looking at new duplicates", "ROLLBACK TO SAVEPOINT twinrow_index"); err != nil {
		return err
	}
	keys, err := s.duplicates(ctx)
	if err != nil {
		return err
	}
	return arrived(s.w, keys)
}

// arrived tells duplicates of the key from rows that are the same only under
// an index that is not on just the key.
func arrived(w *plan.Work, keys int) error {
	if keys > 0 || w.Index().OnKey(w.Case) {
		return &arrivedError{max(1, keys)} // those that the build met may be gone again
	}
	return &plan.Problem{Code: plan.CodeStopped, Message: "the index " + w.Index().Name + " cannot be built: rows that the case did not look for are the same under it; its build was rolled back",
		Hint: "scan by the columns and the where of the index and clean that case, or take them out of `index:` in the case's twinrow.yaml and plan again"}
}

// arrivedError says that the index cannot be built yet, because of duplicates
// that the plan does not know. What was done before it still stands.
type arrivedError struct{ keys int }

func (a *arrivedError) Error() string {
	return "duplicates of " + plan.Count(a.keys, "key") + " arrived since the scan"
}

// takeBack drops the index and takes every change back in the reverse order,
// all in the one transaction.
func (s *postgresSession) takeBack(ctx context.Context, dropIndex bool) (int, error) {
	if dropIndex {
		if err := s.dropIndex(ctx); err != nil {
			return 0, err
		}
	} else if err := s.wantReplaced(ctx); err != nil {
		return 0, err
	}
	there, err := s.exists(ctx, s.sql.Quarantine())
	if err != nil || !there {
		return 0, err
	}
	changed, err := s.exists(ctx, s.sql.Changes())
	if err != nil {
		return 0, err
	}
	tables := []string{s.sql.Quarantine()}
	if changed {
		tables = append(tables, s.sql.Changes())
	}
	for _, table := range tables {
		if err := s.exec(ctx, "locking the quarantine", "LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE"); err != nil {
			return 0, err
		}
	}
	back, err := s.rowsBack(ctx, changed)
	if err != nil {
		return 0, err
	}
	if changed {
		if err := s.release(ctx, s.sql.Changes(), s.sql.ReleaseChanges()); err != nil {
			return 0, err
		}
	}
	return back, s.release(ctx, s.sql.Quarantine(), s.sql.Release())
}

// rowsBack puts survivors back as they were, then the rows that went, then
// those that referred to them.
func (s *postgresSession) rowsBack(ctx context.Context, changed bool) (back int, err error) {
	survivors, others := s.sql.Backs()
	if changed {
		if err := s.lockReferring(ctx); err != nil {
			return 0, err
		}
		if err := s.putBack(ctx, survivors); err != nil {
			return 0, err
		}
	}
	if len(s.w.Set) > 0 {
		return s.number(ctx, "counting the quarantine", s.sql.CountQuarantine())
	}
	if back, err = s.restore(ctx); err != nil || !changed {
		return back, err
	}
	return back, s.putBack(ctx, others)
}

// release forgets what a table keeps of this case, and drops it when it is empty.
func (s *postgresSession) release(ctx context.Context, table, forget string) error {
	if err := s.exec(ctx, "emptying the quarantine", forget); err != nil {
		return err
	}
	var empty bool
	if err := s.conn.QueryRow(ctx, "SELECT NOT EXISTS (SELECT FROM "+table+")").Scan(&empty); err != nil {
		return explain(ctx, "looking at the quarantine", err)
	}
	if !empty {
		return nil
	}
	return s.exec(ctx, "dropping the empty quarantine", "DROP TABLE "+table)
}

// restore puts the rows back and compares each with what was taken.
func (s *postgresSession) restore(ctx context.Context) (int, error) {
	want, err := s.number(ctx, "counting the quarantine", s.sql.CountQuarantine())
	if err != nil || want == 0 {
		return 0, err
	}
	before, err := s.effects(ctx)
	if err != nil {
		return 0, err
	}
	var back, lost int
	if err := s.conn.QueryRow(ctx, s.sql.Restore()).Scan(&back, &lost); err != nil {
		return 0, s.restoreProblem(ctx, err)
	}
	if back != want || lost != 0 {
		return 0, differs(fmt.Sprintf("%d of %s came back, %d of them not as they were", back, plan.Count(want, "row"), lost), "a trigger or rule of the table changes rows that are inserted; disable it for the undo")
	}
	if err := s.exec(ctx, "checking foreign keys", "SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
		return 0, s.restoreProblem(ctx, err)
	}
	now, err := s.effects(ctx)
	if err != nil {
		return 0, err
	}
	_, err = s.asForetold(since(before, now), effects{s.w.Table.Table: {Inserted: int64(want)}})
	return back, err
}

// restoreProblem says why a row could not come back.
func (s *postgresSession) restoreProblem(ctx context.Context, err error) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return explain(ctx, "putting rows back", err)
	}
	p := &plan.Problem{Code: plan.CodeDrift, Err: &plainError{refused}}
	switch refused.Code {
	case "23505", "23P01":
		p.Message = "a row cannot come back, because another has taken its place under " + refused.ConstraintName + "; nothing was changed"
		p.Hint = "look at the rows that were added since, and remove or change those that stand in the way; a unique index that somebody else built has to go first"
	case "23503":
		p.Message = "a row cannot come back, because what it refers to is gone (" + refused.ConstraintName + "); nothing was changed"
		p.Hint = "put back what it refers to, then run again"
	case "22P02", "22P04", "42804", "23502", "23514":
		p.Message = "a row cannot come back, because the table was altered since; nothing was changed"
		p.Hint = "take the alteration back, then run again"
	default:
		return explain(ctx, "putting rows back", err)
	}
	return p
}
