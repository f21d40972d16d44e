package apply

import (
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"twinrow/queries"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// clean copies and deletes, changes what else the plan changes, and asserts
// what that did everywhere.
func (s *sqliteSession) clean(ctx context.Context, want int) (map[string]plan.Effect, error) {
	if err := s.asScanned(ctx); err != nil {
		return nil, err
	}
	before, err := s.measure(ctx)
	if err != nil {
		return nil, err
	}
	foretold := effects{}
	s.aside = 0
	if err := s.change(ctx, want, foretold); err != nil {
		return nil, err
	}
	return s.asForetold(ctx, before, foretold)
}

// asScanned refuses tables beside the planned one that were altered since the
// scan, and triggers that came since.
func (s *sqliteSession) asScanned(ctx context.Context) error {
	for _, name := range s.sql.Touched() {
		n, err := s.number(ctx, "reading the triggers", s.sql.NewTriggers(name))
		if err != nil {
			return err
		}
		if n > 0 {
			return &plan.Problem{Code: plan.CodeDrift, Message: "triggers were added to " + name + " since the scan; nothing was changed", Hint: "scan again into a new case, so that the plan names what they may do"}
		}
		same, err := s.number(ctx, "reading the columns", "SELECT "+s.sql.SameColumns(name))
		if err != nil {
			return err
		}
		if same == 0 {
			return &plan.Problem{Code: plan.CodeDrift, Message: "the columns of " + name + " were altered since the scan; nothing was changed", Hint: "scan again into a new case"}
		}
	}
	return nil
}

// change makes the changes in their order, and adds up what they are to do.
func (s *sqliteSession) change(ctx context.Context, want int, foretold effects) error {
	copied, err := s.count(ctx, "copying rows to quarantine", s.sql.Copy())
	if err != nil {
		return err
	}
	if len(s.w.Set) > 0 {
		return carryOut(ctx, s, "", foretold, s.sql.SetSurplus())
	}
	if err := carryOut(ctx, s, "", foretold, s.sql.Steps()...); err != nil {
		return err
	}
	deleted, err := s.remove(ctx, want)
	if err != nil {
		return err
	}
	if copied != want || deleted != want {
		return differs(fmt.Sprintf("%s of %s %s to go, and %d were copied and %d deleted", plan.Count(want, "row"), s.w.Table.Table, plan.Verb(want, "was", "were"), copied, deleted), "a trigger of the table keeps rows from being deleted; look at it, then plan again")
	}
	foretold.add(s.w.Table.Table, plan.Effect{Deleted: int64(want)})
	return carryOut(ctx, s, "", foretold, s.sql.Survivors()...)
}

// remove deletes the rows and returns how many are gone. What foreign keys of
// the table itself do to rows that go anyhow is not aside: they delete some
// first, and empty references of others.
func (s *sqliteSession) remove(ctx context.Context, want int) (gone int, err error) {
	emptied, err := s.number(ctx, "looking at the rows", s.sql.Emptied())
	if err != nil {
		return 0, err
	}
	before := s.aside
	deleted, err := s.count(ctx, "deleting rows", s.sql.Delete())
	if err != nil {
		return 0, err
	}
	left, err := s.number(ctx, "looking at the rows", s.sql.StillThere())
	gone = want - left
	aside := s.aside - before - (gone - deleted)
	s.aside = before + max(0, aside-emptied)
	return gone, err
}

// referred lists the loaded groups to which other rows refer otherwise than
// was foretold.
func (s *sqliteSession) referred(ctx context.Context) ([]Drift, error) {
	return lookReferred(ctx, s, s.w, s.sql.Referred())
}

// referrers counts what refers to the rows, by group.
func (s *sqliteSession) referrers(ctx context.Context, counts string) (map[int]referredRow, error) {
	found := map[int]referredRow{}
	err := s.query(ctx, "looking at what refers to the rows", counts, func(stmt *sqlite.Stmt) error {
		found[stmt.ColumnInt(0)] = referredRow{stmt.ColumnText(1), plan.GroupReference{Rows: stmt.ColumnInt64(2), Dropped: stmt.ColumnInt64(3), Merged: stmt.ColumnInt64(4)}}
		return nil
	})
	return found, err
}

// loadedGroups are the groups in the work.
func (s *sqliteSession) loadedGroups(ctx context.Context) (map[int]bool, error) {
	loaded := map[int]bool{}
	err := s.query(ctx, "looking at the work", s.sql.Loaded(), func(stmt *sqlite.Stmt) error {
		loaded[stmt.ColumnInt(0)] = true
		return nil
	})
	return loaded, err
}

// buildIndex builds the index with this case's mark in its definition.
func (s *sqliteSession) buildIndex(ctx context.Context) error {
	err := execute(s.conn, s.sql.CreateIndex(), nil)
	if sqlite.ErrCode(err) == sqlite.ResultConstraintUnique {
		keys, err := s.duplicates(ctx)
		if err != nil {
			return err
		}
		return arrived(s.w, keys)
	}
	return explainSQLite(ctx, "building the index", err)
}

// takeBack drops the index and puts the rows back, all in the one transaction.
func (s *sqliteSession) takeBack(ctx context.Context, dropIndex bool) (int, error) {
	if dropIndex {
		if err := s.dropIndex(ctx); err != nil {
			return 0, err
		}
	}
	there, err := s.hasQuarantine(ctx)
	if err != nil || !there {
		return 0, err
	}
	back, err := s.rowsBack(ctx)
	if err != nil {
		return 0, err
	}
	for _, table := range s.sql.ChangedTables() {
		if err := s.release(ctx, s.sql.ChangesName(table), s.sql.ReleaseChanges(table)); err != nil {
			return 0, err
		}
	}
	return back, s.release(ctx, s.sql.QuarantineName(), s.sql.Release())
}

// rowsBack puts survivors back as they were, then the rows that went, then
// those that referred to them.
func (s *sqliteSession) rowsBack(ctx context.Context) (back int, err error) {
	if err := s.run(ctx, "preparing the quarantine", s.sql.CreateChanges()...); err != nil {
		return 0, err
	}
	survivors, others := s.sql.Backs()
	if err := s.putBack(ctx, survivors); err != nil {
		return 0, err
	}
	if len(s.w.Set) > 0 {
		return s.number(ctx, "counting the quarantine", s.sql.CountQuarantine())
	}
	if back, err = s.restore(ctx); err != nil {
		return back, err
	}
	return back, s.putBack(ctx, others)
}

// putBack takes the given steps back, with triggers kept from changing what is
// put back.
func (s *sqliteSession) putBack(ctx context.Context, backs []dialect.Back) (err error) {
	if err := s.conn.SetAuthorizer(sqlite.AuthorizeFunc(quieted)); err != nil {
		return explainSQLite(ctx, "quieting triggers", err)
	}
	defer func() { err = errors.Join(err, s.conn.SetAuthorizer(nil)) }()
	for _, back := range backs {
		for _, sql := range back.Prepare {
			if err := execute(s.conn, sql, nil); err != nil {
				return restoreSQLiteProblem(ctx, err)
			}
		}
		var want, got, lost int
		err := s.query(ctx, "comparing the rows", back.SQL, func(stmt *sqlite.Stmt) error {
			want, got, lost = stmt.ColumnInt(0), stmt.ColumnInt(1), stmt.ColumnInt(2)
			return nil
		})
		if err != nil {
			return err
		}
		if err := cameBack(back.Table, want, got, lost, s.sql.ChangesName(back.Table)); err != nil {
			return err
		}
	}
	return nil
}

// quieted makes what triggers would write into nothing: SQLite leaves out an
// INSERT that is to be ignored, and of an UPDATE its columns. A DELETE of a
// trigger has no such way, and is refused.
func quieted(action sqlite.Action) sqlite.AuthResult {
	if action.Accessor() == "" {
		return sqlite.AuthResultOK
	}
	switch action.Type() {
	case sqlite.OpInsert, sqlite.OpUpdate:
		return sqlite.AuthResultIgnore
	case sqlite.OpDelete:
		return sqlite.AuthResultDeny
	default:
		return sqlite.AuthResultOK
	}
}

// release forgets what a table keeps of this entry, and drops it when it is empty.
func (s *sqliteSession) release(ctx context.Context, table, forget string) error {
	if err := s.run(ctx, "emptying the quarantine", forget); err != nil {
		return err
	}
	name := "main." + queries.Ident(table)
	left, err := s.number(ctx, "looking at the quarantine", "SELECT count(*) FROM "+name)
	if err != nil || left > 0 {
		return err
	}
	return s.run(ctx, "dropping the empty quarantine", "DROP TABLE "+name)
}

func (s *sqliteSession) dropIndex(ctx context.Context) error {
	return s.run(ctx, "dropping the index", s.sql.DropIndex())
}

// restore puts the rows back and compares each with what was taken.
func (s *sqliteSession) restore(ctx context.Context) (int, error) {
	want, err := s.number(ctx, "counting the quarantine", s.sql.CountQuarantine())
	if err != nil || want == 0 {
		return 0, err
	}
	if err := s.run(ctx, "finding places for the rows", s.sql.MakeRoom()...); err != nil {
		return 0, err
	}
	before, err := s.measure(ctx)
	if err != nil {
		return 0, err
	}
	if err := execute(s.conn, s.sql.Restore(), nil); err != nil {
		return 0, restoreSQLiteProblem(ctx, err)
	}
	if n := s.conn.Changes(); n != want {
		return 0, differs(fmt.Sprintf("%d of %s came back", n, plan.Count(want, "row")), "a trigger of the table keeps rows from being inserted; drop it for the undo")
	}
	same, err := s.number(ctx, "comparing the rows", s.sql.Restored())
	if err != nil {
		return 0, err
	}
	if same != want {
		return 0, differs(fmt.Sprintf("%d of %s did not come back as they were", want-same, plan.Count(want, "row")), "a trigger of the table changes rows that are inserted; drop it for the undo")
	}
	_, err = s.asForetold(ctx, before, effects{s.w.Table.Table: {Inserted: int64(want)}})
	return want, err
}

// restoreSQLiteProblem says why a row could not come back.
func restoreSQLiteProblem(ctx context.Context, err error) error {
	if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultAuth {
		return &plan.Problem{Code: plan.CodeDrift, Message: "a trigger would delete rows while others are put back; nothing was changed", Hint: "drop it for the undo, then create it again", Err: cause(err)}
	}
	if ctx.Err() != nil || sqlite.ErrCode(err).ToPrimary() != sqlite.ResultConstraint {
		return explainSQLite(ctx, "putting rows back", err)
	}
	return &plan.Problem{Code: plan.CodeDrift, Message: "a row cannot come back, because another has taken its place or a constraint forbids it; nothing was changed", Hint: "look at the rows that were added since, and remove or change those that stand in the way; a unique index that somebody else built has to go first", Err: cause(err)}
}

// duplicates counts the keys that several rows have.
func (s *sqliteSession) duplicates(ctx context.Context) (int, error) {
	return s.number(ctx, "counting duplicates", s.sql.CountDuplicates())
}
