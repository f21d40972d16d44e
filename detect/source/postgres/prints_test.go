package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

// large is a table of some thousands of blocks with known duplicates, some of
// them across block ranges, and dead rows between.
const large = `
CREATE TABLE large (id serial PRIMARY KEY, k text, n int, pad text);
INSERT INTO large (k, n, pad) SELECT 'key ' || i, i % 7, repeat('x', 900) FROM generate_series(1, 30000) AS i;
DELETE FROM large WHERE id % 10 = 3;
INSERT INTO large (k, n, pad) SELECT k, n, 'copy' FROM large WHERE id % 1000 = 0;
INSERT INTO large (k, n, pad) SELECT NULL, n, 'null' FROM large WHERE id % 5000 = 0;
UPDATE large SET pad = 'updated' WHERE id % 2000 = 0;
`

func TestBothWaysOfReadingFindTheSame(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, large+"ANALYZE large")
	for _, c := range []struct {
		way     string
		options Options
	}{
		{"cache-safe", Options{Jobs: 1}},
		{"cache-safe", Options{Jobs: 3}},
		{"packed", Options{Jobs: 1, Fast: true}},
		{"packed", Options{Jobs: 2, Fast: true}},
	} {
		t.Run(fmt.Sprint(c.way, c.options.Jobs), func(t *testing.T) {
			s := open(t, url, c.options)
			table := compare(t, s, url, source.Request{Table: "large", Key: []string{"k", "n"}})
			want := c.way
			if want == "packed" {
				want = heapWay(s)
			}
			if got := s.Capabilities(table); got.Way != want {
				t.Errorf("way %q: %s", got.Way, got.Reason)
			}
			_, count := prints(t, s, table, source.Pass{})
			if diff := cmp.Diff(source.Count{Rows: 27036, NullKeys: 6}, count); diff != "" {
				t.Error(diff)
			}
			if table.EstimatedRows < 27000 || table.Bytes < 20<<20 {
				t.Errorf("estimated %d rows and %d bytes", table.EstimatedRows, table.Bytes)
			}
		})
	}
}

func TestPassesShareTheRowsOut(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, large)
	s := open(t, url, Options{})
	table := inspect(t, s, source.Request{Table: "large", Key: []string{"k"}})
	whole, count := prints(t, s, table, source.Pass{})
	parts := map[uint64][]uint64{}
	for i := range uint64(3) {
		pass := source.Pass{Index: i, Of: 3}
		byHash, each := prints(t, s, table, pass)
		if each != count {
			t.Errorf("pass %d counted %v, the whole has %v", i, each, count)
		}
		for hash, locators := range byHash {
			if !pass.Holds(hash) {
				t.Fatalf("%d does not belong to pass %d", hash, i)
			}
			parts[hash] = locators
		}
	}
	for _, m := range []map[uint64][]uint64{whole, parts} {
		for _, locators := range m {
			slices.Sort(locators)
		}
	}
	if diff := cmp.Diff(whole, parts); diff != "" {
		t.Error(diff)
	}
}

func TestAReadingThatIsStoppedCanBeTakenUpAgain(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, large)
	for _, options := range []Options{{}, {Fast: true}} {
		s := open(t, url, options)
		table := inspect(t, s, source.Request{Table: "large", Key: []string{"k"}})
		full := errors.New("memory is full")
		for range 3 {
			calls := 0
			_, err := s.Prints(context.Background(), table, source.Pass{}, func([]source.Print) error {
				calls++
				return full
			})
			if !errors.Is(err, full) || calls != 1 {
				t.Fatalf("visit was called %d times, and its error came back as %v", calls, err)
			}
		}
		compare(t, s, url, source.Request{Table: "large", Key: []string{"k"}})
	}
}

func TestTheSnapshotStandsStill(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, "CREATE TABLE t (id int PRIMARY KEY, k int); INSERT INTO t VALUES (1, 1), (2, 1), (3, 2)")
	s := open(t, url, Options{})
	run(t, url, "INSERT INTO t SELECT i, 5 FROM generate_series(10, 5000) AS i; UPDATE t SET k = 9; DELETE FROM t WHERE id = 1")
	table := inspect(t, s, source.Request{Table: "t", Key: []string{"k"}})
	locators, count := clusters(t, s, table)
	if diff := cmp.Diff([]string{"1,2"}, groups(t, s, table, locators)); diff != "" || count.Rows != 3 {
		t.Errorf("the snapshot has %d rows, groups %s", count.Rows, diff)
	}
}

func TestPartitionsAndChildren(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `
		CREATE TABLE p (id int, k text, day date) PARTITION BY RANGE (day);
		CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
		CREATE TABLE p2 (day date, gone int, k text, id int); ALTER TABLE p2 DROP COLUMN gone;
		ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
		CREATE TABLE empty PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
		CREATE TABLE p3 PARTITION OF p FOR VALUES FROM ('2025-03-01') TO ('2026-01-01') PARTITION BY HASH (k);
		CREATE TABLE p3a PARTITION OF p3 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
		CREATE TABLE p3b PARTITION OF p3 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		INSERT INTO p SELECT i, 'k' || i % 997, DATE '2025-01-01' + i % 300 FROM generate_series(1, 1500) AS i;
		CREATE TABLE parent (id int, k text, pad text);
		CREATE TABLE child (more int) INHERITS (parent);
		INSERT INTO parent SELECT i, 'k' || i, repeat('y', 500) FROM generate_series(1, 2000) AS i;
		INSERT INTO child SELECT i + 10000, 'k' || i * 100, '', 1 FROM generate_series(1, 50) AS i;`)
	for _, name := range []string{"p", "parent"} {
		s := open(t, url, Options{})
		table := compare(t, s, url, source.Request{Table: name, Key: []string{"k"}, ID: []string{"id"}})
		if len(table.UniqueBy) != 0 {
			t.Errorf("%s: unique by %v", name, table.UniqueBy)
		}
		// Without a primary key a row is told by its heap and place.
		table = inspect(t, s, source.Request{Table: name, Key: []string{"k"}})
		if diff := cmp.Diff([]string{"tableoid", "ctid"}, table.ID); diff != "" {
			t.Error(diff)
		}
		ids := map[string]bool{}
		locators, _ := clusters(t, s, table)
		rows := 0
		if err := s.Fetch(context.Background(), table, locators, func(row source.Row) error {
			rows++
			ids[row.ID[0].Text+row.ID[1].Text] = true
			return nil
		}); err != nil || len(ids) != rows || rows == 0 {
			t.Errorf("%d rows have %d identities, error %v", rows, len(ids), err)
		}
	}
}

func TestAGroupOfManyRowsAndRowsWithoutAnEqual(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, "CREATE TABLE t (id int, k int); INSERT INTO t SELECT i, least(i, 6) FROM generate_series(1, 5000) AS i")
	s := open(t, url, Options{})
	table := inspect(t, s, source.Request{Table: "t", Key: []string{"k"}, ID: []string{"id"}})
	r, err := s.relation(table)
	if err != nil {
		t.Fatal(err)
	}
	var all []uint64
	for _, place := range run(t, url, "SELECT ctid FROM t") {
		l, _ := r.locatorOf(r.oid, place)
		all = append(all, l)
	}
	// As if every fingerprint were the same: the database's equality settles it.
	got := groups(t, s, table, all)
	if len(got) != 1 || strings.Count(got[0], ",") != 4994 {
		t.Errorf("%d groups, the first of %d rows", len(got), strings.Count(got[0], ",")+1)
	}
	stop := errors.New("enough")
	if err := s.Fetch(context.Background(), table, all, func(source.Row) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("visit's error came back as %v", err)
	}
}

// TestPlans holds the server to the plans that the ways are chosen for.
func TestPlans(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, large+"ALTER TABLE large ADD at timestamptz; CREATE INDEX ON large (k); CREATE INDEX ON large (n); CREATE INDEX ON large (at); ANALYZE large")
	s := open(t, url, Options{})
	table := inspect(t, s, source.Request{Table: "large", Key: []string{"k"}, Where: "n = 3 AND k > 'a'"})
	r, err := s.relation(table)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		statement, tid, seq string
		args                []string
		want                string
	}{
		{"scan_packed", "on", "off", []string{"0", "3000", "4"}, "Tid Range Scan on large"},
		{"scan_places", "on", "off", []string{"{0,8}", "{4,12}", "{1,2,3}"}, "Tid Range Scan on large"},
		{"evidence_times", "on", "off", []string{"{2020-01-01,2021-01-01}", "2022-01-01", "{0,8}", "{4,12}"}, "Tid Range Scan on large"},
		{"scan_stream", "off", "on", []string{"(0,0)", "(3000,0)"}, "Seq Scan on large"},
		{"candidates_grouped", "on", "off", []string{`{"(1,1)","(2,1)"}`}, "Tid Scan on large"},
		{"scan_grouped", "off", "on", nil, "Seq Scan on large"},
	} {
		if strings.Contains(c.want, "Range") && s.server.number < rangesSince {
			continue // such a server is never asked this
		}
		if _, err := s.main.rows(context.Background(), "scan_settings", c.tid, c.seq); err != nil {
			t.Fatal(err)
		}
		sql := r.fill(c.statement, "hash", r.hash(), "table", r.name, "times", "", "column", "at", "mask", "7")
		var plan strings.Builder
		if err := s.main.stream(context.Background(), 0, "EXPLAIN "+sql, c.args, func(fields [][]byte) error {
			plan.Write(fields[0])
			plan.WriteByte('\n')
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan.String(), c.want) || strings.Contains(plan.String(), "Index") {
			t.Errorf("%s: want %s:\n%s", c.statement, c.want, plan.String())
		}
	}
}
