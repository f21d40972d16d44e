package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// database makes a file with a writer left open on it.
func database(t *testing.T, name string, statements ...string) (string, *sqlite.Conn) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	conn := openWriter(t, path, "")
	t.Cleanup(func() { conn.Close() })
	for _, s := range statements {
		script(t, conn, "%s", s)
	}
	return path, conn
}

func openSource(t *testing.T, path string) *Source {
	t.Helper()
	src, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

func inspect(t *testing.T, src *Source, req source.Request) *source.Table {
	t.Helper()
	table, err := src.Inspect(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// rowsOf returns the rows of repeated keys, equal ones one after another, the
// way that the source says.
func rowsOf(t *testing.T, src *Source, table *source.Table) []source.Row {
	t.Helper()
	var locators []uint64
	var err error
	if src.Capabilities(table).FindsRepeats {
		_, err = src.Repeats(t.Context(), table, func(cluster []uint64) error {
			locators = append(locators, cluster...)
			return nil
		})
	} else {
		byHash := map[uint64][]uint64{}
		_, err = src.Prints(t.Context(), table, source.Pass{}, func(prints []source.Print) error {
			for _, p := range prints {
				byHash[p.Hash] = append(byHash[p.Hash], p.Locator)
			}
			return nil
		})
		for _, cluster := range byHash {
			if len(cluster) > 1 {
				locators = append(locators, cluster...)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[int]int{}
	var rows []source.Row
	err = src.Fetch(t.Context(), table, locators, func(r source.Row) error {
		sizes[r.Group]++
		rows = append(rows, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(rows, func(r source.Row) bool { return sizes[r.Group] < 2 })
}

// groupsOf writes each repeated key as its rows' ids joined by commas.
func groupsOf(t *testing.T, src *Source, table *source.Table) []string {
	t.Helper()
	byGroup := map[int][]string{}
	for _, r := range rowsOf(t, src, table) {
		var id []string
		for _, v := range r.ID {
			id = append(id, v.Text)
		}
		byGroup[r.Group] = append(byGroup[r.Group], strings.Join(id, "/"))
	}
	var out []string
	for _, ids := range byGroup {
		out = append(out, strings.Join(ids, ","))
	}
	slices.Sort(out)
	return out
}

func wantProblem(t *testing.T, err error, code, message string) {
	t.Helper()
	var p *key.Problem
	if !errors.As(err, &p) || p.Code != code || !strings.Contains(p.Error(), message) || p.Hint == "" {
		t.Errorf("got %v (%+v), want %s with %q and a hint", err, p, code, message)
	}
}

func wantGroups(t *testing.T, src *Source, req source.Request, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, groupsOf(t, src, inspect(t, src, req))); diff != "" {
		t.Errorf("groups of %v (-want +got):\n%s", req.Key, diff)
	}
}

func TestRowsThatAreOnlyInTheLog(t *testing.T) {
	path, writer := database(t, "app.db", "PRAGMA journal_mode=wal", "PRAGMA wal_autocheckpoint=0",
		"CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT)", "INSERT INTO t VALUES (1,'a'),(2,'a')")
	script(t, writer, "BEGIN")
	script(t, writer, "INSERT INTO t VALUES (3,'a')") // not committed
	src := openSource(t, path)
	wantGroups(t, src, source.Request{Table: "t", Key: []string{"k"}}, "1,2")
	script(t, writer, "COMMIT") // the snapshot stops no writer
	wantGroups(t, src, source.Request{Table: "t", Key: []string{"k"}}, "1,2")
	wantGroups(t, openSource(t, path), source.Request{Table: "t", Key: []string{"k"}}, "1,2,3")
}

func TestTheFileIsNotChanged(t *testing.T) {
	path, writer := database(t, "app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT)", "INSERT INTO t VALUES (1,'a'),(2,'a')")
	writer.Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	src := openSource(t, path)
	wantGroups(t, src, source.Request{Table: "t", Key: []string{"k"}}, "1,2")
	if err := run(src.conn, "INSERT INTO t VALUES (3,'b')", nil); err == nil {
		t.Error("a row was written")
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(before) != string(after) {
		t.Errorf("the file was changed (%v)", err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("files beside it: %v, %v", left, err)
	}
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "tickets.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, code, message string }{
		{text, key.CodeBadInput, "not a SQLite database"},
		{empty, key.CodeBadInput, "is empty"},
		{dir, key.CodeBadInput, "not a file"},
		{filepath.Join(dir, "none", "a.db"), key.CodeNotFound, "folder cannot be read"},
		{filepath.Join(dir, "ticket.db"), key.CodeNotFound, "ticket.db"},
	} {
		_, err := Open(t.Context(), c.path, Options{})
		wantProblem(t, err, c.code, c.message)
	}
	_, err := Open(t.Context(), filepath.Join(dir, "ticket.db"), Options{})
	var p *key.Problem
	if !errors.As(err, &p) || !strings.Contains(p.Hint, "tickets.db") {
		t.Errorf("hint %q does not name the nearest file", p.Hint)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("opening made files: %v", entries)
	}
}

func TestDamagedFile(t *testing.T) {
	path, writer := database(t, "app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT)",
		"WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i+1 FROM n WHERE i < 5000) INSERT INTO t SELECT i, printf('key %d', i/2) FROM n")
	writer.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(data[4096*3:], strings.Repeat("\xff", 4096*4))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	src := openSource(t, path)
	table := inspect(t, src, source.Request{Table: "t", Key: []string{"k"}})
	_, err = src.Prints(t.Context(), table, source.Pass{}, func([]source.Print) error { return nil })
	wantProblem(t, err, key.CodeBadInput, "damaged")
}

func TestLockedFile(t *testing.T) {
	path, writer := database(t, "app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT)", "BEGIN EXCLUSIVE")
	_, err := Open(t.Context(), path, Options{BusyTimeout: 50 * time.Millisecond})
	wantProblem(t, err, key.CodeBusy, "locked")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, path, Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
	script(t, writer, "COMMIT")
	openSource(t, path)
}

func TestD1IsTold(t *testing.T) {
	path, _ := database(t, "x.sqlite", "CREATE TABLE t (k)", "CREATE TABLE d1_migrations (id)")
	src := openSource(t, path)
	if info := src.Info(); info.Engine != "d1" || info.Version == "" || info.Location != path || len(info.Unknown) != 1 {
		t.Errorf("info is %+v", info)
	}
	_, err := src.Inspect(t.Context(), source.Request{Table: "d1_migration", Key: []string{"k"}})
	var p *key.Problem
	if !errors.As(err, &p) || strings.Contains(p.Hint, "d1_migrations") {
		t.Errorf("the engine's own table is suggested: %q", p.Hint)
	}
	_, err = src.Inspect(t.Context(), source.Request{Key: []string{"k"}})
	wantProblem(t, err, key.CodeUsage, "no table")
	dir := filepath.Join(t.TempDir(), "miniflare-D1DatabaseObject")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	byPath := filepath.Join(dir, "0123.sqlite")
	conn := openWriter(t, byPath, "PRAGMA journal_mode=wal")
	defer conn.Close()
	script(t, conn, "CREATE TABLE t (k)")
	if info := openSource(t, byPath).Info(); info.Engine != "d1" {
		t.Errorf("engine is %q", info.Engine)
	}
}

func TestQuery(t *testing.T) {
	path, writer := database(t, "app.db", "PRAGMA journal_mode=wal",
		"CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT, n NUMERIC, b BLOB)", "INSERT INTO t VALUES (1,'007',7,x'00ff')")
	src := openSource(t, path)
	script(t, writer, "INSERT INTO t VALUES (2,NULL,2.5,'x')")
	for _, c := range []struct {
		sql  string
		args []string
		want [][]source.Value
	}{
		{"SELECT count(*) FROM t", nil, [][]source.Value{{{Text: "2"}}}}, // committed after Open
		{"SELECT k, b FROM t WHERE id = ?;\n", []string{"1"}, [][]source.Value{{{Text: "007"}, {Text: "X'00FF'"}}}},
		{"SELECT k FROM t WHERE n = ? AND n > ?", []string{"2.5", "1"}, [][]source.Value{{{Null: true}}}},
		{"SELECT id FROM t WHERE k = ?", []string{"007"}, [][]source.Value{{{Text: "1"}}}},
		{"SELECT id FROM t WHERE k = ?", []string{"7"}, nil},
		{"SELECT id FROM t ORDER BY id LIMIT ?", []string{"1"}, [][]source.Value{{{Text: "1"}}}},
		{"SELECT id FROM t WHERE k = ?", []string{"' OR 1=1 --"}, nil},
	} {
		got, err := src.Query(t.Context(), c.sql, c.args)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.sql, diff)
		}
	}
	for _, c := range []struct {
		sql  string
		args []string
	}{
		{"SELECT 1; SELECT 2", nil},
		{"SELECT ?", nil},
		{"SELECT 1", []string{"a"}},
		{"DELETE FROM t", nil},
		{"ATTACH 'other.db' AS o", nil},
		{"", nil},
		{"SELECT nothing FROM t", nil},
	} {
		_, err := src.Query(t.Context(), c.sql, c.args)
		wantProblem(t, err, key.CodeUsage, "")
	}
	if _, err := src.Query(t.Context(), "DELETE FROM t RETURNING id", nil); err == nil {
		t.Error("rows were deleted")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := src.Query(ctx, "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n", nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestCancelledInTheMiddle(t *testing.T) {
	path, _ := database(t, "app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT)",
		"WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i+1 FROM n WHERE i < 50000) INSERT INTO t SELECT i, 'k' || i FROM n")
	src := openSource(t, path)
	table := inspect(t, src, source.Request{Table: "t", Key: []string{"k"}})
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	_, err := src.Prints(ctx, table, source.Pass{}, func([]source.Print) error { calls++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("got %v after %d batches", err, calls)
	}
	wantGroups(t, src, source.Request{Table: "t", Key: []string{"k"}})
}

// TestAPaceHoldsTheReadingBack reads with and without times.
func TestAPaceHoldsTheReadingBack(t *testing.T) {
	path, _ := database(t, "shop.db", "CREATE TABLE t (id integer PRIMARY KEY, k text, at text, rest text)", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) INSERT INTO t SELECT i, 'k' || i, '2026-01-01', hex(zeroblob(500)) FROM n")
	for _, column := range []string{"", "at"} {
		s, err := Open(t.Context(), path, Options{Pace: source.NewPace(20 << 20)})
		if err != nil {
			t.Fatal(err)
		}
		table, err := s.Inspect(t.Context(), source.Request{Table: "t", Key: []string{"k"}, Time: column})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		count, err := s.Prints(t.Context(), table, source.Pass{}, func([]source.Print) error { return nil })
		if took := time.Since(begun); err != nil || count.Rows != 4000 || took < 180*time.Millisecond {
			t.Errorf("%d rows of 1 kB in %s at 20 MiB/s with the time %q: %v", count.Rows, took, column, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
