package sqlite

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest"
)

// TestDumpConformance puts what the sqlite3 program writes through the suite.
func TestDumpConformance(t *testing.T) {
	sourcetest.Run(t, sourcetest.Adapter{Engine: "sqlite", ImagePrefix: "quote:", Open: func(t *testing.T, d sourcetest.Dataset) (source.Source, string) {
		t.Helper()
		src, table := loader{}.open(t, d)
		if err := src.Close(); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("sqlite3", opened[t.Name()], ".dump").Output()
		if err != nil {
			t.Fatal(err)
		}
		dump, err := OpenDump(t.Context(), bytes.NewReader(out), "shop.sql", DumpOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return dump, table
	}})
}

func openText(t *testing.T, text string, opts DumpOptions) (*Dump, error) {
	t.Helper()
	d, err := OpenDump(t.Context(), strings.NewReader(text), "shop.sql", opts)
	if err == nil {
		t.Cleanup(func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return d, err
}

func TestWhatADumpMayHold(t *testing.T) {
	d, err := openText(t, `PRAGMA defer_foreign_keys=TRUE;
CREATE TABLE d1_migrations(id INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS "t; --" (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT); -- a; comment
INSERT INTO "t; --" VALUES(1,'a;''b
c');
INSERT INTO "t; --" VALUES(2,unistr('line\u000afeed \\ \+01f39f'));
INSERT INTO "t; --" VALUES(3,replace('x\ny','\n',char(10))) /* ; */ ;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('t; --',9);
CREATE TRIGGER again AFTER DELETE ON "t; --" BEGIN
  INSERT INTO "t; --"(v) VALUES('END;'); SELECT CASE WHEN 1 THEN 2 END;
END;
PRAGMA writable_schema=ON;
INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table','f','f',0,'CREATE VIRTUAL TABLE f USING fts5(x)');
CREATE TABLE IF NOT EXISTS 'f_data'(id INTEGER PRIMARY KEY, block BLOB);
PRAGMA writable_schema=OFF;
CREATE VIEW seen AS SELECT v FROM "t; --";
ANALYZE sqlite_schema;
`, DumpOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := d.Query(t.Context(), `SELECT v FROM "t; --" WHERE id < ? ORDER BY id`, []string{"9"})
	want := [][]source.Value{{{Text: "a;'b\nc"}}, {{Text: "line\nfeed \\ 🎟"}}, {{Text: "x\ny"}}}
	if diff := cmp.Diff(want, rows); err != nil || diff != "" {
		t.Errorf("rows, %v (-want +got):\n%s", err, diff)
	}
	if info := d.Info(); info.Engine != "d1" || info.Database != "shop.sql" || !filepath.IsAbs(info.Location) {
		t.Errorf("info is %+v", info)
	}
	if _, err := d.Query(t.Context(), `DELETE FROM "t; --" RETURNING v`, nil); err == nil {
		t.Error("the dump's database can be written to")
	}
}

func TestWhatADumpMayNotDo(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.db")
	for _, c := range []struct{ name, text, code, says string }{
		{"attach", "CREATE TABLE t(a);\nATTACH '" + outside + "' AS x;", key.CodeUnsupported, "line 2 of shop.sql does more"},
		{"vacuum", "CREATE TABLE t(a);VACUUM INTO '" + outside + "';", key.CodeBadInput, "line 1"},
		{"schema", "CREATE TABLE t(a);UPDATE sqlite_schema SET sql='x';", key.CodeBadInput, "line 1"},
		{"temporary", "CREATE TEMP TABLE t(a);", key.CodeUnsupported, "line 1"},
		{"extension", "CREATE TABLE t(a);SELECT load_extension('x');", key.CodeBadInput, "line 1"},
		{"endless", "CREATE TABLE t(a);INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x FROM c;", key.CodeUnsupported, "line 1"},
		{"bomb", "CREATE TABLE t(a);" + strings.Repeat("INSERT INTO t VALUES(zeroblob(1000000));", 9), key.CodeDisk, "no room"},
		{"cut in a row", "CREATE TABLE t(a);\nINSERT INTO t VALUES('x", key.CodeBadInput, "cut short: the statement on line 2"},
		{"cut between rows", "BEGIN TRANSACTION;\nCREATE TABLE t(a);\nINSERT INTO t VALUES('x');\n", key.CodeBadInput, "COMMIT is missing"},
		{"rolled back", "BEGIN TRANSACTION;\nCREATE TABLE t(a);\nROLLBACK; -- due to errors\n", key.CodeBadInput, "ROLLBACK"},
		{"postgres", "--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n", key.CodeBadInput, "line 5 of shop.sql is not what"},
		{"broken rule", "CREATE TABLE t(a UNIQUE);INSERT INTO t VALUES(1);INSERT INTO t VALUES(1);", key.CodeBadInput, "breaks a rule"},
		{"empty", "", key.CodeBadInput, "holds no table"},
		{"binary", "\x00\x01\x02;;", key.CodeBadInput, "line 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := openText(t, c.text, DumpOptions{MaxBytes: 4 << 20})
			p, ok := errors.AsType[*key.Problem](err)
			if !ok || p.Code != c.code || !strings.Contains(p.Message, c.says) || p.Hint == "" {
				t.Errorf("got %v (%+v), want %s with %q and a hint", err, p, c.code, c.says)
			}
		})
	}
	if _, err := os.Stat(outside); err == nil {
		t.Error("a dump wrote a file")
	}
}

func TestADumpIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := OpenDump(ctx, strings.NewReader("CREATE TABLE t(a);"), "shop.sql", DumpOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// pieces cuts a script into its statements, with the piece behind the last.
func pieces(t *testing.T, text []byte, chunk int) (parts []string) {
	t.Helper()
	s := newSplitter(bytes.NewReader(text), chunk)
	for {
		part, _, ended, err := s.next()
		if errors.Is(err, io.EOF) {
			return append(parts, string(s.buf))
		}
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, string(part))
		if !ended {
			return parts
		}
	}
}

func FuzzSplitter(f *testing.F) {
	for _, s := range []string{
		"SELECT 1;SELECT ';';", "a'b''c;\n';--;\n;", "/* ; */x;[;]\"\"\";\"`;`", "CREATE TEMP TRIGGER a BEGIN SELECT 1; END; x;", "CREATE TABLE trigger(a);END;", "-", "/", "'", "--", "/*", "create\ttrigger;end;e",
	} {
		f.Add([]byte(s), uint8(1))
	}
	conn, err := sqlite.OpenConn(":memory:", sqlite.OpenReadWrite)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close() })
	f.Fuzz(func(t *testing.T, text []byte, chunk uint8) {
		parts := pieces(t, text, int(chunk)+1)
		if diff := cmp.Diff(pieces(t, text, len(text)+1), parts); diff != "" {
			t.Fatalf("the chunk's size makes a difference:\n%s", diff)
		}
		if got := strings.Join(parts, ""); got != string(text) {
			t.Fatalf("%q became %q", text, got)
		}
		for _, part := range parts {
			// What SQLite understands must be one statement for it too.
			stmt, trailing, err := conn.PrepareTransient(part)
			if err == nil && stmt != nil {
				if rest := part[len(part)-trailing:]; !onlySpaceOrComment(rest) {
					t.Fatalf("%q holds more than one statement: %q is left", part, rest)
				}
				stmt.Finalize()
			}
		}
	})
}

func onlySpaceOrComment(rest string) bool {
	for rest != "" && rest[0] != 0 {
		size, kind := token([]byte(rest), true)
		if kind != tokenSpace && kind != tokenEnd {
			return false
		}
		rest = rest[size:]
	}
	return true
}

func TestUnistr(t *testing.T) {
	for text, want := range map[string]string{`a\\b`: `a\b`, `\0041\u0042\U00000043\+000044`: "ABCD", ``: ``} {
		if got, err := unescapeUnistr(text); err != nil || got != want {
			t.Errorf("%s: got %q, %v", text, got, err)
		}
	}
	for _, text := range []string{`\`, `\u12`, `\ud800`, `\Uffffffff`, `\zzzz`} {
		if got, err := unescapeUnistr(text); err == nil {
			t.Errorf("%s: got %q, want an error", text, got)
		}
	}
}
