package queries_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/queries"
)

func TestMain(m *testing.M) { os.Exit(pgserver.Run(m)) }

// hostile names and values; each is also a seed of the fuzz targets.
var hostile = []string{
	"a", "A", "a b", `a"b`, `"`, `""`, "'", "''", `\`, `\'`, `\\'; DROP TABLE x; --`, "$1", "$$", "?", ":a", "/*", "--", "select", "ünï", "日本語",
	"a.b", "line\nfeed", "tab\t", "%s", "{text}", "E'", "U&'", "\u202e", " ", "0", strings.Repeat("x", 63), strings.Repeat("é", 31),
}

func connect(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), pgserver.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// text runs a statement and returns its only field, and its column's name.
func text(t *testing.T, conn *pgx.Conn, sql string) (value, name string) {
	t.Helper()
	results, err := conn.PgConn().Exec(context.Background(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) != 1 {
		t.Fatalf("%q is not one statement with one field", sql)
	}
	return string(results[0].Rows[0][0]), results[0].FieldDescriptions[0].Name
}

// FuzzPostgres holds the quoting to the server's own reading of it, and the
// identifiers to its quote_ident: what that quotes, it quotes as we do.
func FuzzPostgres(f *testing.F) {
	for _, h := range hostile {
		f.Add(h)
	}
	conn := connect(f)
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
			return // no text of a UTF-8 database
		}
		if got, _ := text(t, conn, "SELECT "+queries.Literal(s)); got != s {
			t.Errorf("the literal %q came back as %q", s, got)
		}
		if s == "" || len(s) > 63 {
			return // no name that a table can have
		}
		if _, name := text(t, conn, "SELECT 1 AS "+queries.Ident(s)); name != s {
			t.Errorf("the name %q came back as %q", s, name)
		}
		own, _ := text(t, conn, "SELECT quote_ident("+queries.Literal(s)+")")
		if own != s && own != queries.Ident(s) {
			t.Errorf("the server quotes %q as %s, we as %s", s, own, queries.Ident(s))
		}
	})
}

func FuzzSQLite(f *testing.F) {
	for _, h := range hostile {
		f.Add(h)
	}
	db, err := sqlite.OpenConn(":memory:", sqlite.OpenReadWrite)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
			return
		}
		seen := false
		err := sqlitex.ExecuteTransient(db, "SELECT "+queries.Literal(s)+" AS "+queries.Ident(s)+", quote("+queries.Literal(s)+")", &sqlitex.ExecOptions{
			ResultFunc: func(stmt *sqlite.Stmt) error {
				seen = true
				if got := stmt.ColumnText(0); got != s {
					return errors.New("the literal came back as " + got)
				}
				if got := stmt.ColumnName(0); got != s {
					return errors.New("the name came back as " + got)
				}
				if got := stmt.ColumnText(1); got != queries.Literal(s) {
					return errors.New("the engine writes the literal as " + got)
				}
				return nil
			},
		})
		if err != nil || !seen {
			t.Errorf("%q: %v", s, err)
		}
	})
}

func TestIdents(t *testing.T) {
	if got, want := queries.Idents([]string{"a", `b"c`, "select"}), `"a", "b""c", "select"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := queries.Idents(nil); got != "" {
		t.Errorf("no names give %q", got)
	}
}
