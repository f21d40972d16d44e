package sqlite

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

func TestUniqueBy(t *testing.T) {
	path, _ := database(t, "app.db",
		`CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT, c TEXT COLLATE NOCASE, d INTEGER, UNIQUE (a, d))`,
		"CREATE UNIQUE INDEX t_b ON t (b)",
		"CREATE UNIQUE INDEX t_c_binary ON t (c COLLATE BINARY)",
		"CREATE UNIQUE INDEX t_bd_nocase ON t (b COLLATE NOCASE, d)",
		"CREATE UNIQUE INDEX t_d_some ON t (d) WHERE b IS NOT NULL",
		"CREATE UNIQUE INDEX t_d_set ON t (d) WHERE d IS NOT NULL",
		"CREATE UNIQUE INDEX t_lower ON t (lower(a))",
		"CREATE INDEX t_a ON t (a)")
	src := openSource(t, path)
	for _, c := range []struct {
		req  source.Request
		want []string
	}{
		{source.Request{Key: []string{"id"}}, []string{"primary key"}},
		{source.Request{Key: []string{"a", "id"}}, []string{"primary key"}},
		{source.Request{Key: []string{"a"}}, nil},
		{source.Request{Key: []string{"lower(a)"}}, nil},
		{source.Request{Key: []string{"b"}}, []string{"t_b"}},
		{source.Request{Key: []string{"b"}, NullsEqual: true}, nil},
		{source.Request{Key: []string{"c"}}, nil},
		{source.Request{Key: []string{"d"}}, []string{"t_d_set"}},
		{source.Request{Key: []string{"d"}, NullsEqual: true}, nil},
		{source.Request{Key: []string{"d"}, Where: "b IS NOT NULL"}, []string{"t_d_set", "t_d_some"}},
		{source.Request{Key: []string{"d", "b"}}, []string{"t_d_set", "t_d_some", "t_bd_nocase", "t_b"}},
		{source.Request{Key: []string{"a", "d"}}, []string{"t_d_set", "sqlite_autoindex_t_1"}},
	} {
		c.req.Table = "t"
		got := inspect(t, src, c.req)
		if diff := cmp.Diff(c.want, got.UniqueBy); diff != "" {
			t.Errorf("%v nulls equal %v where %q (-want +got):\n%s", c.req.Key, c.req.NullsEqual, c.req.Where, diff)
		}
	}
}

func TestSurroundings(t *testing.T) {
	path, _ := database(t, "app.db",
		`CREATE TABLE Tickets (Id INTEGER PRIMARY KEY, k TEXT NOT NULL, twice AS (k || k), kept TEXT GENERATED ALWAYS AS (k) STORED, loose)`,
		"CREATE TABLE scans (ticket REFERENCES tickets ON DELETE CASCADE, other REFERENCES TICKETS (id) ON DELETE SET NULL)",
		"CREATE TABLE pairs (x, y, FOREIGN KEY (x, y) REFERENCES tickets (k, ID))",
		"CREATE TABLE strangers (s REFERENCES pairs)",
		"CREATE TRIGGER on_delete AFTER DELETE ON tickets BEGIN SELECT 1; END",
		`CREATE TRIGGER "on update" AFTER UPDATE OF k ON tickets BEGIN SELECT 1; END`,
		"CREATE TRIGGER /* UPDATE */ odd BEFORE INSERT ON tickets BEGIN SELECT 1; END",
		"CREATE TRIGGER elsewhere AFTER DELETE ON scans BEGIN SELECT 1; END")
	got := inspect(t, openSource(t, path), source.Request{Table: "tickets", Key: []string{"K"}, ID: nil})
	want := &source.Table{
		Name: "Tickets", Bytes: 20480, Key: key.Key{Parts: []key.Part{{Text: "k"}}}, ID: []string{"Id"}, Rowid: "rowid",
		Columns: []source.Column{
			{Name: "Id", Type: "INTEGER"}, {Name: "k", Type: "TEXT", NotNull: true}, {Name: "twice", Type: "ANY", Generated: true},
			{Name: "kept", Type: "TEXT", Generated: true}, {Name: "loose", Type: "ANY"},
		},
		IncomingKeys: []source.ForeignKey{
			{Name: "pairs(x,y)", Table: "pairs", Columns: []string{"x", "y"}, References: []string{"k", "Id"}, OnDelete: "no action"},
			{Name: "scans(ticket)", Table: "scans", Columns: []string{"ticket"}, References: []string{"Id"}, OnDelete: "cascade"},
			{Name: "scans(other)", Table: "scans", Columns: []string{"other"}, References: []string{"Id"}, OnDelete: "set null"},
		},
		Triggers: []string{"odd", "on_delete"}, UpdateTriggers: []string{"on update"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestEstimates(t *testing.T) {
	path, writer := database(t, "app.db", "PRAGMA journal_mode=wal", "CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT)",
		"WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i+1 FROM n WHERE i < 3000) INSERT INTO t SELECT i, 'a key of some length ' || i FROM n")
	if got := inspect(t, openSource(t, path), source.Request{Table: "t", Key: []string{"k"}}); got.EstimatedRows != 3000 {
		t.Errorf("estimated %d rows of 3000", got.EstimatedRows)
	}
	// Rowids that are spread out tell nothing.
	script(t, writer, "INSERT INTO t VALUES (100000000000, 'far')")
	if got := inspect(t, openSource(t, path), source.Request{Table: "t", Key: []string{"k"}}); got.EstimatedRows != 0 {
		t.Errorf("estimated %d rows, want 0 for not known", got.EstimatedRows)
	}
	script(t, writer, "CREATE INDEX t_k ON t (k)")
	script(t, writer, "ANALYZE")
	if got := inspect(t, openSource(t, path), source.Request{Table: "t", Key: []string{"k"}}); got.EstimatedRows != 3001 {
		t.Errorf("estimated %d rows, want ANALYZE's 3001", got.EstimatedRows)
	}
}

func TestWhatIsNoTable(t *testing.T) {
	path, _ := database(t, "app.db", "CREATE TABLE t (k TEXT)", "CREATE VIEW v AS SELECT * FROM t", "CREATE VIRTUAL TABLE f USING fts5(body)")
	src := openSource(t, path)
	_, err := src.Inspect(t.Context(), source.Request{Table: "V", Key: []string{"k"}})
	wantProblem(t, err, key.CodeUnsupported, "view")
	_, err = src.Inspect(t.Context(), source.Request{Table: "f", Key: []string{"body"}})
	wantProblem(t, err, key.CodeUnsupported, "virtual")
	if got := inspect(t, src, source.Request{Table: "main.T", Key: []string{"k"}}); got.Name != "t" {
		t.Errorf("main.T is %q", got.Name)
	}
}
