package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

// TestACorruptUniqueIndexHidesNothing makes duplicates under a unique index, as
// a changed collation does, and finds them all, which a query through the
// index does not.
func TestACorruptUniqueIndexHidesNothing(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	run(t, database, `CREATE TABLE t (id int, k text); CREATE UNIQUE INDEX t_k ON t (k);
		INSERT INTO t SELECT i, 'k' || i FROM generate_series(1, 5000) i;
		UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = 't_k'::regclass`)
	run(t, database, `INSERT INTO t SELECT i + 10000, 'k' || i FROM generate_series(1, 11) i;
		UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid = 't_k'::regclass; ANALYZE t`)
	s := open(t, database, Options{})
	for _, where := range []string{"", "k < 'k9'"} {
		table := compare(t, s, database, source.Request{Table: "t", Key: []string{"k"}, Where: where, ID: []string{"id"}})
		locators, _ := clusters(t, s, table)
		if found := groups(t, s, table, locators); len(found) < 10 {
			t.Errorf("where %q: %d groups", where, len(found))
		}
		if diff := cmp.Diff([]string{"t_k"}, table.UniqueBy); diff != "" {
			t.Errorf("the index that ought to forbid them is not named: %s", diff)
		}
	}
}

// TestNoCorruptIndexIsBelieved takes an index of each kind that could serve to
// find repeated keys, all of them unique and without the later rows: whichever
// way the table is read, nothing is missed.
func TestNoCorruptIndexIsBelieved(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	for i, c := range []struct{ index, indexed string }{
		{"ALTER TABLE %[1]s ADD CONSTRAINT %[1]s_i UNIQUE (k)", "k"},
		{"ALTER TABLE %[1]s ADD CONSTRAINT %[1]s_i PRIMARY KEY (k)", "k"},
		{"CREATE UNIQUE INDEX %[1]s_i ON %[1]s (k, id)", "k"},
		{"CREATE UNIQUE INDEX %[1]s_i ON %[1]s (k) INCLUDE (id)", "k"},
		{"CREATE UNIQUE INDEX %[1]s_i ON %[1]s (lower(k))", "lower(k)"},
		{"CREATE UNIQUE INDEX %[1]s_i ON %[1]s (k) WHERE id > 0", "k"},
	} {
		name := fmt.Sprintf("t%d", i)
		enable := "; UPDATE pg_index SET indisready = %[2]t, indisvalid = %[2]t WHERE indexrelid = '%[1]s_i'::regclass"
		run(t, database, fmt.Sprintf("CREATE TABLE %[1]s (id int, k text); INSERT INTO %[1]s SELECT i, 'k' || i FROM generate_series(1, 20000) i;"+c.index+enable, name, false))
		run(t, database, fmt.Sprintf("INSERT INTO %[1]s SELECT i + 100000, 'k' || i FROM generate_series(1, 11) i"+enable, name, true))
		run(t, database, "VACUUM ANALYZE "+name)
		s := open(t, database, Options{})
		table := compare(t, s, database, source.Request{Table: name, Key: []string{c.indexed}, ID: []string{"id"}})
		locators, _ := clusters(t, s, table)
		if found := groups(t, s, table, locators); len(found) != 11 {
			t.Errorf("%s: %d groups of 11, read the way %s", fmt.Sprintf(c.index, name), len(found), s.Capabilities(table).Way)
		}
	}
}

// TestDatabasesInOtherEncodings reads text of a database that is not UTF-8.
func TestDatabasesInOtherEncodings(t *testing.T) {
	t.Parallel()
	server := pgserver.Start(t)
	database := server.Database(t)
	run(t, database, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
	latin := strings.Replace(database, "/test_1?", "/latin?", 1)
	run(t, latin+"&client_encoding=UTF8", `CREATE TABLE t (id int, "größe" text); INSERT INTO t VALUES (1, 'é'), (2, 'é'), (3, 'e')`)
	s := open(t, latin, Options{})
	table := inspect(t, s, source.Request{Table: "t", Key: []string{"größe", "upper(größe)"}})
	locators, _ := clusters(t, s, table)
	var keys []string
	if err := s.Fetch(t.Context(), table, locators, func(row source.Row) error {
		keys = append(keys, row.Key[0].Text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(keys, []string{"é", "é"}) {
		t.Errorf("keys %q", keys)
	}
}
