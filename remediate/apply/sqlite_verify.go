package apply

import (
	"context"
	"errors"

	"zombiezen.com/go/sqlite"

	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// standing counts held groups of which several rows are there.
func (s *sqliteSession) standing(ctx context.Context, held []plan.Held) (int, error) {
	there := map[int]int{}
	for _, h := range held {
		for _, id := range h.Rows {
			n, err := s.number(ctx, "looking at held groups", s.sql.CountByID(), s.idArgs(plan.RowRef{ID: id})...)
			if err != nil {
				return 0, err
			}
			there[h.Number] += n
		}
	}
	return several(there), nil
}

// overtaken expects rows that a later case changed as it left them, and takes
// survivors out of the work that it removed.
func (s *sqliteSession) overtaken(ctx context.Context, later *plan.Work) error {
	after := &sqliteSession{conn: s.conn, w: later, sql: dialect.NewSQLite(later, 0, nil)}
	changed, err := after.hasChanges(ctx, later.Table.Table)
	if err == nil && changed {
		err = s.run(ctx, "looking at what was changed since", s.sql.RecallLater(after.sql)...)
	}
	if err != nil {
		return err
	}
	there, err := after.hasQuarantine(ctx)
	if err != nil || !there || len(later.Set) > 0 { // rows that were set are kept, and there
		return err
	}
	return s.run(ctx, "looking at what was cleaned since", s.sql.Overtaken(after.sql))
}

// checks runs the dialect's checks but the first, which is about duplicates.
func (s *sqliteSession) checks(ctx context.Context) ([]Check, error) {
	kept, err := s.hasQuarantine(ctx)
	if err != nil {
		return nil, err
	}
	var out []Check
	for _, c := range s.sql.Checks()[1:] {
		check := Check{Name: c.Name}
		if c.Name == dialect.KeptCheck && !kept {
			check.Detail = "there is no quarantine " + s.sql.QuarantineName()
			out = append(out, check)
			continue
		}
		err := s.query(ctx, "verifying that "+c.Name, c.SQL, func(stmt *sqlite.Stmt) error {
			check.OK, check.Detail = stmt.ColumnBool(0), stmt.ColumnText(1)
			return nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, check)
	}
	return out, nil
}

// explainSQLite turns an error of the driver into one that a person can act on.
func explainSQLite(ctx context.Context, doing string, err error) error {
	var known *plan.Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	p := &plan.Problem{Code: plan.CodeUnsupported, Message: doing + " failed; nothing was changed", Hint: "the error is SQLite's own", Err: cause(err)}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return &lockError{cause(err), "wait until the program that writes to the file has finished its transaction"}
	case sqlite.ResultReadOnly, sqlite.ResultPerm, sqlite.ResultAuth, sqlite.ResultCantOpen:
		p.Code, p.Hint = plan.CodePermission, "look at the rights of the file and its folder"
	case sqlite.ResultFull, sqlite.ResultIOErr:
		p.Code, p.Hint = plan.CodeDisk, "free space on the disk, then run the same command again"
	case sqlite.ResultNotADB, sqlite.ResultCorrupt:
		p.Code, p.Hint = plan.CodeBadInput, "look at the file with: sqlite3 FILE 'PRAGMA integrity_check'"
	case sqlite.ResultConstraint:
		p.Code, p.Hint = plan.CodeStopped, "a constraint or a trigger of the table forbids it"
	}
	return p
}

// cause is the innermost error, without the statement's text.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
