package postgres

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

func TestWhoseTimeADefaultIs(t *testing.T) {
	for expression, want := range map[string]string{
		"now()":                                   source.WritesStart,
		"CURRENT_TIMESTAMP":                       source.WritesStart,
		"CURRENT_TIMESTAMP(3)":                    source.WritesStart,
		"transaction_timestamp()":                 source.WritesStart,
		"LOCALTIMESTAMP":                          source.WritesStart,
		"(now())::timestamp without time zone":    source.WritesStart,
		"(now() AT TIME ZONE 'utc'::text)":        source.WritesStart,
		"timezone('utc'::text, now())":            source.WritesStart,
		"date_trunc('milliseconds'::text, now())": source.WritesStart,
		"(date_trunc('second'::text, now()))::timestamp without time zone": source.WritesStart,
		"clock_timestamp()":                        source.WritesStatement,
		"statement_timestamp()":                    source.WritesStatement,
		"timezone('utc'::text, clock_timestamp())": source.WritesStatement,
		"":                               source.WritesApplication,
		"'2020-01-01'::timestamp":        source.WritesApplication,
		"(now() + '01:00:00'::interval)": source.WritesApplication,
		"sim.now()":                      source.WritesApplication,
		"my_now()":                       source.WritesApplication,
	} {
		if got := writes(expression); got != want {
			t.Errorf("%q: got %q, want %q", expression, got, want)
		}
	}
}

// locatorsByID fetches all rows' locators.
func locatorsByID(t *testing.T, s *Source, table *source.Table) map[string]uint64 {
	t.Helper()
	all, _ := clusters(t, s, table)
	out := map[string]uint64{}
	if err := s.Fetch(context.Background(), table, all, func(r source.Row) error {
		out[r.ID[0].Text] = r.Locator
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWriters(t *testing.T) {
	t.Parallel()
	server := pgserver.Start(t, "track_commit_timestamp=on")
	url := server.Database(t)
	before := time.Now()
	run(t, url, `CREATE EXTENSION pageinspect; CREATE TABLE "odd ""T""" (id int PRIMARY KEY, k text, at timestamptz DEFAULT now()) PARTITION BY RANGE (id);
		CREATE TABLE p1 PARTITION OF "odd ""T""" FOR VALUES FROM (0) TO (3); CREATE TABLE p2 PARTITION OF "odd ""T""" FOR VALUES FROM (3) TO (9)`)
	run(t, url, `INSERT INTO "odd ""T""" (id, k) VALUES (1, 'a'), (3, 'a')`)
	run(t, url, `INSERT INTO "odd ""T""" (id, k) VALUES (2, 'a')`)
	run(t, url, `UPDATE "odd ""T""" SET k = 'a' WHERE id = 2`)
	s := open(t, url, Options{})
	table := inspect(t, s, source.Request{Table: `odd "T"`, Key: []string{"k"}, Time: "at"})
	facts, err := s.Transactions(context.Background(), table)
	if err != nil {
		t.Fatal(err)
	}
	want := source.Transactions{KeepsTimes: true, Writes: source.WritesStart, Default: "now()", Inserted: 3, Updated: 1}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Errorf("transactions (-want +got):\n%s", diff)
	}
	ids := locatorsByID(t, s, table)
	writers := map[uint64]source.Writer{}
	var all []uint64
	for _, l := range ids {
		all = append(all, l)
	}
	if err := s.Writers(context.Background(), table, all, func(w source.Writer) error { writers[w.Locator] = w; return nil }); err != nil {
		t.Fatal(err)
	}
	first, second, other := writers[ids["1"]], writers[ids["3"]], writers[ids["2"]]
	if first.XID == "" || first.XID != second.XID || first.XID == other.XID || !first.Committed.Equal(second.Committed) {
		t.Errorf("transactions are %+v, %+v, %+v", first, second, other)
	}
	for id, updated := range map[string]bool{"1": false, "2": true, "3": false} {
		w := writers[ids[id]]
		if w.Updated == nil || *w.Updated != updated || w.Committed.Before(before) || w.Committed.After(time.Now()) {
			t.Errorf("row %s: %+v, want updated %v", id, w, updated)
		}
	}
}

func TestWritersOfARoleWithoutPowers(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `CREATE EXTENSION pageinspect; CREATE TABLE t (id int PRIMARY KEY, k text); INSERT INTO t VALUES (1, 'a'), (2, 'a');
		DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN; GRANT SELECT ON t TO plain`)
	s := open(t, url+"&user=plain", Options{})
	table := inspect(t, s, source.Request{Table: "t", Key: []string{"k"}})
	n := 0
	for _, l := range locatorsByID(t, s, table) {
		if err := s.Writers(context.Background(), table, []uint64{l}, func(w source.Writer) error {
			n++
			if w.XID == "" || !w.Committed.IsZero() || w.Updated != nil {
				t.Errorf("got %+v", w)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if n != 2 {
		t.Errorf("%d writers of 2 rows", n)
	}
}

func TestReferencesAreCounted(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `CREATE TABLE t (a int, b int, k text, PRIMARY KEY (a, b)); INSERT INTO t VALUES (1, 1, 'x'), (1, 2, 'x'), (2, 1, 'x');
		CREATE TABLE "child of" ("a of" int, b int, FOREIGN KEY ("a of", b) REFERENCES t); INSERT INTO "child of" VALUES (1, 2), (1, 2), (2, 1), (NULL, 1)`)
	s := open(t, url, Options{})
	table := inspect(t, s, source.Request{Table: "t", Key: []string{"k"}, ID: []string{"b", "a"}})
	all, _ := clusters(t, s, table)
	ids := map[uint64]string{}
	if err := s.Fetch(context.Background(), table, all, func(r source.Row) error { ids[r.Locator] = r.ID[1].Text + r.ID[0].Text; return nil }); err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	if err := s.References(context.Background(), table, table.IncomingKeys[0], all, func(l uint64, n int64) error { got[ids[l]] = n; return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int64{"12": 2, "21": 1}, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestCompareIsTheDatabasesOwn(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `CREATE TABLE t (id int PRIMARY KEY, k text, n numeric, f float8, doc jsonb, raw json, pad char(5), at timestamptz, spot point, nothing text);
		INSERT INTO t VALUES (1, 'x', 1.0, -0.0, '{"a":1,"b":2}', '{"a":1}', 'ab', '2025-01-01 00:00+00', '(1,2)', NULL),
		                     (2, 'x', 1.00, 0.0, '{"b":2,"a":1}', '{"a": 1}', 'ab ', '2025-01-01 01:00+01', '(1,2)', NULL),
		                     (3, 'x', 2, 1, '{}', '{"a":1}', 'b', '2026-01-01', '(1,3)', 'y')`)
	s := open(t, url, Options{})
	table := inspect(t, s, source.Request{Table: "t", Key: []string{"k"}})
	ids := locatorsByID(t, s, table)
	var got [][]bool
	if err := s.Compare(context.Background(), table, [][2]uint64{{ids["1"], ids["2"]}, {ids["1"], ids["3"]}}, func(same []bool) error {
		got = append(got, same)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	// id, k, n, f, doc, raw (text: json has no equality), pad, at, spot, nothing
	want := [][]bool{
		{false, true, true, true, true, false, true, true, true, true},
		{false, true, false, false, false, true, false, false, false, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("same (-want +got):\n%s", diff)
	}
}

func TestTimelineCountsEveryTypeOfTime(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `CREATE TABLE t (id int, k text, at timestamptz, plain timestamp, written text, number bigint);
		INSERT INTO t SELECT i, 'x', x, x, to_char(x, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), extract(epoch FROM x)::bigint
		FROM (SELECT i, '2025-01-01 00:00+00'::timestamptz + i * interval '10 min' AS x FROM generate_series(0, 30) i) s;
		INSERT INTO t VALUES (90, 'x', 'infinity', '-infinity', 'never', NULL), (91, 'x', '2999-01-01', '2999-01-01', '2999-01-01', 32472144000)`)
	from := time.Date(2025, 1, 1, 1, 0, 0, 0, time.UTC)
	want := source.Timeline{Counts: []int64{6, 6, 6}, Before: 6, After: 7, Last: from.Add(4 * time.Hour)}
	for i, column := range []string{"at", "plain", "written", "number", "at", "plain", "number"} {
		s := open(t, url, Options{})
		table := inspect(t, s, source.Request{Table: "t", Key: []string{"k"}, Time: column, ID: []string{"id"}})
		if i >= 4 {
			prints(t, s, table, source.Pass{})
		}
		got, err := s.Timeline(context.Background(), table, source.Window{From: from, Width: time.Hour, Buckets: 3, Now: from.Add(240 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", column, diff)
		}
	}
}

func TestKeysAreAllRows(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `CREATE TABLE t (id int, a text, b int); INSERT INTO t VALUES (1, 'X', 1), (2, NULL, 1), (3, 'y', 2)`)
	s := open(t, url, Options{})
	table := inspect(t, s, source.Request{Table: "t", Key: []string{"lower(a)", "b"}, Where: "b < 2", ID: []string{"id"}})
	var got []string
	if err := s.Keys(context.Background(), table, func(v []source.Value) error {
		got = append(got, fmt.Sprint(v[0].Text, v[0].Null, v[1].Text))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"xfalse1", "true1"}, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}
