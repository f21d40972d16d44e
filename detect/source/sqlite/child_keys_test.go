package sqlite

import (
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/google/go-cmp/cmp"
)

// FuzzIndexTerms: what is read of an index that SQLite takes makes the same
// index again.
func FuzzIndexTerms(f *testing.F) {
	for _, seed := range []string{"a, b)", "a DESC, lower(b || ',)') ASC) WHERE c > 0", `"a" COLLATE NOCASE, [b]) /* x */ WHERE c IN ('--', ')')`, "a -- )\n, `b`)", "(a) DESC, b+1 desc) where a", "a) -- WHERE b\n", "a, 'it''s' || b) WHERE (a)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, over string) {
		conn, err := sqlite.OpenConn(":memory:", sqlite.OpenReadWrite|sqlite.OpenCreate)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := sqlitex.ExecuteTransient(conn, "CREATE TABLE t (a, b, c)", nil); err != nil {
			t.Fatal(err)
		}
		shape := func(sql string) (shape []string, err error) {
			if err := sqlitex.ExecuteTransient(conn, sql, nil); err != nil {
				return nil, err
			}
			err = run(conn, "SELECT cid || ' ' || x.coll || ' ' || l.partial FROM pragma_index_list('t') AS l, pragma_index_xinfo(l.name) AS x WHERE x.key", func(stmt *sqlite.Stmt) error {
				shape = append(shape, stmt.ColumnText(0))
				return nil
			})
			return shape, err
		}
		want, err := shape("CREATE UNIQUE INDEX one ON t (" + over)
		if err != nil {
			return
		}
		var sql string
		if err := run(conn, "SELECT sql FROM sqlite_schema WHERE type = 'index'", func(stmt *sqlite.Stmt) error { sql = stmt.ColumnText(0); return nil }); err != nil {
			t.Fatal(err)
		}
		terms, where := indexTerms(sql)
		if where == "" && strings.HasSuffix(want[0], "1") {
			return // a predicate that is not read makes the key unclear
		}
		if err := sqlitex.ExecuteTransient(conn, "DROP INDEX one", nil); err != nil {
			t.Fatal(err)
		}
		again := "CREATE UNIQUE INDEX two ON t ("
		for i, term := range terms {
			if i > 0 {
				again += ", "
			}
			again += term + "\n"
		}
		if again += ")"; where != "" {
			again += " WHERE " + where
		}
		got, err := shape(again)
		if diff := cmp.Diff(want, got); (diff != "" || err != nil) && len(terms) > 0 {
			t.Errorf("%s: read as %q, %q: %v %s", sql, terms, where, err, diff)
		}
	})
}
