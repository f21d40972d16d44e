package postgres

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest"
	"twinrow/detect/source/sourcetest/pgrandom"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/queries"
)

// TestConformanceOfAView puts what is found by id through the whole suite.
func TestConformanceOfAView(t *testing.T) {
	t.Parallel()
	database, schema := pgserver.Database(t), 0
	under := func(data sourcetest.Dataset) sourcetest.Dataset {
		data.Table = fmt.Sprintf("s%d.under_it", schema)
		return data
	}
	sourcetest.Run(t, sourcetest.Adapter{
		Engine:      "postgres",
		ImagePrefix: "sha256:",
		NeverUnique: true,
		Open: func(t *testing.T, data sourcetest.Dataset) (source.Source, string) {
			schema++
			below := under(data)
			run(t, database, fmt.Sprintf("CREATE SCHEMA s%d;", schema)+createTable(below)+insertRows(below, data.Rows)+
				fmt.Sprintf("; CREATE VIEW s%d.%s AS SELECT * FROM %s", schema, queries.Ident(data.Table), below.Table))
			s, err := Open(context.Background(), database, Options{})
			if err != nil {
				t.Fatal(err)
			}
			return s, fmt.Sprintf("s%d.%s", schema, data.Table)
		},
		Append: func(t *testing.T, data sourcetest.Dataset, rows [][]*string) {
			run(t, database, insertRows(under(data), rows))
		},
	})
}

// shards starts three servers and a database whose table wide has a partition
// on each of them.
func shards(t *testing.T, rows int) (kinds []pgrandom.Kind, database string, servers []string) {
	t.Helper()
	database = pgserver.Database(t)
	kinds = pgrandom.Kinds(major(t, database))
	columns, inserts := wideRows(kinds, rows, 13)
	setup := pgrandom.Types + "CREATE EXTENSION postgres_fdw; CREATE TABLE wide (id int, " + columns + ") PARTITION BY HASH (id);"
	for i := range 3 {
		server := pgserver.Start(t, "shared_preload_libraries=pg_stat_statements").Database(t)
		servers = append(servers, server)
		run(t, server, pgrandom.Types+"CREATE EXTENSION pg_stat_statements; CREATE TABLE wide (id int PRIMARY KEY, "+columns+")")
		setup += fmt.Sprintf("CREATE SERVER shard%d FOREIGN DATA WRAPPER postgres_fdw OPTIONS (%s);", i, options(t, server)) +
			fmt.Sprintf("CREATE USER MAPPING FOR CURRENT_USER SERVER shard%d OPTIONS (user 'postgres');", i) +
			fmt.Sprintf("CREATE FOREIGN TABLE wide%d PARTITION OF wide FOR VALUES WITH (MODULUS 3, REMAINDER %[1]d) SERVER shard%[1]d OPTIONS (table_name 'wide');", i)
	}
	run(t, database, setup+inserts)
	return kinds, database, servers
}

// options are a server's of postgres_fdw.
func options(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("host %s, port %s, dbname %s", queries.Literal(u.Query().Get("host")), queries.Literal(u.Query().Get("port")), queries.Literal(strings.Trim(u.Path, "/")))
}

// TestATableShardedOverThreeServers finds what GROUP BY over all of them finds,
// and has the servers work out the fingerprints that they would work out alike.
func TestATableShardedOverThreeServers(t *testing.T) {
	t.Parallel()
	kinds, database, servers := shards(t, 45)
	s := open(t, database, Options{Jobs: 3})
	for _, k := range kinds {
		table := compare(t, s, database, source.Request{Table: "wide", Key: []string{k.Name}})
		if got, hashed := s.Capabilities(table), k.Hashed(s.server.number/10000); got.Vague != hashed || got.FindsRepeats == hashed {
			t.Errorf("%s is read the way %q: %s", k.Name, got.Way, got.Reason)
		}
		if table.Kind != "spread over foreign tables" || !cmp.Equal(table.ID, []string{"id"}) {
			t.Errorf("the table is %q, its id %v", table.Kind, table.ID)
		}
	}
	for i, req := range wideRequests(kinds, 20) {
		t.Run(fmt.Sprint(i), func(t *testing.T) { compareLoose(t, s, database, req) })
	}
	for i, server := range servers {
		for column, want := range map[string]string{
			"text": "t", "varchar": "t", "num": "t", "day": "t", "stampz": "t", "doc": "t", "arr": "t", "raw": "t",
			"icu": "f", "cit": "f", "mood": "f", "marr": "f", "rel": "f", "comp": "f", "domcit": "f", "cash": "f",
		} {
			got := run(t, server, `SELECT count(*) > 0 FROM pg_stat_statements WHERE query ~ 'string_agg\(int8send\(hash_array_extended\(ARRAY\["?`+column+`"?[]:]'`)[0]
			if got != want {
				t.Errorf("server %d worked out the fingerprints of %s: %s, want %s", i, column, got, want)
			}
		}
	}
}

// TestAShardOfAnotherEncoding has equal texts that are other bytes elsewhere.
func TestAShardOfAnotherEncoding(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	here := run(t, database, "SELECT current_database()")[0]
	run(t, database, "CREATE EXTENSION postgres_fdw; CREATE TABLE t (id int, k text) PARTITION BY LIST (id); CREATE TABLE t0 PARTITION OF t DEFAULT; INSERT INTO t0 VALUES (9, 'é')")
	for i, encoding := range []string{"UTF8", "LATIN1"} {
		name := fmt.Sprintf("%s_%d", here, i+1)
		run(t, database, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING '"+encoding+"'")
		there := strings.Replace(database, "/"+here+"?", "/"+name+"?", 1) + "&client_encoding=UTF8"
		run(t, there, "CREATE TABLE t (id int, k text)")
		run(t, database, fmt.Sprintf(`CREATE SERVER s%[1]d FOREIGN DATA WRAPPER postgres_fdw OPTIONS (%[2]s); CREATE USER MAPPING FOR CURRENT_USER SERVER s%[1]d OPTIONS (user 'postgres');
			CREATE FOREIGN TABLE t%[1]d PARTITION OF t FOR VALUES IN (%[1]d, 1%[1]d) SERVER s%[1]d OPTIONS (table_name 't'); INSERT INTO t%[1]d VALUES (%[1]d, 'é'), (1%[1]d, 'e')`, i+1, options(t, there)))
	}
	s := open(t, database, Options{})
	table := compare(t, s, database, source.Request{Table: "t", Key: []string{"k"}})
	r, err := s.relation(table)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range r.heaps {
		there, err := s.hashesThere(t.Context(), r, h)
		if err != nil || there != (h.name == "public.t1") {
			t.Errorf("%s works its fingerprints out itself: %v %v", h.name, there, err)
		}
	}
}

func TestIDsThatDoNotTellRowsApart(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	run(t, database, `CREATE TABLE t (a int, b text, k text); INSERT INTO t VALUES (1, 'x', 'k'), (1, 'y', 'k'), (2, '"{\,', 'k'), (2, 'x', 'j'), (3, NULL, 'n'), (4, 'z', 'n'), (5, 'w', 'other');
		CREATE VIEW v AS SELECT *, ARRAY[a] AS list FROM t`)
	s := open(t, database, Options{})
	for _, c := range []struct {
		id, where string
		words     []string
	}{
		{"a", "", []string{"several rows have the id (a) = (1)", "--id"}},
		{"b", "a > 2", []string{"(b) = (NULL)"}},
		{"list", "", []string{"array"}},
	} {
		table, err := s.Inspect(t.Context(), source.Request{Table: "v", Key: []string{"k"}, ID: []string{c.id}, Where: c.where})
		if err == nil {
			_, err = s.Place(t.Context(), table, everyPrint(t, s, table))
		}
		code := key.CodeUsage
		if c.id == "list" {
			code = key.CodeUnsupported
		}
		problem(t, err, code, c.words...)
	}
	// Two columns together do, and what needs quoting in an array is found.
	table := inspect(t, s, source.Request{Table: "v", Key: []string{"k"}, ID: []string{"b", "a"}, Where: "b IS NOT NULL"})
	locators, _ := clusters(t, s, table)
	if diff := cmp.Diff([]string{`"{\,,x,y`}, groups(t, s, table, locators)); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	// A row that shares its id with one that was asked for is met when they are read.
	table = inspect(t, s, source.Request{Table: "v", Key: []string{"k"}, ID: []string{"a"}, Where: "b <> 'y'"})
	_, err := s.Place(t.Context(), table, everyPrint(t, s, table))
	problem(t, err, key.CodeUsage, "(a) = (2)")
}

func everyPrint(t *testing.T, s *Source, table *source.Table) []uint64 {
	t.Helper()
	var all []uint64
	if _, err := s.Prints(t.Context(), table, source.Pass{}, func(batch []source.Print) error {
		for _, p := range batch {
			all = append(all, p.Locator)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestKindsOfTables looks at what a table can be beside an ordinary one.
func TestKindsOfTables(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	run(t, database, `CREATE TABLE t (id int, k text); INSERT INTO t VALUES (1, 'a'), (2, 'a'), (3, 'b');
		CREATE MATERIALIZED VIEW seen AS SELECT * FROM t; CREATE VIEW v AS SELECT * FROM t;
		CREATE UNLOGGED TABLE fast AS SELECT * FROM t;
		CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE odd USING other AS SELECT * FROM t;
		CREATE TABLE child (of int); CREATE TABLE keyed (id int PRIMARY KEY, k text) USING other; INSERT INTO keyed SELECT * FROM t;
		ALTER TABLE child ADD FOREIGN KEY (of) REFERENCES keyed; INSERT INTO child VALUES (1), (1), (2)`)
	for _, c := range []struct{ name, kind, way string }{
		{"seen", "a materialized view", "packed"}, {"v", "a view", "by-id"}, {"fast", "", "packed"}, {"odd", "not stored as a heap", "by-id"}, {"keyed", "not stored as a heap", "by-id"},
	} {
		s := open(t, database, Options{})
		if c.way == "packed" {
			c.way = heapWay(s)
		}
		table := compare(t, s, database, source.Request{Table: c.name, Key: []string{"k"}, ID: []string{"id"}})
		if got := s.Capabilities(table); table.Kind != c.kind || got.Way != c.way {
			t.Errorf("%s is %q and read the way %q, want %q and %q: %s", c.name, table.Kind, got.Way, c.kind, c.way, got.Reason)
		}
		locators, _ := clusters(t, s, table)
		if err := s.Compare(t.Context(), table, [][2]uint64{{locators[0], locators[1]}, {locators[0], locators[0]}}, func(same []bool) error {
			if len(same) != 2 || !same[1] {
				t.Errorf("%s: compared %v", c.name, same)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if c.name != "keyed" {
			continue
		}
		referred := map[uint64]int64{}
		if err := s.References(t.Context(), table, table.IncomingKeys[0], locators, func(l uint64, n int64) error { referred[l] = n; return nil }); err != nil {
			t.Error(err)
		}
		if len(referred) != 2 || referred[locators[0]]+referred[locators[1]] != 3 {
			t.Errorf("referred to %v", referred)
		}
	}
}

func TestTemporaryTablesOfOthers(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	keep := open(t, database, Options{}) // any session will do that can be told to make one
	if err := keep.main.do(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"BEGIN READ WRITE", "CREATE TEMP TABLE passing (id int, k text)", "COMMIT"} {
		if err := keep.main.do(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	schema := run(t, database, "SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'passing'")[0]
	s := open(t, database, Options{})
	_, err := s.Inspect(t.Context(), source.Request{Table: schema + ".passing", Key: []string{"k"}})
	problem(t, err, key.CodeUnsupported, "temporary table of another session")
}

// FuzzQuoteElement gives arrays of two texts to the server and wants them back.
func FuzzQuoteElement(f *testing.F) {
	for _, text := range []string{"", "NULL", `a"b`, `\`, "{x,y}", " blank ", "line\nfeed", "naïve 🎟", "\u00a0"} {
		f.Add(text)
	}
	s := open(f, pgserver.Database(f), Options{})
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return // no text of a Postgres in UTF-8
		}
		var got []string
		err := s.main.stream(t.Context(), 0, "SELECT ($1::text[])[1], ($1::text[])[2]", []string{"{" + quoteElement(text) + "," + quoteElement("x"+text) + "}"}, func(fields [][]byte) error {
			got = append(got, string(fields[0]), string(fields[1]))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{text, "x" + text}, got); diff != "" {
			t.Error(diff)
		}
	})
}
