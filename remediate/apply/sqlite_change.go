package apply

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// clean copies and deletes, and asserts what that did.
func (s *sqliteSession) clean(ctx context.Context, want int) (map[string]plan.Effect, error) {
	if err := s.notReferred(ctx); err != nil {
		return nil, err
	}
	if s.triggered && len(s.w.Case.Triggers) == 0 {
		return nil, &plan.Problem{Code: plan.CodeDrift, Message: "triggers were added to " + s.w.Table.Table + " since the scan; nothing was changed", Hint: "scan again into a new case, so that the plan names what they may do"}
	}
	rows, err := s.sizes(ctx)
	if err != nil {
		return nil, err
	}
	copied, err := s.exec(ctx, "copying rows to quarantine", s.sql.Copy())
	if err != nil {
		return nil, err
	}
	before, err := s.number(ctx, "counting the effects", "SELECT total_changes()")
	if err != nil {
		return nil, err
	}
	deleted, err := s.exec(ctx, "deleting rows", s.sql.Delete())
	if err != nil {
		return nil, err
	}
	after, err := s.number(ctx, "counting the effects", "SELECT total_changes()")
	if err != nil {
		return nil, err
	}
	if copied != want || deleted != want {
		return nil, differs(fmt.Sprintf("%s of %s %s to go, and %d were copied and %d deleted", plan.Count(want, "row"), s.w.Table.Table, plan.Verb(want, "was", "were"), copied, deleted), "a trigger of the table keeps rows from being deleted; look at it, then plan again")
	}
	if !s.triggered && after-before != want {
		return nil, differs(fmt.Sprintf("deleting %s changed %d", plan.Count(want, "row"), after-before), "look at the foreign keys that refer to the table, then run again")
	}
	if err := s.sizesAsForetold(ctx, rows, -want); err != nil {
		return nil, err
	}
	return map[string]plan.Effect{s.w.Table.Table: {Deleted: int64(want)}}, nil
}

// notReferred refuses to remove a row that another refers to: with foreign
// keys off it would leave an orphan, with them on it could take more rows along.
func (s *sqliteSession) notReferred(ctx context.Context) error {
	for _, k := range s.w.Case.IncomingKeys {
		n, err := s.number(ctx, "looking at what refers to the rows", "SELECT count(*) FROM ("+s.sql.Referrers(k)+")")
		if err != nil {
			return err
		}
		if n > 0 {
			return differs(fmt.Sprintf("%s of %s %s to rows that are to go (%s)", plan.Count(n, "row"), k.Table, plan.Verb(n, "refers", "refer"), k.Name), "point those rows at the survivors first, then run again")
		}
	}
	return nil
}

// referred is settled by notReferred.
func (s *sqliteSession) referred(context.Context) ([]Drift, error) { return nil, nil }

// sizes counts the rows of the table, and of every other where triggers could
// take rows away.
func (s *sqliteSession) sizes(ctx context.Context) (map[string]int, error) {
	names := []string{s.w.Table.Table}
	if s.triggered {
		names = nil
		err := s.query(ctx, "reading the catalogue", queries.SQLite("apply_tables"), func(stmt *sqlite.Stmt) error {
			if name := stmt.ColumnText(0); name != s.sql.QuarantineName() {
				names = append(names, name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	out := map[string]int{}
	for _, name := range names {
		n, err := s.number(ctx, "counting rows", "SELECT count(*) FROM main."+queries.Ident(name))
		if err != nil {
			return nil, err
		}
		out[name] = n
	}
	return out, nil
}

// sizesAsForetold compares the sizes: the table's own changes by want, and no
// other table has lost a row.
func (s *sqliteSession) sizesAsForetold(ctx context.Context, before map[string]int, want int) error {
	now, err := s.sizes(ctx)
	if err != nil {
		return err
	}
	for name, n := range now {
		change := n - before[name]
		if name == s.w.Table.Table && change != want || change < 0 && name != s.w.Table.Table {
			return differs(fmt.Sprintf("%s has %+d rows, which was not foretold", name, change), "look at the triggers of "+s.w.Table.Table+", then run again")
		}
	}
	return nil
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
	back, err := s.restore(ctx)
	if err != nil {
		return 0, err
	}
	if err := s.run(ctx, "emptying the quarantine", s.sql.Release()); err != nil {
		return 0, err
	}
	left, err := s.number(ctx, "looking at the quarantine", "SELECT count(*) FROM "+s.sql.Quarantine())
	if err == nil && left == 0 {
		err = s.run(ctx, "dropping the empty quarantine", "DROP TABLE "+s.sql.Quarantine())
	}
	return back, err
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
	rows, err := s.sizes(ctx)
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
	return want, s.sizesAsForetold(ctx, rows, want)
}

// restoreSQLiteProblem says why a row could not come back.
func restoreSQLiteProblem(ctx context.Context, err error) error {
	if ctx.Err() != nil || sqlite.ErrCode(err).ToPrimary() != sqlite.ResultConstraint {
		return explainSQLite(ctx, "putting rows back", err)
	}
	return &plan.Problem{Code: plan.CodeDrift, Message: "a row cannot come back, because another has taken its place or a constraint forbids it; nothing was changed", Hint: "look at the rows that were added since, and remove or change those that stand in the way; a unique index that somebody else built has to go first", Err: cause(err)}
}

// duplicates counts the keys that several rows have.
func (s *sqliteSession) duplicates(ctx context.Context) (int, error) {
	return s.number(ctx, "counting duplicates", s.sql.CountDuplicates())
}
