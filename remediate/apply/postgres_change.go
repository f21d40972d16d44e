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

// effect is what the transaction did to one table so far.
type effect struct {
	name               string
	target, quarantine bool
	plan.Effect
}

// effects reads the server's own counts.
func (s *postgresSession) effects(ctx context.Context) (map[uint32]effect, error) {
	rows, err := s.conn.Query(ctx, queries.Postgres("apply_effects"), s.sql.Target(), s.sql.Quarantine())
	if err != nil {
		return nil, explain(ctx, "counting the effects", err)
	}
	out := map[uint32]effect{}
	var relid uint32
	var e effect
	_, err = pgx.ForEachRow(rows, []any{&relid, &e.name, &e.target, &e.quarantine, &e.Inserted, &e.Updated, &e.Deleted}, func() error {
		out[relid] = e
		return nil
	})
	return out, explain(ctx, "counting the effects", err)
}

// since takes the counts of before away and leaves out tables where nothing happened.
func since(before, now map[uint32]effect) []effect {
	var out []effect
	for relid, e := range now {
		b := before[relid]
		e.Inserted, e.Updated, e.Deleted = e.Inserted-b.Inserted, e.Updated-b.Updated, e.Deleted-b.Deleted
		if e.Effect != (plan.Effect{}) {
			out = append(out, e)
		}
	}
	return out
}

// clean copies and deletes, and asserts what that did everywhere.
func (s *postgresSession) clean(ctx context.Context, want int) (map[string]plan.Effect, error) {
	before, err := s.effects(ctx)
	if err != nil {
		return nil, err
	}
	copied, err := s.count(ctx, "copying rows to quarantine", s.sql.Copy())
	if err != nil {
		return nil, err
	}
	deleted, err := s.count(ctx, "deleting rows", s.sql.Delete())
	if err != nil {
		return nil, err
	}
	if copied != want || deleted != want {
		return nil, differs(fmt.Sprintf("%s of %s %s to go, and %d were copied and %d deleted", plan.Count(want, "row"), s.w.Table.Table, plan.Verb(want, "was", "were"), copied, deleted), "a trigger or rule of the table keeps rows from being deleted; look at it, then plan again")
	}
	if err := s.exec(ctx, "checking foreign keys", "SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
		return nil, err
	}
	now, err := s.effects(ctx)
	if err != nil {
		return nil, err
	}
	return s.asForetold(since(before, now), plan.Effect{Deleted: int64(want)}, plan.Effect{Inserted: int64(want)})
}

// asForetold compares the effects with what was foretold for the table and the
// quarantine. Triggers, to which the plan had consent, may add rows elsewhere.
func (s *postgresSession) asForetold(effects []effect, target, quarantine plan.Effect) (map[string]plan.Effect, error) {
	out := map[string]plan.Effect{}
	var sum, kept plan.Effect
	for _, e := range effects {
		switch {
		case e.target:
			sum.Inserted, sum.Updated, sum.Deleted = sum.Inserted+e.Inserted, sum.Updated+e.Updated, sum.Deleted+e.Deleted
		case e.quarantine:
			kept = e.Effect
		case e.Updated != 0 || e.Deleted != 0 || len(s.w.Case.Triggers) == 0:
			return nil, differs(fmt.Sprintf("a foreign key or trigger also changed %s (%s), which was not foretold", e.name, counts(e.Effect)), "clean up the rows that refer to the removed ones first, then run again")
		default:
			out[e.name] = e.Effect
		}
	}
	if sum != target {
		return nil, differs(fmt.Sprintf("%s was to have %s, and had %s", s.w.Table.Table, counts(target), counts(sum)), "look at the table's triggers, rules and foreign keys, then run again")
	}
	if kept != quarantine {
		return nil, differs(fmt.Sprintf("the quarantine was to have %s, and had %s", counts(quarantine), counts(kept)), "look at the triggers of the quarantine table, then run again")
	}
	out[s.w.Table.Table] = sum
	return out, nil
}

func counts(e plan.Effect) string {
	return fmt.Sprintf("%d inserted, %d updated, %d deleted", e.Inserted, e.Updated, e.Deleted)
}

// differs is the Problem of an effect that was not foretold.
func differs(what, hint string) error {
	return &plan.Problem{Code: plan.CodeStopped, Message: what + "; everything was rolled back and nothing was changed", Hint: hint}
}

// buildIndex builds and marks the index. Duplicates that came after the scan
// are counted, for which the failed statement alone is rolled back.
func (s *postgresSession) buildIndex(ctx context.Context) error {
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
	return s.exec(ctx, "marking the index", s.sql.MarkIndex())
}

func (s *postgresSession) newDuplicates(ctx context.Context) error {
	if err := s.exec(ctx, "looking at new duplicates", "ROLLBACK TO SAVEPOINT twinrow_index"); err != nil {
		return err
	}
	keys, err := s.duplicates(ctx)
	if err != nil {
		return err
	}
	return &arrivedError{keys}
}

// arrivedError says that the index cannot be built yet, because of duplicates
// that the plan does not know. What was done before it still stands.
type arrivedError struct{ keys int }

func (a *arrivedError) Error() string {
	return "duplicates of " + plan.Count(a.keys, "key") + " arrived since the scan"
}

// takeBack drops the index and puts the rows back, all in the one transaction.
func (s *postgresSession) takeBack(ctx context.Context, dropIndex bool) (int, error) {
	if dropIndex {
		if err := s.exec(ctx, "dropping the index", s.sql.DropIndex()); err != nil {
			return 0, err
		}
	}
	there, err := s.exists(ctx, s.sql.Quarantine())
	if err != nil || !there {
		return 0, err
	}
	if err := s.exec(ctx, "locking the quarantine", "LOCK TABLE "+s.sql.Quarantine()+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		return 0, err
	}
	back, err := s.restore(ctx)
	if err != nil {
		return 0, err
	}
	if err := s.exec(ctx, "emptying the quarantine", s.sql.Release()); err != nil {
		return 0, err
	}
	var empty bool
	if err := s.conn.QueryRow(ctx, "SELECT NOT EXISTS (SELECT FROM "+s.sql.Quarantine()+")").Scan(&empty); err != nil {
		return 0, explain(ctx, "looking at the quarantine", err)
	}
	if empty {
		err = s.exec(ctx, "dropping the empty quarantine", "DROP TABLE "+s.sql.Quarantine())
	}
	return back, err
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
	_, err = s.asForetold(since(before, now), plan.Effect{Inserted: int64(want)}, plan.Effect{})
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
