package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/queries"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// postgresSession is one transaction over one table.
type postgresSession struct {
	conn    *pgx.Conn
	w       *plan.Work
	sql     dialect.Postgres
	facts   facts
	idTypes []string
	over    bool
	// ended is when the server let go of what was locked, by committing; zero
	// before.
	ended time.Time
	// joined is true where the transaction is another's, which ends it.
	joined bool
}

// exec runs one statement.
func (s *postgresSession) exec(ctx context.Context, doing, sql string, args ...any) error {
	_, err := s.count(ctx, doing, sql, args...)
	return err
}

// count runs one statement and returns how many rows it changed.
func (s *postgresSession) count(ctx context.Context, doing, sql string, args ...any) (int, error) {
	var tag pgconn.CommandTag
	var err error
	if len(args) == 0 {
		tag, err = s.conn.Exec(ctx, sql, pgx.QueryExecModeExec)
	} else {
		tag, err = s.conn.Exec(ctx, sql, args...)
	}
	if err != nil {
		return 0, explain(ctx, doing, err)
	}
	return int(tag.RowsAffected()), nil
}

// number runs a query for one number.
func (s *postgresSession) number(ctx context.Context, doing, sql string, args ...any) (int, error) {
	var n int
	if err := s.conn.QueryRow(ctx, sql, args...).Scan(&n); err != nil {
		return 0, explain(ctx, doing, err)
	}
	return n, nil
}

// exists tells whether a relation of that quoted name is there.
func (s *postgresSession) exists(ctx context.Context, name string) (bool, error) {
	var there bool
	if err := s.conn.QueryRow(ctx, "SELECT pg_catalog.to_regclass($1::text) IS NOT NULL", name).Scan(&there); err != nil {
		return false, explain(ctx, "reading the catalogue", err)
	}
	return there, nil
}

// state reads the quarantine and the index.
func (s *postgresSession) state(ctx context.Context) (state, error) {
	out := state{kept: map[int]int{}}
	there, err := s.exists(ctx, s.sql.Quarantine())
	if err != nil {
		return out, err
	}
	if there {
		rows, err := s.conn.Query(ctx, s.sql.KeptByGroup())
		if err != nil {
			return out, explain(ctx, "reading the quarantine", err)
		}
		var group, n int
		if _, err := pgx.ForEachRow(rows, []any{&group, &n}, func() error { out.kept[group] = n; return nil }); err != nil {
			return out, explain(ctx, "reading the quarantine", err)
		}
	}
	if s.w.Index() != nil {
		out.index, err = s.indexState(ctx)
	}
	return out, err
}

func (s *postgresSession) indexState(ctx context.Context) (indexState, error) {
	var comment, definition string
	err := s.conn.QueryRow(ctx, queries.Postgres("apply_index"), s.sql.IndexName()).Scan(&comment)
	if errors.Is(err, pgx.ErrNoRows) {
		return indexNone, nil
	}
	if err != nil {
		return indexNone, explain(ctx, "reading the index", err)
	}
	var sound bool
	if err := s.conn.QueryRow(ctx, s.sql.IndexSound()).Scan(&sound, &definition); err != nil {
		return indexNone, explain(ctx, "reading the index", err)
	}
	switch {
	case !sound:
		return indexWrong, nil
	case comment == dialect.Marker(s.w.CaseID):
		return indexOurs, nil
	default:
		return indexOther, nil
	}
}

// fillRows bounds the rows of one statement.
const fillRows = 10_000

// load fills the work table.
func (s *postgresSession) load(ctx context.Context, all bool) error {
	if err := s.exec(ctx, "preparing the work", s.sql.CreateWork()); err != nil {
		return err
	}
	if err := s.fill(ctx); err != nil {
		return err
	}
	if err := s.exec(ctx, "preparing the work", s.sql.AnalyzeWork()); err != nil {
		return err
	}
	if all {
		return s.recall(ctx)
	}
	steps := append([]string{s.sql.CreateQuarantine()}, s.sql.ForgetDone()...)
	if s.w.ChangesRows() {
		steps = append(steps, s.sql.CreateChanges())
	}
	for _, sql := range steps {
		if err := s.exec(ctx, "preparing the work", sql); err != nil {
			return err
		}
	}
	if err := s.recall(ctx); err != nil {
		return err
	}
	return s.relocate(ctx)
}

// relocate finds rows that have moved, which takes reading the whole table.
func (s *postgresSession) relocate(ctx context.Context) error {
	move := s.sql.Relocate()
	if move == "" {
		return nil
	}
	if missing, err := s.number(ctx, "looking for the rows", s.sql.Missing()); err != nil || missing == 0 {
		return err
	}
	return s.exec(ctx, "looking for the rows", move)
}

// recall makes rows that this case changed expected as it left them.
func (s *postgresSession) recall(ctx context.Context) error {
	for _, r := range s.sql.Recalls() {
		there, err := s.exists(ctx, r.Changes)
		if err != nil {
			return err
		}
		for _, sql := range r.SQL {
			if !there {
				break
			}
			if err := s.exec(ctx, "preparing the work", sql); err != nil {
				return err
			}
		}
	}
	return nil
}

// columnsOf are the arrays of one statement of fill.
type arrays struct {
	groups, rows              []int64
	keep                      []bool
	rowIDs, survivors, images []string
	ids                       [][]*string
}

func (s *postgresSession) fill(ctx context.Context) error {
	a := arrays{ids: make([][]*string, len(s.idTypes))}
	flush := func() error {
		if len(a.groups) == 0 {
			return nil
		}
		args := []any{a.groups, a.rows, a.keep, a.rowIDs, a.survivors, a.images}
		for _, ids := range a.ids {
			args = append(args, ids)
		}
		a = arrays{ids: make([][]*string, len(s.idTypes))}
		return s.exec(ctx, "preparing the work", s.sql.FillWork(s.idTypes), args...)
	}
	for _, g := range s.w.Groups {
		for i, r := range append([]plan.RowRef{g.Keep}, g.Remove...) {
			a.groups, a.rows, a.keep = append(a.groups, int64(g.Number)), append(a.rows, int64(i)), append(a.keep, i == 0)
			a.rowIDs, a.survivors, a.images = append(a.rowIDs, dialect.IDJSON(r.ID)), append(a.survivors, dialect.IDJSON(g.Keep.ID)), append(a.images, r.Image)
			for k := range a.ids {
				a.ids[k] = append(a.ids[k], r.ID[k].Value)
			}
			if len(a.groups) == fillRows {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

// drift compares the rows with the evidence; nobody can change them under the lock.
func (s *postgresSession) drift(ctx context.Context) ([]Drift, error) {
	rows, err := s.conn.Query(ctx, s.sql.States())
	if err != nil {
		return nil, explain(ctx, "comparing the rows", err)
	}
	var drifted []Drift
	var d Drift
	var row int
	var keep bool
	_, err = pgx.ForEachRow(rows, []any{&d.Group, &row, &keep, &d.Row, &d.State}, func() error {
		if d.State != "same" {
			drifted = append(drifted, d)
		}
		return nil
	})
	return drifted, explain(ctx, "comparing the rows", err)
}

// forget takes groups out of the work.
func (s *postgresSession) forget(ctx context.Context, groups []int) error {
	if len(groups) == 0 {
		return nil
	}
	return s.exec(ctx, "leaving groups out", s.sql.ForgetGroups(), groups)
}

// commit makes the transaction durable, whatever became of the caller's
// context: to stop in the middle of it would leave its fate unknown.
func (s *postgresSession) commit() (unknown bool, err error) {
	ctx := context.Background()
	if err := s.exec(ctx, "committing", "SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
		return false, err
	}
	s.over = true
	tag, err := s.conn.Exec(ctx, "COMMIT", pgx.QueryExecModeExec)
	s.ended = time.Now()
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.Code[:2] != "57" && refused.Code[:2] != "08":
		return false, explain(ctx, "committing", err)
	case err != nil:
		return true, err
	case tag.String() != "COMMIT":
		return false, fmt.Errorf("committing: the server answered %s", tag.String())
	}
	return false, nil
}

// rollback ends the transaction unless it was committed.
func (s *postgresSession) rollback() {
	if s.over || s.joined || s.conn.IsClosed() {
		return
	}
	s.over = true
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, _ = s.conn.Exec(ctx, "ROLLBACK", pgx.QueryExecModeExec) // a connection that is gone has rolled back
}
