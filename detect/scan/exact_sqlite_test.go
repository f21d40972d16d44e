package scan

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"twinrow/detect/classify"
	"twinrow/detect/source"
	"twinrow/detect/source/sqlite"
)

// liteValues are what SQLite keeps apart or calls equal in its own ways, as SQL.
var liteValues = []string{
	"NULL", "1", "1.0", "'1'", "x'31'", "'1.0'", "0", "-0.0", "'abc'", "'ABC'", "'abc '", "x'616263'", "'äbc'", "'Äbc'", "''", "x''",
	"9007199254740993", "9007199254740992.0", "9007199254740992", "9223372036854775807", "9223372036854775808.0", "-9223372036854775808", "9e999", "-9e999",
	"'a' || char(0) || 'b'", "'a' || char(0) || 'B'", "'2025-12-24 03:20:37'", "'2025-12-24T03:20:37Z'", "1766546437", "1766546437000", "'1766546437'", "'1e3'", "1000", "' 1'", "0.1 + 0.2", "0.3", "CAST(x'80' AS TEXT)", "x'80'",
}

var (
	liteTypes      = []string{"", "TEXT", "INT", "INTEGER", "REAL", "NUMERIC", "BLOB", "VARCHAR(3)", "BOOLEAN", "DATETIME"}
	liteCollations = []string{"", "", "COLLATE NOCASE", "COLLATE RTRIM", "COLLATE BINARY"}
	liteExprs      = []string{"lower(%s)", "(%s COLLATE NOCASE)", "(%s COLLATE RTRIM)", "(%s COLLATE BINARY)", "typeof(%s)", "%s || ''", "%s + 0", "coalesce(%s, 'none')", "(%s -- to the end\n)", "(%s IS NULL)", "substr(%s, 1, 1)"}
	liteForms      = []string{"CREATE TABLE t (id INTEGER PRIMARY KEY, %s)", "CREATE TABLE t (id INT PRIMARY KEY, %s) WITHOUT ROWID", "CREATE TABLE t (id INT, %s)", "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, %s, g AS (id + 1))"}
)

// liteTable is a random table and what to look for in it.
func liteTable(random *rand.Rand) (script []string, req source.Request, traits []string) {
	var columns, names []string
	for i := range 1 + random.IntN(9) {
		typ, collation := pick(random, liteTypes), pick(random, liteCollations)
		names = append(names, fmt.Sprintf("c%d", i))
		columns = append(columns, strings.Join([]string{names[i], typ, collation}, " "))
		traits = append(traits, "type: "+typ, "collation: "+collation)
	}
	form, mode := pick(random, liteForms), pick(random, []string{"DELETE", "WAL"})
	script = []string{fmt.Sprintf(form, strings.Join(columns, ", "))}
	traits = append(traits, "form: "+form, "journal: "+mode)
	rows, fresh := random.IntN(300), []float64{0, 0.5, 0.95}[random.IntN(3)]
	first := []int64{0, -100, 1 << 47, 1 << 60}[random.IntN(4)] // where ids begin; some are too large to be locators
	for i := range rows {
		fields := []string{fmt.Sprint(first + int64(i) + 1)}
		if i == 0 && random.IntN(4) == 0 {
			fields[0] = fmt.Sprint(-(int64(1) << 50)) // far from the others
		}
		for range names {
			field := pick(random, liteValues)
			if random.Float64() < fresh {
				field = []string{fmt.Sprintf("'t%d'", i), fmt.Sprint(i + 10), fmt.Sprintf("%d.5", i)}[random.IntN(3)]
			}
			fields = append(fields, field)
		}
		script = append(script, "INSERT INTO t (id, "+strings.Join(names, ", ")+") VALUES ("+strings.Join(fields, ", ")+")")
	}
	if random.IntN(2) == 0 {
		script = append(script, "DELETE FROM t WHERE id % 7 = 3", "CREATE INDEX i ON t ("+names[0]+")", "ANALYZE")
	}
	req = source.Request{Table: "t", ID: []string{"id"}, NullsEqual: random.IntN(2) == 0}
	for _, i := range random.Perm(len(names))[:1+random.IntN(min(8, len(names)))] {
		part := names[i]
		if random.IntN(4) == 0 {
			part = fmt.Sprintf(pick(random, liteExprs), part)
			traits = append(traits, "key: an expression")
		}
		req.Key = append(req.Key, part)
	}
	req.Where = []string{"", "", "id % 3 <> 0 -- to the end", "c0 IS NOT NULL OR id < 50 /* ) */"}[random.IntN(4)]
	if req.Where != "" {
		traits = append(traits, "key: a predicate")
	}
	traits = append(traits, fmt.Sprintf("key: %d parts", len(req.Key)), fmt.Sprintf("NULLs equal: %v", req.NullsEqual))
	return append([]string{"PRAGMA journal_mode = " + mode}, script...), req, slices.Compact(slices.Sorted(slices.Values(traits)))
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

// liteGroupBy is what SQLite itself groups, as idsOf writes it.
func liteGroupBy(t *testing.T, conn *zombiezen.Conn, req source.Request) []string {
	t.Helper()
	known := []string{"1"}
	for _, p := range req.Key {
		if !req.NullsEqual {
			known = append(known, "("+p+"\n) IS NOT NULL")
		}
	}
	// The keys stand in GROUP BY itself: what a sub-select hands on may have
	// lost its collation.
	sql := fmt.Sprintf("SELECT group_concat(id) FROM t NOT INDEXED WHERE (%s\n) AND %s GROUP BY %s\n HAVING count(*) > 1",
		orTrue(req.Where), strings.Join(known, " AND "), strings.Join(req.Key, "\n, "))
	var out []string
	if err := sqlitex.ExecuteTransient(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(stmt *zombiezen.Stmt) error {
		ids := strings.Split(stmt.ColumnText(0), ",")
		slices.Sort(ids)
		out = append(out, strings.Join(ids, ","))
		return nil
	}}); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	slices.Sort(out)
	return out
}

// TestRandomTablesOfSQLite finds in random tables what GROUP BY finds.
func TestRandomTablesOfSQLite(t *testing.T) {
	t.Parallel()
	tables, seed := chosen(t, "TWINROW_TEST_TABLES", 60), chosen(t, "TWINROW_TEST_SEED", 1)
	groups, ways, covered := 0, map[string]int{}, covered{}
	for n := uint64(0); n < tables && !t.Failed(); n++ {
		random := rand.New(rand.NewPCG(seed, n))
		script, req, traits := liteTable(random)
		path := filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", n))
		conn, err := zombiezen.OpenConn(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA synchronous = off", nil); err != nil {
			t.Fatal(err)
		}
		if err := sqlitex.ExecuteTransient(conn, script[0], nil); err != nil {
			t.Fatal(err)
		}
		script = script[1:]
		if err := sqlitex.ExecuteScript(conn, strings.Join(script, ";\n")+";", nil); err != nil {
			t.Fatalf("seed %d, table %d: %v\n%s", seed, n, err, script[0])
		}
		want := liteGroupBy(t, conn, req)
		src, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		narrow := pick(random, narrows)
		result, err := Run(t.Context(), src, []Entry{{Request: req}}, Options{Windows: classify.DefaultWindows, Memory: leastSlots * slotBytes, narrow: narrow})
		if err != nil {
			t.Fatalf("seed %d, table %d: %v\n%s\n%+v", seed, n, err, script[0], req)
		}
		ways[result.Tables[0].Way]++
		covered.add(append(traits, collisions(narrow))...)
		groups += len(want)
		if diff := cmp.Diff(want, idsOf(result.Groups)); diff != "" {
			t.Errorf("seed %d, table %d, fingerprints kept %#x: groups differ (-SQLite +scan):\n%s\n%+v\n%.3000s", seed, n, narrow, diff, req, strings.Join(script, "\n"))
		}
		for _, err := range []error{src.Close(), conn.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	}
	if groups == 0 {
		t.Error("no group in any table: that shows nothing")
	}
	t.Logf("%d tables, %d groups; read the ways %v", tables, groups, ways)
	covered.check(t, tables)
}
