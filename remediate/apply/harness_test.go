package apply

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"twinrow/detect/casefile"
	"twinrow/detect/classify"
	"twinrow/detect/scan"
	"twinrow/detect/source"
	"twinrow/detect/source/postgres"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/detect/source/sqlite"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
	"twinrow/remediate/survivor"
)

func TestMain(m *testing.M) {
	if os.Getenv("TWINROW_TEST_VICTIM") != "" {
		os.Exit(victim())
	}
	if url := os.Getenv("TWINROW_TEST_APPLICATION"); url != "" {
		os.Exit(applicationMain(url))
	}
	os.Exit(pgserver.Run(m))
}

// allHazards consents to everything.
var allHazards = []string{"deletes-rows,differing-rows,cascades,fires-triggers,self-reference,grandchildren,array-repeats,changes-rows,entries-meet,takes-lock,builds-index"}

// story is a case with its plan and the database it is of.
type story struct {
	t      testing.TB
	engine string
	where  string
	opened *plan.Case
	plan   *plan.Plan
}

// sqliteFile makes a database from a script by SQLite's own shell.
func sqliteFile(t testing.TB, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shop.db")
	shell(t, path, script)
	return path
}

func shell(t testing.TB, path, script string) string {
	t.Helper()
	out, err := tryShell(path, script)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return out
}

func tryShell(path, script string) (string, error) {
	cmd := exec.Command("sqlite3", "-bail", path)
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func dumpSQLite(t testing.TB, path string) string { return shell(t, path, ".dump\n") }

// psql runs a script by Postgres's own client.
func psql(t testing.TB, url, script string) string {
	t.Helper()
	out, err := tryPsql(url, script)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return out
}

func tryPsql(url, script string) (string, error) {
	cmd := exec.Command("psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", url)
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// dumpPostgres is the whole database: the schema as pg_dump writes it, and the
// rows of every table in order.
func dumpPostgres(t testing.TB, url string) string {
	t.Helper()
	cmd := exec.Command("pg_dump", "--no-owner", "--inserts", "--rows-per-insert=1", url)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if strings.Contains(problems.String(), "server version mismatch") {
		return dumpByCatalogue(t, url)
	}
	if err != nil {
		t.Fatalf("pg_dump: %v: %s", err, problems.String())
	}
	lines := strings.Split(string(out), "\n")
	var kept, rows []string
	for _, l := range lines {
		switch {
		case strings.HasPrefix(l, `\restrict`), strings.HasPrefix(l, `\unrestrict`):
		case strings.HasPrefix(l, "INSERT INTO"):
			rows = append(rows, l)
		default:
			kept = append(kept, l)
		}
	}
	sortStrings(rows)
	return strings.Join(append(kept, rows...), "\n")
}

// dumpByCatalogue is the same for a server that is newer than our pg_dump.
func dumpByCatalogue(t testing.TB, url string) string {
	t.Helper()
	rows := psql(t, url, `SELECT format('SELECT %L || %s FROM ONLY %s AS t', c.oid::regclass || ' ', CASE c.relkind WHEN 'S' THEN 't.last_value || t.is_called::text' ELSE 't::text' END, c.oid::regclass) FROM pg_class AS c
WHERE c.relkind IN ('r', 'p', 'S') AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace) \gexec
`)
	lines := strings.Split(rows, "\n")
	sortStrings(lines)
	return strings.Join(lines, "\n") + psql(t, url, `SET search_path = '';
CREATE TEMP VIEW ours AS SELECT c.* FROM pg_catalog.pg_class AS c WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace) AND c.relpersistence <> 't';
SELECT 'schema', n.nspname, n.nspacl FROM pg_catalog.pg_namespace AS n WHERE n.nspname !~ '^pg_' ORDER BY 2;
SELECT c.oid::regclass, c.relkind, c.relacl, c.reloptions, c.relrowsecurity, pg_catalog.obj_description(c.oid, 'pg_class') FROM pg_temp.ours AS c ORDER BY c.oid::regclass::text;
SELECT c.oid::regclass, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
FROM pg_temp.ours AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY c.oid::regclass::text, a.attnum;
SELECT i.indexrelid::regclass, pg_catalog.pg_get_indexdef(i.indexrelid), i.indisvalid FROM pg_temp.ours AS c JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid ORDER BY i.indexrelid::regclass::text;
SELECT k.conrelid::regclass, k.conname, pg_catalog.pg_get_constraintdef(k.oid), k.convalidated FROM pg_temp.ours AS c JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid ORDER BY k.conrelid::regclass::text, k.conname;
SELECT pg_catalog.pg_get_triggerdef(g.oid), g.tgenabled FROM pg_temp.ours AS c JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = c.oid WHERE NOT g.tgisinternal ORDER BY 1;
SELECT pg_catalog.pg_get_functiondef(p.oid) FROM pg_catalog.pg_proc AS p WHERE p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) AND p.prokind = 'f' ORDER BY 1;
`)
}

// scanned scans a table, writes the case and plans it.
func scanned(t testing.TB, engine, where string, opts plan.Options, requests ...source.Request) *story {
	t.Helper()
	return planned(t, engine, where, scannedCase(t, engine, where, requests...), opts)
}

// scannedCase scans a table and writes the case.
func scannedCase(t testing.TB, engine, where string, requests ...source.Request) *plan.Case {
	t.Helper()
	ctx := context.Background()
	var src source.Source
	var err error
	if engine == "postgres" {
		src, err = postgres.Open(ctx, where, postgres.Options{})
	} else {
		src, err = sqlite.Open(ctx, where, sqlite.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var entries []scan.Entry
	for _, r := range requests {
		entries = append(entries, scan.Entry{Name: r.Table + map[bool]string{true: "/" + r.Where}[r.Where != "" && len(requests) > 1], Request: r})
	}
	result, err := scan.Run(ctx, src, entries, scan.Options{Windows: classify.DefaultWindows})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "case")
	w, err := casefile.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for _, g := range result.Groups {
		if err := w.Add(g); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(result.Case(src, casefile.Tool{Name: "twinrow", Version: "test"}, time.Now())); err != nil {
		t.Fatal(err)
	}
	opened, err := casefile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func planned(t testing.TB, engine, where string, opened *plan.Case, opts plan.Options) *story {
	t.Helper()
	s, err := tryPlan(t, where, opened, opts)
	if err != nil {
		t.Fatal(err)
	}
	s.engine = engine
	return s
}

// tryPlan makes the plan and its files; it may be refused.
func tryPlan(t testing.TB, where string, opened *plan.Case, opts plan.Options) (*story, error) {
	t.Helper()
	choose, err := survivor.Rule(opts.Keep)
	if err != nil {
		t.Fatal(err)
	}
	opts.Choose = choose
	p, err := plan.Make(opened, opts)
	if err != nil {
		return nil, err
	}
	files, err := dialect.Files(opened, p, dialect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Write(opened.Dir, p, files); err != nil {
		t.Fatal(err)
	}
	if p, err = plan.Read(opened.Dir); err != nil {
		t.Fatal(err)
	}
	return &story{t: t, engine: opened.Source.Engine, where: where, opened: opened, plan: p}, nil
}

func (s *story) open() Target {
	s.t.Helper()
	target, err := Open(context.Background(), s.engine, s.where)
	if err != nil {
		s.t.Fatal(err)
	}
	return target
}

func (s *story) try(opts Options) (*Result, error) {
	s.t.Helper()
	if opts.Allow == nil {
		opts.Allow = allHazards
	}
	target := s.open()
	defer target.Close()
	return Run(context.Background(), target, s.opened, s.plan, opts)
}

func (s *story) apply() *Result {
	s.t.Helper()
	result, err := s.try(Options{})
	if err != nil {
		s.t.Fatalf("apply: %s", full(err))
	}
	return result
}

func (s *story) tryUndo() (*Result, error) { return s.tryUndoWith(Options{}) }

func (s *story) tryUndoWith(opts Options) (*Result, error) {
	s.t.Helper()
	target := s.open()
	defer target.Close()
	return Undo(context.Background(), target, s.opened, s.plan, opts)
}

func (s *story) undo() *Result {
	s.t.Helper()
	result, err := s.tryUndo()
	if err != nil {
		s.t.Fatalf("undo: %s", full(err))
	}
	return result
}

func (s *story) verify() *Report {
	s.t.Helper()
	target := s.open()
	defer target.Close()
	report, err := Verify(context.Background(), target, s.opened, s.plan)
	if err != nil {
		s.t.Fatalf("verify: %s", full(err))
	}
	return report
}

// exact is the whole database as the engine's own tool dumps it.
func (s *story) exact() string {
	s.t.Helper()
	if s.engine == "postgres" {
		return dumpPostgres(s.t, s.where)
	}
	return dumpSQLite(s.t, s.where)
}

// dump is the whole database at less cost: every relation with its definition
// and comment, and the rows of every table in order.
func (s *story) dump() string {
	s.t.Helper()
	if s.engine != "postgres" {
		return dumpSQLite(s.t, s.where)
	}
	conn, err := pgx.Connect(context.Background(), s.where)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	texts := func(sql string) []string {
		rows, err := conn.Query(context.Background(), sql)
		if err != nil {
			s.t.Fatal(err)
		}
		out, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			s.t.Fatal(err)
		}
		return out
	}
	const user = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
	out := texts("SELECT format('%I.%I %s %s %s', n.nspname, c.relname, c.relkind, obj_description(c.oid, 'pg_class'), CASE WHEN c.relkind IN ('i', 'I') THEN pg_get_indexdef(c.oid) || (SELECT i.indisvalid FROM pg_index AS i WHERE i.indexrelid = c.oid) END) " + user + " ORDER BY 1")
	for _, table := range texts("SELECT format('%I.%I', n.nspname, c.relname) " + user + " AND c.relkind = 'r' ORDER BY 1") {
		out = append(append(out, table), texts("SELECT (t.*)::text FROM "+table+" AS t ORDER BY 1")...)
	}
	return strings.Join(out, "\n")
}

// file reads a file of the case.
func (s *story) file(name string) string {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.opened.Dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(raw)
}

// client runs a script by the engine's own client.
func (s *story) client(script string) (string, error) {
	if s.engine == "postgres" {
		return tryPsql(s.where, script)
	}
	args := []string{s.where} // no -bail: the file stops by itself
	if s.engine == "d1" {     // as wrangler does: statement by statement, up to the first error
		args = []string{"-bail", "-cmd", "PRAGMA foreign_keys = on", s.where}
	}
	cmd := exec.Command("sqlite3", args...)
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (s *story) mustRun(name string) string {
	s.t.Helper()
	out, err := s.client(s.file(name))
	if err != nil {
		s.t.Fatalf("%s: %v: %s", name, err, out)
	}
	return out
}

func full(err error) string {
	if p, ok := errors.AsType[*plan.Problem](err); ok {
		return p.Code + ": " + p.Error() + " (hint: " + p.Hint + ")"
	}
	return err.Error()
}

func wantCode(t testing.TB, err error, code, text string) {
	t.Helper()
	var p *plan.Problem
	if !errors.As(err, &p) || p.Code != code || !strings.Contains(p.Error(), text) {
		if err == nil {
			t.Fatalf("no error, want %s %q", code, text)
		}
		t.Fatalf("got %s, want %s %q", full(err), code, text)
	}
}

func wantOK(t testing.TB, r *Report) {
	t.Helper()
	for _, c := range r.Checks {
		if !c.OK {
			t.Errorf("%s: %s: %s", c.Table, c.Name, c.Detail)
		}
	}
	if len(r.Checks) < 2 {
		t.Errorf("only %d checks", len(r.Checks))
	}
}
