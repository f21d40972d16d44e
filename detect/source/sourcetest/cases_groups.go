package sourcetest

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/source"
)

// checkCase loads a dataset, finds its groups and compares all there is.
func checkCase(t *testing.T, a Adapter, d Dataset, nullsEqual bool, columns ...string) found {
	t.Helper()
	src, table := open(t, a, d)
	tab := inspect(t, src, source.Request{Table: table, Key: columns, NullsEqual: nullsEqual})
	f := find(t, src, tab, 1)
	f.check(t, d, expected(d, nullsEqual, columns...))
	want := source.Count{Rows: int64(len(d.Rows))}
	if !nullsEqual {
		want.NullKeys = nullKeys(d, columns)
	}
	if diff := cmp.Diff(want, f.count); diff != "" {
		t.Errorf("count (-want +got):\n%s", diff)
	}
	return f
}

func nullKeys(d Dataset, columns []string) int64 {
	var n int64
	for _, row := range d.Rows {
		for _, c := range columns {
			if row[d.index(c)] == nil {
				n++
				break
			}
		}
	}
	return n
}

func testGroups(t *testing.T, a Adapter) {
	if f := checkCase(t, a, tickets(), false, "payment"); len(f.groups) != 3 {
		t.Errorf("found %d groups, want 3", len(f.groups))
	}
}

func testComposite(t *testing.T, a Adapter) {
	f := checkCase(t, a, tickets(), false, "payment", "number")
	if len(f.groups) != 1 || len(f.groups[0].IDs) != 3 {
		t.Errorf("found %+v, want one group of three", f.groups)
	}
	// The parts of a key must not run together: (ab, c) is not (a, bc).
	d := Dataset{Table: "parts", PrimaryKey: []string{"id"}, Columns: []Column{{"id", Integer}, {"a", Text}, {"b", Text}, {"c", Text}}, Rows: [][]*string{
		{new("1"), new("ab"), new("c"), new("")}, {new("2"), new("a"), new("bc"), new("")},
		{new("3"), new(""), new("ab"), new("c")}, {new("4"), new("ab"), new("c"), new("")},
	}}
	checkCase(t, a, d, false, "a", "b", "c")
	checkCase(t, a, d, false, "c", "b", "a")
}

func testNullsDistinct(t *testing.T, a Adapter) {
	checkCase(t, a, tickets(), false, "number", "payment")
	checkCase(t, a, single("allnull", "v", null, null, null), false, "v")
}

func testNullsEqual(t *testing.T, a Adapter) {
	if f := checkCase(t, a, tickets(), true, "payment", "number"); len(f.groups) != 4 {
		t.Errorf("found %d groups, want 4", len(f.groups))
	}
	checkCase(t, a, tickets(), true, "email")
	checkCase(t, a, single("allnull", "v", null, new(""), null, new("NULL")), true, "v")
}

func testEmpty(t *testing.T, a Adapter) {
	checkCase(t, a, single("nothing", "v"), false, "v")
	checkCase(t, a, single("nothing", "v"), true, "v")
}

func testUniqueKey(t *testing.T, a Adapter) {
	if f := checkCase(t, a, tickets(), false, "id"); len(f.groups) != 0 {
		t.Errorf("found %+v under the primary key", f.groups)
	}
	src, table := open(t, a, tickets())
	tab := inspect(t, src, source.Request{Table: table, Key: []string{"id"}})
	if !a.NoSQL && !a.NeverUnique && len(tab.UniqueBy) == 0 {
		t.Error("the primary key is not named as what makes the key unique")
	}
}

func testTimes(t *testing.T, a Adapter) {
	checkCase(t, a, tickets(), true, "amount")
	checkCase(t, a, tickets(), false, "amount", "email")
}

func testHostileValues(t *testing.T, a Adapter) {
	values := hostileTexts()
	d := single("hostile", "v", append(append([]*string{null}, values...), values...)...)
	if f := checkCase(t, a, d, false, "v"); len(f.groups) != len(values) {
		t.Errorf("found %d groups, want %d", len(f.groups), len(values))
	}
	if f := checkCase(t, a, d, true, "v"); len(f.groups) != len(values) {
		t.Errorf("found %d groups with NULLs equal, want %d", len(f.groups), len(values))
	}
}

func testHostileColumns(t *testing.T, a Adapter) {
	for _, name := range hostileNames() {
		t.Run(name, func(t *testing.T) {
			checkCase(t, a, single("hostile", name, new("x"), new("y"), new("x"), null), false, name)
		})
	}
	all := Dataset{Table: "hostile", PrimaryKey: []string{"id"}, Columns: []Column{{"id", Integer}}}
	for i := range 4 {
		all.Rows = append(all.Rows, []*string{new(strconv.Itoa(i))})
	}
	for _, name := range hostileNames() {
		all.Columns = append(all.Columns, Column{name, Text})
		for i := range all.Rows {
			all.Rows[i] = append(all.Rows[i], new(name+strconv.Itoa(i%2)))
		}
	}
	checkCase(t, a, all, false, hostileNames()...)
}

func testWide(t *testing.T, a Adapter) {
	d := Dataset{Table: "wide", PrimaryKey: []string{"id"}, Columns: []Column{{"id", Integer}}}
	for c := range 200 {
		d.Columns = append(d.Columns, Column{"c" + strconv.Itoa(c), Kind(c % 2)})
	}
	for r := range 6 {
		row := []*string{new(strconv.Itoa(r))}
		for c := range 200 {
			row = append(row, new(strconv.Itoa(c*10+r%3)))
		}
		d.Rows = append(d.Rows, row)
	}
	checkCase(t, a, d, false, "c0", "c199", "c77")
}

func testManyRows(t *testing.T, a Adapter) {
	d := many(20_000, 50)
	if f := checkCase(t, a, d, false, "event", "attempt"); len(f.groups) != 50 {
		t.Errorf("found %d groups, want 50", len(f.groups))
	}
}

func testLargeGroup(t *testing.T, a Adapter) {
	values := make([]*string, 3_000)
	for i := range values {
		values[i] = new("one of " + strconv.Itoa(min(i%1000, 1)))
	}
	checkCase(t, a, single("lumps", "v", values...), false, "v")
}
