package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgrandom"
	"twinrow/detect/source/sourcetest/pgserver"
)

func TestMain(m *testing.M) { os.Exit(pgserver.Run(m)) }

// run executes SQL, several statements at once, and returns the last result's
// rows, fields joined by |.
func run(t testing.TB, url, sql string) []string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	var rows []string
	for _, row := range results[len(results)-1].Rows {
		var fields []string
		for _, f := range row {
			fields = append(fields, string(f))
		}
		rows = append(rows, strings.Join(fields, "|"))
	}
	return rows
}

func open(t testing.TB, url string, options Options) *Source {
	t.Helper()
	s, err := Open(context.Background(), url, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func inspect(t testing.TB, s *Source, req source.Request) *source.Table {
	t.Helper()
	table, err := s.Inspect(context.Background(), req)
	if err != nil {
		t.Fatalf("inspecting %v: %v", req, err)
	}
	return table
}

// prints reads a whole table and checks what every reading must hold to.
func prints(t testing.TB, s *Source, table *source.Table, pass source.Pass) (map[uint64][]uint64, source.Count) {
	t.Helper()
	seen := map[uint64]bool{}
	byHash := map[uint64][]uint64{}
	read := int64(0)
	count, err := s.Prints(context.Background(), table, pass, func(batch []source.Print) error {
		for _, p := range batch {
			if seen[p.Locator] && !s.Capabilities(table).Vague {
				return fmt.Errorf("the locator %d came twice", p.Locator)
			}
			if p.Locator >= 1<<48 {
				return fmt.Errorf("the locator %d is too large", p.Locator)
			}
			read++
			seen[p.Locator] = true
			byHash[p.Hash] = append(byHash[p.Hash], p.Locator)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := read + count.NullKeys; pass.Of <= 1 && got != count.Rows {
		t.Errorf("%d prints and %d without make %d rows, counted %d", read, count.NullKeys, got, count.Rows)
	}
	return byHash, count
}

// clusters finds the repeated keys' locators by the way the source asks for.
func clusters(t testing.TB, s *Source, table *source.Table) ([]uint64, source.Count) {
	t.Helper()
	var all []uint64
	if s.Capabilities(table).FindsRepeats {
		count, err := s.Repeats(context.Background(), table, func(cluster []uint64) error {
			all = append(all, cluster...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return all, count
	}
	byHash, count := prints(t, s, table, source.Pass{})
	for _, locators := range byHash {
		if len(locators) > 1 {
			all = append(all, locators...)
		}
	}
	if !s.Capabilities(table).Vague {
		return all, count
	}
	found, err := s.Place(context.Background(), table, all)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(found...), count
}

// groups returns the groups among the locators, each as its rows' first id
// joined by commas, in order.
func groups(t testing.TB, s *Source, table *source.Table, locators []uint64) []string {
	t.Helper()
	var rows [][]string
	last := -1
	seen := map[int]bool{}
	err := s.Fetch(context.Background(), table, locators, func(row source.Row) error {
		if row.Group != last {
			if seen[row.Group] {
				return fmt.Errorf("the group %d came in two pieces", row.Group)
			}
			seen[row.Group], last = true, row.Group
			rows = append(rows, nil)
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], row.ID[0].Text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, ids := range rows {
		slices.Sort(ids)
		out = append(out, strings.Join(ids, ","))
	}
	slices.Sort(out)
	return out
}

// expected asks the database itself, the plain way.
func expected(t testing.TB, url, table, where string, parts []string, nullsEqual bool) []string {
	t.Helper()
	rows := run(t, url, pgrandom.GroupBy(table, source.Request{Key: parts, Where: where, NullsEqual: nullsEqual}))
	slices.Sort(rows)
	return rows
}

// compare finds the groups by the source and by the database and reports a difference.
func compare(t testing.TB, s *Source, url string, req source.Request) *source.Table {
	t.Helper()
	table := inspect(t, s, req)
	locators, _ := clusters(t, s, table)
	got := groups(t, s, table, locators)
	want := expected(t, url, table.Name, req.Where, req.Key, req.NullsEqual)
	if len(want) == 0 {
		t.Errorf("the data of %s by %v has no duplicates and shows nothing", req.Table, req.Key)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s by %v, nulls equal %v: groups differ (-database +source):\n%s", req.Table, req.Key, req.NullsEqual, diff)
	}
	return table
}

// problem checks that an error is a Problem of the code whose text holds the words.
func problem(t testing.TB, err error, code string, words ...string) {
	t.Helper()
	var p *key.Problem
	if !errors.As(err, &p) {
		t.Errorf("want a Problem of code %s, got %v", code, err)
		return
	}
	if p.Code != code {
		t.Errorf("code %q, want %q: %v (hint: %s)", p.Code, code, err, p.Hint)
	}
	whole := err.Error() + " hint: " + p.Hint
	for _, w := range words {
		if !strings.Contains(whole, w) {
			t.Errorf("%q does not hold %q", whole, w)
		}
	}
}

// compareLoose is compare for random requests, which may have no duplicates.
func compareLoose(t testing.TB, s *Source, url string, req source.Request) {
	t.Helper()
	table := inspect(t, s, req)
	locators, count := clusters(t, s, table)
	want := expected(t, url, table.Name, req.Where, req.Key, req.NullsEqual)
	if diff := cmp.Diff(want, groups(t, s, table, locators)); diff != "" {
		t.Errorf("%v (nulls equal %v) where %q: groups differ (-database +source):\n%s", req.Key, req.NullsEqual, req.Where, diff)
	}
	rows := run(t, url, "SELECT count(*) FROM wide WHERE "+cmpOr(bounded(req.Where), "true"))
	if fmt.Sprint(count.Rows) != rows[0] {
		t.Errorf("%d rows counted, the database has %s", count.Rows, rows[0])
	}
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// bounded ends a comment at the end of SQL.
func bounded(sql string) string {
	if sql == "" {
		return ""
	}
	return sql + "\n"
}

// major is the server's major version.
func major(t testing.TB, url string) int {
	t.Helper()
	n, err := strconv.Atoi(run(t, url, "SELECT current_setting('server_version_num')::int / 10000")[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// heapWay is how a small heap is read by default.
func heapWay(s *Source) string {
	if s.server.number < rangesSince {
		return "cache-safe"
	}
	return "packed"
}

// serverDatabase is a database on a server whose settings are as unlike ours
// as they can be.
func serverDatabase(t testing.TB) string {
	t.Helper()
	url := pgserver.Database(t)
	run(t, url, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Kolkata''', current_database());
		EXECUTE format('ALTER DATABASE %I SET datestyle = ''German''', current_database());
		EXECUTE format('ALTER DATABASE %I SET bytea_output = ''escape''', current_database());
		EXECUTE format('ALTER DATABASE %I SET intervalstyle = ''iso_8601''', current_database());
		EXECUTE format('ALTER DATABASE %I SET extra_float_digits = 0', current_database()); END $$`)
	return url
}
