package scan

import (
	"context"
	"fmt"
	"maps"
	"math/bits"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"twinrow/detect/casefile"
	"twinrow/detect/classify"
	"twinrow/detect/source"
	"twinrow/detect/source/postgres"
	"twinrow/detect/source/sourcetest/pgrandom"
	"twinrow/detect/source/sourcetest/pgserver"
)

// narrows are bits of a fingerprint that are kept: all, or so few that most
// rows look like others.
var narrows = []uint64{0, 0, 0xFF, 0xFF << 56, 1 << 63, 0xF00F << 40}

// chosen reads a number that `make exact` sets.
func chosen(t testing.TB, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// tablesAtOnce is how many random tables are made for one snapshot.
const tablesAtOnce = 10

// TestRandomTablesOfPostgres finds in random tables what GROUP BY finds. The
// server is so small that larger tables are read in the cache-safe way.
func TestRandomTablesOfPostgres(t *testing.T) {
	t.Parallel()
	tables, seed := chosen(t, "TWINROW_TEST_TABLES", 40), chosen(t, "TWINROW_TEST_SEED", 1)
	server := pgserver.Start(t, "shared_buffers=400kB")
	url := server.Database(t)
	x := newExact(t, url)
	for n := uint64(0); n < tables && !t.Failed(); n += tablesAtOnce {
		x.round(seed, n, min(tables-n, tablesAtOnce))
	}
	if x.groups == 0 || x.empty*2 > int(tables) {
		t.Errorf("%d groups in all, and %d of %d tables without any: that shows little", x.groups, x.empty, tables)
	}
	t.Logf("%d tables, %d groups; read the ways %v", tables, x.groups, x.ways)
	for _, kind := range pgrandom.Kinds(x.version) {
		x.covered.expect("column: " + kind.Type)
	}
	x.covered.check(t, tables)
}

// covered counts in how many random tables each trait was.
type covered map[string]int

func (c covered) add(traits ...string) {
	for _, trait := range traits {
		c[trait]++
	}
}

func (c covered) expect(traits ...string) {
	for _, trait := range traits {
		c[trait] += 0
	}
}

// check prints the counts, and has no trait missing among many tables.
func (c covered) check(t *testing.T, tables uint64) {
	t.Helper()
	for _, trait := range slices.Sorted(maps.Keys(c)) {
		t.Logf("%6d %s", c[trait], trait)
		if c[trait] == 0 && tables >= 500 {
			t.Errorf("none of %d tables had the trait %q", tables, trait)
		}
	}
}

// exact compares what a scan finds with what the database says.
type exact struct {
	t       testing.TB
	url     string
	conn    *pgx.Conn
	version int
	groups  int
	empty   int
	ways    map[string]int
	covered covered
}

func newExact(t testing.TB, url string) *exact {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	x := &exact{t: t, url: url, conn: conn, ways: map[string]int{}, covered: covered{}}
	x.sql(pgrandom.Types)
	x.version, err = strconv.Atoi(x.sql("SELECT current_setting('server_version_num')::int / 10000")[0])
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// sql runs statements and returns the first field of the last one's rows.
func (x *exact) sql(text string) []string {
	x.t.Helper()
	results, err := x.conn.PgConn().Exec(context.Background(), text).ReadAll()
	if err != nil {
		x.t.Fatalf("%v\n%.3000s", err, text)
	}
	var rows []string
	for _, row := range results[len(results)-1].Rows {
		rows = append(rows, string(row[0]))
	}
	return rows
}

// round makes some tables and scans them in one snapshot.
func (x *exact) round(seed, first, tables uint64) {
	x.t.Helper()
	var made []pgrandom.Table
	for n := first; n < first+tables; n++ {
		table := pgrandom.Make(rand.New(rand.NewPCG(seed, n)), fmt.Sprintf("r%d.t%d", first, n), x.version)
		made = append(made, table)
	}
	x.sql(fmt.Sprintf("CREATE SCHEMA r%d", first))
	for _, table := range made {
		x.sql(table.Create)
		for _, then := range table.Then {
			x.sql(then)
		}
	}
	random := rand.New(rand.NewPCG(seed, first))
	src, err := postgres.Open(context.Background(), x.url, postgres.Options{Jobs: 1 + random.IntN(3), Fast: random.IntN(2) == 0})
	if err != nil {
		x.t.Fatal(err)
	}
	for i, table := range made {
		x.scan(src, table, narrows[random.IntN(len(narrows))], seed, first+uint64(i))
	}
	if err := src.Close(); err != nil {
		x.t.Error(err)
	}
	x.sql(fmt.Sprintf("DROP SCHEMA r%d CASCADE", first))
}

func (x *exact) scan(src source.Source, table pgrandom.Table, narrow, seed, number uint64) {
	x.t.Helper()
	options := Options{Windows: classify.DefaultWindows, Memory: leastSlots * slotBytes, narrow: narrow}
	result, err := Run(context.Background(), src, []Entry{{Request: table.Request}}, options)
	if err != nil {
		x.t.Errorf("seed %d, table %d: %v\n%+v\n%.2000s", seed, number, err, table.Request, table.Create)
		return
	}
	want := x.sql(pgrandom.GroupBy(table.Request.Table, table.Request))
	slices.Sort(want)
	got := idsOf(result.Groups)
	document := result.Tables[0]
	x.ways[document.Way]++
	x.covered.add(append(table.Traits, collisions(narrow))...)
	if x.groups += len(want); len(want) == 0 {
		x.empty++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		x.t.Errorf("seed %d, table %d, read the way %s, fingerprints kept %#x: groups differ (-database +scan):\n%s\n%+v\n%.2000s",
			seed, number, document.Way, narrow, diff, table.Request, table.Create)
	}
	if rows := x.sql("SELECT count(*) FROM " + table.Request.Table + " WHERE " + orTrue(table.Request.Where))[0]; rows != fmt.Sprint(document.ScannedRows) {
		x.t.Errorf("seed %d, table %d: %d rows counted, the database has %s", seed, number, document.ScannedRows, rows)
	}
}

// collisions names what is kept of a fingerprint.
func collisions(narrow uint64) string {
	if narrow == 0 {
		return "fingerprints: whole"
	}
	return fmt.Sprintf("fingerprints: %d bits, so that keys collide", bits.OnesCount64(narrow))
}

func orTrue(predicate string) string {
	if predicate == "" {
		return "true"
	}
	return predicate + "\n"
}

// idsOf writes groups as pgrandom.GroupBy does.
func idsOf(groups []*casefile.Group) []string {
	var out []string
	for _, g := range groups {
		var ids []string
		for _, row := range g.Rows {
			ids = append(ids, *row.ID[0].Value)
		}
		slices.Sort(ids)
		out = append(out, strings.Join(ids, ","))
	}
	slices.Sort(out)
	return out
}
