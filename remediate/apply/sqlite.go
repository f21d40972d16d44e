package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"twinrow/queries"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// busyTimeout is how long one attempt waits for another writer.
const busyTimeout = 2 * time.Second

// sqliteTarget is one connection to a file. Foreign keys are enforced as the
// engine does by default: in D1 always, in SQLite not.
type sqliteTarget struct {
	conn *sqlite.Conn
	path string
	d1   bool
	// joined is true inside together.
	joined bool
}

// openSQLite opens a file that exists for writing; it never makes one.
func openSQLite(path string, d1 bool) (Target, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", path, err)
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &plan.Problem{Code: plan.CodeNotFound, Message: "no file " + abs, Hint: "name the database file that was scanned"}
	case err != nil:
		return nil, &plan.Problem{Code: plan.CodePermission, Message: "looking at " + abs, Hint: "look at the rights of the file", Err: err}
	case !info.Mode().IsRegular():
		return nil, &plan.Problem{Code: plan.CodeBadInput, Message: abs + " is no regular file", Hint: "name the database file that was scanned"}
	}
	conn, err := sqlite.OpenConn(abs, sqlite.OpenReadWrite)
	if err != nil {
		return nil, explainSQLite(context.Background(), "opening "+abs, err)
	}
	t := &sqliteTarget{conn: conn, path: abs, d1: d1}
	conn.SetBusyTimeout(busyTimeout)
	pragma := "PRAGMA foreign_keys = off"
	if d1 {
		pragma = "PRAGMA foreign_keys = on"
	}
	for _, sql := range []string{pragma, "PRAGMA recursive_triggers = off"} {
		if err := execute(conn, sql, nil); err != nil {
			return nil, errors.Join(explainSQLite(context.Background(), "preparing "+abs, err), conn.Close())
		}
	}
	return t, nil
}

// Close ends the connection.
func (t *sqliteTarget) Close() error { return t.conn.Close() }

// suits tells whether a plan is for this engine.
func (t *sqliteTarget) suits(engine string) bool { return engine == "sqlite" || engine == "d1" }

// identify refuses another file than the one that was scanned, as long as that
// one is still where it was: the journal is about one file. A file that was
// moved has no identity of its own; its rows are checked one by one.
func (t *sqliteTarget) identify(ctx context.Context, opened *plan.Case) error {
	scanned, err := os.Stat(opened.Source.Location)
	if err != nil {
		return ctx.Err()
	}
	here, err := os.Stat(t.path)
	if err != nil {
		return explainSQLite(ctx, "looking at "+t.path, err)
	}
	if os.SameFile(scanned, here) || strings.HasSuffix(opened.Source.Location, ".sql") {
		return ctx.Err()
	}
	return &plan.Problem{Code: plan.CodeDrift, Message: t.path + " is not the file that was scanned, which is " + opened.Source.Location, Hint: "name that file, or scan this one into a case of its own"}
}

func (t *sqliteTarget) start(ctx context.Context, start string) error {
	t.conn.SetInterrupt(ctx.Done())
	t.conn.SetBusyTimeout(busyTimeout)
	if err := execute(t.conn, start, nil); err != nil {
		t.conn.SetInterrupt(nil)
		return explainSQLite(ctx, "locking "+t.path, err)
	}
	return nil
}

// together begins the one transaction of a rehearsal.
func (t *sqliteTarget) together(ctx context.Context) (done func(), err error) {
	if err := t.start(ctx, "BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	t.joined = true
	s := &sqliteSession{conn: t.conn}
	return func() { t.joined = false; s.rollback() }, nil
}

// begin opens a transaction; for a change it is the file's only writer.
func (t *sqliteTarget) begin(ctx context.Context, w *plan.Work, n int, why purpose) (session, error) {
	start := "BEGIN IMMEDIATE"
	if why == forVerify {
		start = "BEGIN"
	}
	if !t.joined {
		if err := t.start(ctx, start); err != nil {
			return nil, err
		}
	}
	s := &sqliteSession{conn: t.conn, n: n, joined: t.joined}
	if err := s.prepare(ctx, w); err != nil {
		s.rollback()
		return nil, err
	}
	return s, nil
}

// prepare compares the table with the scan's and takes from the catalogue what
// is around it now.
func (s *sqliteSession) prepare(ctx context.Context, w *plan.Work) error {
	name, kind, withoutRowid := "", "", false
	err := s.query(ctx, "reading the catalogue", queries.SQLite("apply_table"), func(stmt *sqlite.Stmt) error {
		name, kind, withoutRowid = stmt.ColumnText(0), stmt.ColumnText(1), stmt.ColumnBool(2)
		return nil
	}, w.Table.Table)
	if err != nil {
		return err
	}
	if name == "" {
		return &plan.Problem{Code: plan.CodeDrift, Message: "there is no table " + w.Table.Table + " in the file", Hint: "name the file that was scanned, or scan again if the table was renamed"}
	}
	if kind != "table" {
		return &plan.Problem{Code: plan.CodeUnsupported, Message: w.Table.Table + " is no ordinary table, so no unique index can be built on it", Hint: "scan the table that holds the rows"}
	}
	primary, err := s.columns(ctx, w)
	if err != nil {
		return err
	}
	return s.surroundings(ctx, w, primary, withoutRowid)
}

// columns compares the columns with the scan's and returns the primary key.
func (s *sqliteSession) columns(ctx context.Context, w *plan.Work) ([]string, error) {
	var now []plan.Column
	primary := map[int]string{}
	err := s.query(ctx, "reading the columns", queries.SQLite("apply_columns"), func(stmt *sqlite.Stmt) error {
		c := plan.Column{Name: stmt.ColumnText(0), Type: stmt.ColumnText(1), Generated: stmt.ColumnInt(2) > 1}
		if c.Type == "" {
			c.Type = "ANY"
		}
		now = append(now, c)
		if pk := stmt.ColumnInt(3); pk > 0 {
			primary[pk] = c.Name
		}
		return nil
	}, w.Table.Table)
	if err != nil {
		return nil, err
	}
	key := make([]string, len(primary))
	for place, name := range primary {
		key[place-1] = name
	}
	return key, sameColumns(w, now)
}

// surroundings adds the foreign keys that came since the scan, looks for
// triggers, and prepares the statements.
func (s *sqliteSession) surroundings(ctx context.Context, w *plan.Work, primary []string, withoutRowid bool) error {
	incoming, err := s.incoming(ctx, w.Table.Table, primary)
	if err != nil {
		return err
	}
	table := *w.Case
	table.IncomingKeys = slices.Clone(table.IncomingKeys)
	for _, k := range incoming {
		if !slices.ContainsFunc(table.IncomingKeys, func(known plan.ForeignKey) bool { return dialect.SameReference(known, k) }) {
			table.IncomingKeys = append(table.IncomingKeys, k)
		}
	}
	if !withoutRowid {
		primary = nil
	}
	here := *w
	here.Case = &table
	s.w, s.sql = &here, dialect.NewSQLite(&here, s.n, primary)
	for _, name := range s.sql.Touched() {
		err = errors.Join(err, s.query(ctx, "reading the triggers", queries.SQLite("apply_triggers"), func(*sqlite.Stmt) error { s.triggered = true; return nil }, name))
	}
	return err
}

// incoming reads the foreign keys that refer to the table.
func (s *sqliteSession) incoming(ctx context.Context, table string, primary []string) ([]plan.ForeignKey, error) {
	var keys []plan.ForeignKey
	last := ""
	err := s.query(ctx, "reading the foreign keys", queries.SQLite("apply_incoming"), func(stmt *sqlite.Stmt) error {
		child, id := stmt.ColumnText(0), stmt.ColumnText(1)
		if this := child + "\x00" + id; this != last {
			last = this
			keys = append(keys, plan.ForeignKey{Name: "foreign key " + id, Table: child, OnDelete: stmt.ColumnText(4)})
		}
		k := &keys[len(keys)-1]
		to := stmt.ColumnText(3)
		if to == "" && len(k.References) < len(primary) {
			to = primary[len(k.References)]
		}
		k.Columns, k.References = append(k.Columns, stmt.ColumnText(2)), append(k.References, to)
		return nil
	}, table)
	return keys, err
}
