package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// sqliteSession is one transaction over one table.
type sqliteSession struct {
	conn *sqlite.Conn
	n    int
	// w is the work with the foreign keys of now.
	w   *plan.Work
	sql dialect.SQLite
	// triggered is true where a table whose rows change has triggers.
	triggered bool
	// aside counts the changes that triggers and foreign keys made.
	aside int
	over  bool
	// joined is true where the transaction is another's, which ends it.
	joined bool
}

// execute runs one statement and hands on its rows.
func execute(conn *sqlite.Conn, sql string, visit func(*sqlite.Stmt) error, args ...any) (err error) {
	stmt, _, err := conn.PrepareTransient(sql)
	if err != nil {
		return err
	}
	defer func() {
		if closed := stmt.Finalize(); err == nil {
			err = closed
		}
	}()
	bind(stmt, args)
	return step(stmt, visit)
}

func step(stmt *sqlite.Stmt, visit func(*sqlite.Stmt) error) error {
	for {
		row, err := stmt.Step()
		if err != nil || !row {
			return err
		}
		if visit != nil {
			if err := visit(stmt); err != nil {
				return err
			}
		}
	}
}

// bind gives a statement its values, each with the type it has.
func bind(stmt *sqlite.Stmt, args []any) {
	for i, a := range args {
		switch v := a.(type) {
		case nil:
			stmt.BindNull(i + 1)
		case int:
			stmt.BindInt64(i+1, int64(v))
		case int64:
			stmt.BindInt64(i+1, v)
		case bool:
			stmt.BindBool(i+1, v)
		case float64:
			stmt.BindFloat(i+1, v)
		case []byte:
			stmt.BindBytes(i+1, v)
		case string:
			stmt.BindText(i+1, v)
		default:
			panic(fmt.Sprintf("no way to bind a %T", a))
		}
	}
}

// exec runs one statement.
func (s *sqliteSession) exec(ctx context.Context, doing, sql string, args ...any) error {
	return explainSQLite(ctx, doing, execute(s.conn, sql, nil, args...))
}

// count runs one statement and returns how many rows it changed itself; what
// triggers and foreign keys did is counted aside.
func (s *sqliteSession) count(ctx context.Context, doing, sql string, args ...any) (int, error) {
	const all = "SELECT total_changes()"
	before, err := s.number(ctx, doing, all)
	if err != nil {
		return 0, err
	}
	if err := s.exec(ctx, doing, sql, args...); err != nil {
		return 0, err
	}
	own := s.conn.Changes()
	after, err := s.number(ctx, doing, all)
	s.aside += after - before - own
	return own, err
}

func (s *sqliteSession) run(ctx context.Context, doing string, statements ...string) error {
	return execAll(ctx, s, doing, statements)
}

func (s *sqliteSession) query(ctx context.Context, doing, sql string, visit func(*sqlite.Stmt) error, args ...any) error {
	return explainSQLite(ctx, doing, execute(s.conn, sql, visit, args...))
}

func (s *sqliteSession) number(ctx context.Context, doing, sql string, args ...any) (int, error) {
	n := 0
	err := s.query(ctx, doing, sql, func(stmt *sqlite.Stmt) error { n = stmt.ColumnInt(0); return nil }, args...)
	return n, err
}

// has tells whether a table of that name is there.
func (s *sqliteSession) has(ctx context.Context, table string) (bool, error) {
	n, err := s.number(ctx, "reading the catalogue", "SELECT count(*) FROM main.sqlite_schema WHERE type = 'table' AND name = ?", table)
	return n > 0, err
}

// hasQuarantine tells whether the quarantine is there.
func (s *sqliteSession) hasQuarantine(ctx context.Context) (bool, error) {
	return s.has(ctx, s.sql.QuarantineName())
}

// hasChanges tells whether the table is there that keeps changed rows of a table.
func (s *sqliteSession) hasChanges(ctx context.Context, table string) (bool, error) {
	return s.has(ctx, s.sql.ChangesName(table))
}

// state reads the quarantine and the index.
func (s *sqliteSession) state(ctx context.Context) (state, error) {
	out := state{kept: map[int]int{}}
	there, err := s.hasQuarantine(ctx)
	if err != nil {
		return out, err
	}
	if there {
		err := s.query(ctx, "reading the quarantine", s.sql.KeptByGroup(), func(stmt *sqlite.Stmt) error {
			out.kept[stmt.ColumnInt(0)] = stmt.ColumnInt(1)
			return nil
		})
		if err != nil {
			return out, err
		}
	}
	if s.w.Index() == nil {
		return out, nil
	}
	err = s.query(ctx, "reading the index", s.sql.IndexState(), func(stmt *sqlite.Stmt) error {
		switch {
		case !stmt.ColumnBool(0):
			out.index = indexWrong
		case stmt.ColumnBool(1):
			out.index = indexOurs
		default:
			out.index = indexOther
		}
		return nil
	})
	return out, err
}

// load fills the work tables.
func (s *sqliteSession) load(ctx context.Context, all bool) error {
	if err := s.run(ctx, "preparing the work", s.sql.CreateWork()...); err != nil {
		return err
	}
	err := s.each(ctx, s.sql.Expect(), func(g plan.WorkGroup, i int, r plan.RowRef) ([]any, error) {
		return []any{g.Number, i, i == 0, dialect.IDJSON(r.ID), dialect.IDJSON(g.Keep.ID)}, nil
	})
	if err != nil {
		return err
	}
	if err := s.find(ctx, s.sql.Find()); err != nil {
		return err
	}
	if all {
		return s.recall(ctx)
	}
	if err := s.run(ctx, "preparing the quarantine", append(s.sql.CreateChanges(), s.sql.CreateQuarantine())...); err != nil {
		return err
	}
	if err := s.recall(ctx); err != nil {
		return err
	}
	return s.run(ctx, "preparing the work", s.sql.ForgetDone()...)
}

// each runs a statement for every row of the plan, with the values that args
// gives; row 0 of a group is the one that stays.
func (s *sqliteSession) each(ctx context.Context, sql string, args func(g plan.WorkGroup, i int, r plan.RowRef) ([]any, error)) error {
	stmt, err := s.conn.Prepare(sql)
	if err != nil {
		return explainSQLite(ctx, "preparing the work", err)
	}
	for _, g := range s.w.Groups {
		for i, r := range append([]plan.RowRef{g.Keep}, g.Remove...) {
			values, err := args(g, i, r)
			if err != nil {
				return err
			}
			bind(stmt, values)
			if err := errors.Join(step(stmt, nil), stmt.Reset()); err != nil {
				return explainSQLite(ctx, "comparing the rows", err)
			}
		}
	}
	return nil
}

// find looks every row of the plan up as the evidence has it.
func (s *sqliteSession) find(ctx context.Context, sql string) error {
	return s.each(ctx, sql, func(g plan.WorkGroup, i int, r plan.RowRef) ([]any, error) {
		values, err := s.imageArgs(r)
		return append(append([]any{g.Number, i, i == 0}, s.idArgs(r)...), values...), err
	})
}

// recall expects rows that this case itself changed, in this entry or another,
// as it left them.
func (s *sqliteSession) recall(ctx context.Context) error {
	there, err := s.hasChanges(ctx, s.w.Table.Table)
	if err != nil || !there {
		return err
	}
	if err := s.run(ctx, "comparing the rows", s.sql.Recall()...); err != nil || !s.sql.TouchedByOthers() {
		return err
	}
	return s.find(ctx, s.sql.FindFormer())
}

// idArgs are the values of a row's id, with the types that the image shows: a
// text '5' is no number 5.
func (s *sqliteSession) idArgs(r plan.RowRef) []any {
	literals, err := dialect.ParseImage(r.Image)
	columns := s.w.WritableColumns()
	if err != nil || len(literals) != len(columns) {
		literals, columns = nil, nil
	}
	args := make([]any, len(r.ID))
	for i, f := range r.ID {
		switch place := slices.Index(columns, f.Name); {
		case place >= 0:
			if args[i], _ = dialect.Value(literals[place]); strings.HasPrefix(literals[place], "CAST(") {
				args[i] = string(args[i].([]byte))
			}
		case f.Value != nil:
			args[i] = dialect.NumberOrText(*f.Value)
		}
	}
	return args
}

// imageArgs are storage and value of each column.
func (s *sqliteSession) imageArgs(r plan.RowRef) ([]any, error) {
	literals, err := dialect.ParseImage(r.Image)
	if err != nil || len(literals) != len(s.w.WritableColumns()) {
		return nil, &plan.Problem{Code: plan.CodeTampered, Message: "the evidence does not hold the row " + plan.IDText(r.ID) + " as this table has it", Hint: "restore the case from a copy, or scan again", Err: err}
	}
	var args []any
	for _, literal := range literals {
		value, storage := dialect.Value(literal)
		args = append(args, storage, value)
	}
	return args, nil
}

// drift lists the rows that were not found exactly once as the evidence has
// them; what became of each is seen by its id.
func (s *sqliteSession) drift(ctx context.Context) ([]Drift, error) {
	var drifted []Drift
	var rows []plan.RowRef
	byNumber := map[int]plan.WorkGroup{}
	for _, g := range s.w.Groups {
		byNumber[g.Number] = g
	}
	err := s.query(ctx, "comparing the rows", s.sql.Missing(), func(stmt *sqlite.Stmt) error {
		drifted = append(drifted, Drift{Group: stmt.ColumnInt(0), Row: stmt.ColumnText(3)})
		rows = append(rows, row(byNumber[stmt.ColumnInt(0)], stmt.ColumnInt(1)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range drifted {
		n, err := s.number(ctx, "comparing the rows", s.sql.CountByID(), s.idArgs(rows[i])...)
		if err != nil {
			return nil, err
		}
		drifted[i].State = []string{"gone", "changed", "several"}[min(n, 2)]
	}
	return drifted, nil
}

// row is a row of a group by its number; 0 is the one that stays.
func row(g plan.WorkGroup, number int) plan.RowRef {
	if number > 0 {
		return g.Remove[number-1]
	}
	return g.Keep
}

// forget takes groups out of the work.
func (s *sqliteSession) forget(ctx context.Context, groups []int) error {
	for _, g := range groups {
		for _, sql := range s.sql.ForgetGroup() {
			if err := s.exec(ctx, "leaving groups out", sql, g); err != nil {
				return err
			}
		}
	}
	return nil
}

// commit makes the transaction durable, whatever became of the caller's context.
func (s *sqliteSession) commit() (unknown bool, err error) {
	s.conn.SetInterrupt(nil)
	s.conn.SetBusyTimeout(busyTimeout)
	if err := s.run(context.Background(), "preparing the commit", s.dropTemporary()...); err != nil {
		return false, err
	}
	if err := execute(s.conn, "COMMIT", nil); err != nil {
		err = explainSQLite(context.Background(), "committing", err)
		s.rollback()
		return false, err
	}
	s.over = true
	return false, nil
}

func (s *sqliteSession) dropTemporary() []string { return s.sql.DropWork() }

// rollback ends the transaction unless it was committed.
func (s *sqliteSession) rollback() {
	if s.over || s.joined {
		return
	}
	s.over = true
	s.conn.SetInterrupt(nil)
	if !s.conn.AutocommitEnabled() {
		_ = execute(s.conn, "ROLLBACK", nil) // an error of it means that there is nothing left to roll back
	}
}
