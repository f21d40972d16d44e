package postgres

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

// TestRightsOnSomeColumns scans as a role that may read a few columns: those
// are enough where no other is needed, and one that is needed is named.
func TestRightsOnSomeColumns(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	run(t, database, `DROP ROLE IF EXISTS clerk2; CREATE ROLE clerk2 LOGIN;
		CREATE TABLE calls (id int PRIMARY KEY, k text, at timestamptz, note text, secret text);
		INSERT INTO calls SELECT i, 'k' || i % 40, '2026-01-01', 'n' || i, 's' || i FROM generate_series(1, 50) AS i;
		GRANT SELECT (id, k, at, note) ON calls TO clerk2;
		CREATE TABLE child (call int REFERENCES calls, more text); INSERT INTO child VALUES (1); GRANT SELECT (call) ON child TO clerk2;
		CREATE TABLE split (id int, k text, secret text) PARTITION BY RANGE (id);
		CREATE TABLE split1 PARTITION OF split FOR VALUES FROM (0) TO (9); CREATE TABLE split2 PARTITION OF split FOR VALUES FROM (9) TO (99);
		INSERT INTO split VALUES (1, 'a', 'x'), (2, 'b', 'x'), (10, 'a', 'y');
		GRANT SELECT (id, k) ON split, split1 TO clerk2; GRANT SELECT (id) ON split2 TO clerk2`)
	t.Cleanup(func() { run(t, database, "DROP OWNED BY clerk2; DROP ROLE clerk2") })
	s := open(t, as(t, database, "clerk2"), Options{})
	for name, c := range map[string]struct {
		request source.Request
		words   []string
	}{
		"key":        {source.Request{Table: "calls", Key: []string{"secret"}}, []string{"clerk2 may not read secret of public.calls", "hint: GRANT SELECT (secret) ON public.calls TO clerk2"}},
		"expression": {source.Request{Table: "calls", Key: []string{"lower(secret)"}}, []string{"may not read secret of"}},
		"predicate":  {source.Request{Table: "calls", Key: []string{"k"}, Where: "secret IS NULL"}, []string{"may not read secret of"}},
		"whole row":  {source.Request{Table: "calls", Key: []string{"calls::text"}}, []string{"may not read secret of"}},
		"role":       {source.Request{Table: "calls", Key: []string{"k"}, Email: "secret"}, []string{"may not read secret of"}},
		"partition":  {source.Request{Table: "split", Key: []string{"k"}}, []string{"hint: GRANT SELECT (k) ON public.split2 TO clerk2"}},
	} {
		_, err := s.Inspect(t.Context(), c.request)
		problem(t, err, key.CodePermission, c.words...)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	table := compare(t, s, database, source.Request{Table: "calls", Key: []string{"k"}, Time: "at", Where: "id <> 3"})
	if diff := cmp.Diff([]string{"id", "k", "at", "note"}, table.ColumnNames()); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if way := s.Capabilities(table); way.Way != "by-id" || !strings.Contains(way.Reason, "some columns only") {
		t.Errorf("read the way %q: %s", way.Way, way.Reason)
	}
	if caveats := s.Caveats(); len(caveats) != 1 || !strings.Contains(caveats[0], "may not read secret of public.calls") {
		t.Errorf("caveats: %v", caveats)
	}
	checkEvidence(t, s, table)
	run(t, database, "GRANT SELECT (k) ON split2 TO clerk2")
	compare(t, open(t, as(t, database, "clerk2"), Options{}), database, source.Request{Table: "split", Key: []string{"k"}, ID: []string{"id"}})
}

// checkEvidence has all that is asked beside the groups work without the
// columns that may not be read.
func checkEvidence(t *testing.T, s *Source, table *source.Table) {
	t.Helper()
	locators, _ := clusters(t, s, table)
	compared := 0
	if err := s.Compare(t.Context(), table, [][2]uint64{{locators[0], locators[1]}}, func(same []bool) error { compared += len(same); return nil }); err != nil || compared != 4 {
		t.Errorf("%d columns compared: %v", compared, err)
	}
	referred := int64(0)
	if err := s.References(t.Context(), table, table.IncomingKeys[0], locators, func(_ uint64, n int64) error { referred += n; return nil }); err != nil || referred != 1 {
		t.Errorf("referred to %d times: %v", referred, err)
	}
	if err := s.Writers(t.Context(), table, locators, func(source.Writer) error { return nil }); err != nil {
		t.Error(err)
	}
}
