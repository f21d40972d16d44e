package sqlite

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// values is a table of what SQLite compares in its own ways.
const values = `INSERT INTO t (id, k) VALUES
	(1, 'Abc'), (2, 'aBC'), (3, 'abc '), (4, 'Abc'), (5, 'Äb'), (6, 'äb'),
	(7, 1), (8, 1.0), (9, '1'), (10, x'31'), (11, 9007199254740993), (12, 9007199254740992.0), (13, 9007199254740992),
	(14, 0), (15, -0.0), (16, NULL), (17, NULL), (18, 'a' || char(0) || 'b'), (19, 'a' || char(0) || 'B'), (20, 'a' || char(0) || 'b'),
	(21, 9223372036854775807), (22, 9223372036854775808.0), (23, 9e999), (24, 9e999), (25, x''), (26, '')`

func TestEqualityIsSQLites(t *testing.T) {
	for _, c := range []struct {
		collation string
		want      []string
	}{
		{"BINARY", []string{"1,4", "12,13", "14,15", "18,20", "23,24", "7,8"}},
		{"NOCASE", []string{"1,2,4", "12,13", "14,15", "18,19,20", "23,24", "7,8"}},
		{"RTRIM", []string{"1,4", "12,13", "14,15", "18,20", "23,24", "7,8"}},
	} {
		for _, suffix := range []string{"", "WITHOUT ROWID"} {
			path, _ := database(t, "app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, k COLLATE "+c.collation+") "+suffix, values)
			src := openSource(t, path)
			want := c.want
			wantGroups(t, src, source.Request{Table: "t", Key: []string{"k"}}, want...)
			checkAgainstGroupBy(t, src, "k", "k IS NOT NULL")
			table := inspect(t, src, source.Request{Table: "t", Key: []string{"k"}, NullsEqual: true})
			if got := groupsOf(t, src, table); len(got) != len(want)+1 {
				t.Errorf("%s %s with NULLs equal: %v", c.collation, suffix, got)
			}
		}
	}
}

// checkAgainstGroupBy compares with the database's own GROUP BY.
func checkAgainstGroupBy(t *testing.T, src *Source, expression, where string) {
	t.Helper()
	rows, err := src.Query(t.Context(), "SELECT count(*), sum(n) FROM (SELECT count(*) AS n FROM t WHERE "+where+" GROUP BY "+expression+" HAVING count(*) > 1)", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := rowsOf(t, src, inspect(t, src, source.Request{Table: "t", Key: []string{expression}}))
	groups := map[int]bool{}
	for _, r := range got {
		groups[r.Group] = true
	}
	if g, n := fmt.Sprint(len(groups)), fmt.Sprint(len(got)); g != rows[0][0].Text || n != rows[0][1].Text {
		t.Errorf("%s: %s groups of %s rows, GROUP BY has %s of %s", expression, g, n, rows[0][0].Text, rows[0][1].Text)
	}
}

func TestExpressions(t *testing.T) {
	path, _ := database(t, "app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, k)", values)
	src := openSource(t, path)
	for _, e := range []string{"lower(k)", "(k COLLATE NOCASE)", "(k COLLATE RTRIM)", "length(k)", "typeof(k)", "k + 0", "substr(k, 1, 1)", "(k -- , a comment\n)"} {
		checkAgainstGroupBy(t, src, e, "("+e+") IS NOT NULL")
	}
	wantGroups(t, src, source.Request{Table: "t", Key: []string{"lower(k)", "t.id < 3"}, Where: "t.id < 5"}, "1,2")
}

func TestRowids(t *testing.T) {
	for _, c := range []struct {
		name       string
		ids        []int64
		wantFinder bool
	}{
		{"negative", []int64{-5, -4, 7, 0}, false},
		{"all huge", []int64{math.MaxInt64 - 9, math.MaxInt64 - 1, math.MaxInt64, math.MaxInt64 - 4}, false},
		{"past 48 bits", []int64{1, 1 << 48, 1<<48 + 1, 2}, true},
		{"at the limit", []int64{0, 1<<48 - 2, 3, 4}, false},
		{"over the limit", []int64{0, 1<<48 - 1, 3, 4}, true},
		{"both ends", []int64{math.MinInt64, math.MaxInt64, 0, -1}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, _ := database(t, "app.db", "CREATE TABLE t (k TEXT)", fmt.Sprintf(
				"INSERT INTO t (rowid, k) VALUES (%d,'a'),(%d,'a'),(%d,'b'),(%d,'c')", c.ids[0], c.ids[1], c.ids[2], c.ids[3]))
			src := openSource(t, path)
			table := inspect(t, src, source.Request{Table: "t", Key: []string{"k"}})
			if got := src.Capabilities(table).FindsRepeats; got != c.wantFinder {
				t.Errorf("finds repeats itself: %v, want %v", got, c.wantFinder)
			}
			if diff := cmp.Diff([]string{"rowid"}, table.ID); diff != "" {
				t.Errorf("id (-want +got):\n%s", diff)
			}
			first, second := min(c.ids[0], c.ids[1]), max(c.ids[0], c.ids[1])
			if diff := cmp.Diff([]string{fmt.Sprintf("%d,%d", first, second)}, groupsOf(t, src, table)); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
		})
	}
}

func TestColumnsNamedRowid(t *testing.T) {
	path, _ := database(t, "app.db",
		"CREATE TABLE one (rowid TEXT, k TEXT)", "INSERT INTO one VALUES ('x','a'),('x','a')",
		"CREATE TABLE two (ROWID TEXT, _rowid_ TEXT, k TEXT)", "INSERT INTO two VALUES ('x','y','a'),('x','y','a')",
		"CREATE TABLE three (rowid TEXT, _rowid_ TEXT, oid TEXT, k TEXT)", "INSERT INTO three VALUES ('x','y','z','a')",
		"CREATE TABLE four (id INTEGER PRIMARY KEY, rowid TEXT, _rowid_ TEXT, oid TEXT, k TEXT)", "INSERT INTO four VALUES (5,'x','y','z','a'),(-6,'x','y','z','a')")
	src := openSource(t, path)
	wantGroups(t, src, source.Request{Table: "one", Key: []string{"k"}}, "1,2")
	wantGroups(t, src, source.Request{Table: "one", Key: []string{"rowid"}, ID: []string{"_ROWID_"}}, "1,2")
	wantGroups(t, src, source.Request{Table: "two", Key: []string{"k"}}, "1,2")
	wantGroups(t, src, source.Request{Table: "four", Key: []string{"k"}}, "-6,5")
	_, err := src.Inspect(t.Context(), source.Request{Table: "three", Key: []string{"k"}})
	wantProblem(t, err, key.CodeUnsupported, "rowid")
}

func TestCompositePrimaryKeys(t *testing.T) {
	path, _ := database(t, "app.db",
		`CREATE TABLE t (a TEXT COLLATE NOCASE, b BLOB, c REAL, k TEXT, PRIMARY KEY (b, a COLLATE BINARY, c)) WITHOUT ROWID`,
		`INSERT INTO t VALUES ('x', x'00', 1.5, 'k'), ('X', x'00', 1.5, 'k'), ('x', 'text', -0.25, 'k'), ('y', x'01', 1e300, 'other')`)
	src := openSource(t, path)
	wantGroups(t, src, source.Request{Table: "t", Key: []string{"k"}}, "text/x/-0.25,X'00'/X/1.5,X'00'/x/1.5")
}

func TestImageIsLossless(t *testing.T) {
	path, _ := database(t, "app.db", "CREATE TABLE t (k, v, g AS (v || 'generated'), w)",
		`INSERT INTO t (k, v, w) VALUES
		('k', 'it''s', 1), ('k', x'00FF', -1), ('k', NULL, 0.1), ('k', 9007199254740993, 1e300), ('k', 1.0, -9223372036854775808),
		('k', '', 0.1 + 0.2), ('k', 'naïve "🎟"', 9e999), ('k', 'line' || char(10), 'comma, quote'''),
		('k', 'a' || char(0) || 'b', 1), ('k', 'a' || char(0) || 'c', 1), ('k', CAST(x'80' AS TEXT), 1), ('k', CAST(x'81' AS TEXT), 1), ('k', x'80', 1)`)
	src := openSource(t, path)
	rows := rowsOf(t, src, inspect(t, src, source.Request{Table: "t", Key: []string{"k"}}))
	if len(rows) != 13 {
		t.Fatalf("%d rows of 13", len(rows))
	}
	for _, r := range rows {
		id := r.ID[0].Text
		// As SQL the image is the row again, types included.
		back, err := src.Query(t.Context(), "SELECT count(*) FROM t WHERE rowid = ? AND (k, v, w) IS ("+strings.TrimPrefix(r.Image, "quote:")+")"+
			" AND typeof(v) || typeof(w) = (SELECT typeof(column2) || typeof(column3) FROM (VALUES ("+strings.TrimPrefix(r.Image, "quote:")+")))", []string{id})
		if err != nil || back[0][0].Text != "1" {
			t.Errorf("row %s: image %q does not give it back: %v", id, r.Image, err)
		}
		plain, err := src.Query(t.Context(), "SELECT 'quote:' || quote(k) || ',' || quote(v) || ',' || quote(w) FROM t WHERE rowid = ?", []string{id})
		if err != nil {
			t.Fatal(err)
		}
		if same := plain[0][0].Text == r.Image; same == strings.Contains(r.Image, "CAST(") {
			t.Errorf("row %s: image %q, quote() writes %q", id, r.Image, plain[0][0].Text)
		}
	}
}

func TestValuesAreAsTheShellPrintsThem(t *testing.T) {
	path, _ := database(t, "app.db", "CREATE TABLE t (k, v)",
		`INSERT INTO t VALUES ('k', 0.1 + 0.2), ('k', 1e15), ('k', 1766546437914), ('k', 1.0), ('k', x'00FF'), ('k', CAST(x'61FF62' AS TEXT)), ('k', NULL), ('k', '2025-12-24 03:20:37.914')`)
	src := openSource(t, path)
	var got []source.Value
	for _, r := range rowsOf(t, src, inspect(t, src, source.Request{Table: "t", Key: []string{"k"}, Time: "v"})) {
		got = append(got, r.Values[1])
	}
	want := []source.Value{{Text: "0.3"}, {Text: "1.0e+15"}, {Text: "1766546437914"}, {Text: "1.0"}, {Text: "X'00FF'"}, {Text: `a\xFFb`}, {Null: true}, {Text: "2025-12-24 03:20:37.914"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestCollationOfTheApplication(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	conn := openWriter(t, path, "")
	defer conn.Close()
	if err := conn.SetCollation("CUSTOM", strings.Compare); err != nil {
		t.Fatal(err)
	}
	script(t, conn, "CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT COLLATE CUSTOM, other TEXT)")
	script(t, conn, "INSERT INTO t VALUES (1,'a','x'),(2,'a','x')")
	src := openSource(t, path)
	wantGroups(t, src, source.Request{Table: "t", Key: []string{"other"}}, "1,2")
	wantGroups(t, src, source.Request{Table: "t", Key: []string{"(k COLLATE BINARY)"}}, "1,2")
	_, err := src.Inspect(t.Context(), source.Request{Table: "t", Key: []string{"k"}})
	wantProblem(t, err, key.CodeUnsupported, "CUSTOM")
}

func TestInternalStepsOfOneConnection(t *testing.T) {
	path, _ := database(t, "app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT)", "INSERT INTO t VALUES (1,'a'),(2,'a')")
	src := openSource(t, path)
	for range 3 { // the same statements again, from the driver's cache
		wantGroups(t, src, source.Request{Table: "t", Key: []string{"k"}}, "1,2")
	}
	if busy := src.conn.CheckReset(); busy != "" {
		t.Errorf("a statement was left open: %s", busy)
	}
}

// TestFolderThatCannotBeWritten runs itself as a user without rights, since
// rights do not bind root.
func TestFolderThatCannotBeWritten(t *testing.T) {
	if path := os.Getenv("TWINROW_TEST_LOCKED_DB"); path != "" {
		_, err := Open(t.Context(), path, Options{})
		wantProblem(t, err, key.CodePermission, "WAL mode")
		return
	}
	dir, err := os.MkdirTemp("/tmp", "twinrow-sqlite-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "app.db")
	conn := openWriter(t, path, "PRAGMA journal_mode=wal")
	script(t, conn, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
	if err := conn.Close(); err != nil { // takes -wal and -shm away
		t.Fatal(err)
	}
	exe, err := os.ReadFile(must(os.Executable()))
	if err != nil {
		t.Fatal(err)
	}
	runner := filepath.Join(dir, "runner")
	if err := os.WriteFile(runner, exe, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{path: 0o644, dir: 0o555} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod(dir, 0o755)
	cmd := exec.Command(runner, "-test.run=^TestFolderThatCannotBeWritten$", "-test.v")
	cmd.Env = append(os.Environ(), "TWINROW_TEST_LOCKED_DB="+path, "TMPDIR=/tmp")
	cmd.Dir = "/"
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("as a user without rights: %v\n%s", err, out)
	}
}

func must(path string, err error) string {
	if err != nil {
		panic(err)
	}
	return path
}
