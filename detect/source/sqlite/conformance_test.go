package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest"
	"twinrow/queries"
)

func TestConformance(t *testing.T) {
	for name, variant := range map[string]loader{
		"wal":              {pragmas: "PRAGMA journal_mode=wal;"},
		"rollback journal": {pragmas: "PRAGMA journal_mode=delete;", noAppend: true},
		"without rowid":    {pragmas: "PRAGMA journal_mode=wal;", suffix: "WITHOUT ROWID"},
		"nocase":           {pragmas: "PRAGMA journal_mode=wal;", collation: " COLLATE NOCASE"},
		"utf-16":           {pragmas: "PRAGMA encoding='UTF-16le'; PRAGMA journal_mode=wal;"},
	} {
		t.Run(name, func(t *testing.T) {
			a := sourcetest.Adapter{Engine: "sqlite", ImagePrefix: "quote:", Open: variant.open, Append: variant.append}
			if variant.noAppend {
				a.Append = nil // a reader holds off every commit in this mode
			}
			sourcetest.Run(t, a)
		})
	}
}

// loader makes databases of one kind.
type loader struct {
	pragmas, suffix, collation string
	noAppend                   bool
}

// paths of what each running test opened last, for append.
var opened = map[string]string{}

func (l loader) open(t *testing.T, d sourcetest.Dataset) (source.Source, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a b?mode=rw#%41.db")
	opened[t.Name()] = path
	conn := openWriter(t, path, l.pragmas)
	var defs []string
	for _, c := range d.Columns {
		kind := map[sourcetest.Kind]string{sourcetest.Integer: "INTEGER", sourcetest.Text: "TEXT" + l.collation, sourcetest.Time: "TEXT"}[c.Kind]
		defs = append(defs, queries.Ident(c.Name)+" "+kind)
	}
	defs = append(defs, "PRIMARY KEY ("+queries.Idents(d.PrimaryKey)+")")
	script(t, conn, "CREATE TABLE "+queries.Ident(d.Table)+" ("+strings.Join(defs, ", ")+") "+l.suffix)
	insert(t, conn, d, d.Rows)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	src, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return src, d.Table
}

func (l loader) append(t *testing.T, d sourcetest.Dataset, rows [][]*string) {
	t.Helper()
	conn := openWriter(t, opened[t.Name()], "")
	insert(t, conn, d, rows)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}

func insert(t *testing.T, conn *sqlite.Conn, d sourcetest.Dataset, rows [][]*string) {
	t.Helper()
	script(t, conn, "BEGIN")
	stmt, err := conn.Prepare("INSERT INTO " + queries.Ident(d.Table) + " VALUES (" + strings.Repeat("?,", len(d.Columns)-1) + "?)")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for i, v := range row {
			if v == nil {
				stmt.BindNull(i + 1)
			} else {
				stmt.BindText(i+1, *v)
			}
		}
		if err := each(stmt, nil); err != nil {
			t.Fatalf("inserting %v: %v", row, err)
		}
	}
	script(t, conn, "COMMIT")
}

func openWriter(t *testing.T, path, pragmas string) *sqlite.Conn {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	for pragma := range strings.SplitSeq(pragmas, ";") {
		if pragma = strings.TrimSpace(pragma); pragma != "" {
			if err := sqlitex.ExecuteTransient(conn, pragma, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	return conn
}

func script(t *testing.T, conn *sqlite.Conn, sql string, args ...any) {
	t.Helper()
	if len(args) > 0 {
		sql = fmt.Sprintf(sql, args...)
	}
	if err := sqlitex.ExecuteTransient(conn, sql, nil); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
