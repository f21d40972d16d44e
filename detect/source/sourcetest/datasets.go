package sourcetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// null is the value that is none; new("text") makes the others.
var null *string

// tickets is the small table most cases use: four repeated keys, one of them
// three times, an innocent composite (one order, two tickets) and NULLs.
func tickets() Dataset {
	d := Dataset{
		Table: "tickets",
		Columns: []Column{
			{"id", Integer}, {"payment", Text}, {"number", Integer},
			{"email", Text}, {"amount", Integer}, {"created_at", Time},
		},
		PrimaryKey: []string{"id"},
	}
	add := func(id, payment, number, email, amount, at *string) {
		d.Rows = append(d.Rows, []*string{id, payment, number, email, amount, at})
	}
	add(new("101"), new("pi_a"), new("1"), new("ada@example.com"), new("4500"), new("2025-12-19T20:11:02.12Z"))
	add(new("102"), new("pi_b"), new("1"), new("jax@example.com"), new("4500"), new("2025-12-19T22:32:47Z"))
	add(new("103"), new("pi_c"), new("1"), new("bo@example.com"), new("9000"), new("2025-12-20T09:00:00Z"))
	add(new("104"), new("pi_c"), new("2"), new("bo@example.com"), new("9000"), new("2025-12-20T09:00:00Z"))
	add(new("105"), new("pi_b"), new("1"), new("jax@example.com"), new("4500"), new("2025-12-21T17:48:05Z"))
	add(new("106"), null, new("1"), null, new("4500"), new("2025-12-22T00:00:00Z"))
	add(new("107"), null, new("1"), new(""), null, null)
	add(new("108"), null, null, new(""), new("-3"), null)
	add(new("109"), null, null, null, null, new("2025-12-24T03:20:37.914Z"))
	add(new("110"), new("pi_d"), null, new("tess@example.com"), new("0"), new("2025-12-25T03:55:59.186Z"))
	add(new("111"), new("pi_d"), null, new("tess@example.com"), new("0"), new("2025-12-25T03:55:59.2Z"))
	add(new("112"), new("pi_b"), new("1"), new("jax@example.com"), new("4501"), new("2025-12-25T03:55:59.200001Z"))
	return d
}

// single is a table of an id and one text column.
func single(table, column string, values ...*string) Dataset {
	d := Dataset{Table: table, Columns: []Column{{"id", Integer}, {column, Text}}, PrimaryKey: []string{"id"}}
	for i, v := range values {
		d.Rows = append(d.Rows, []*string{new(strconv.Itoa(i + 1)), v})
	}
	return d
}

// hostileTexts are values that break a careless reader, writer or quoter.
// No two are equal, under any collation that an adapter may choose.
func hostileTexts() []*string {
	return []*string{
		new(""), new(" "), new("NULL"), new("null value"), new(`\N`), new(`\.`), new(`\x41`), new("'"), new("''"),
		new(`"`), new(`""`), new(`"quoted"`), new("a,b"), new("a;b"), new("tab\there"), new("line\nfeed"),
		new("carriage\r\nreturn"), new("\nleading"), new("trailing\n"), new("back\\slash"), new("%s %d"), new("$1 ?1 :a"),
		new("'; drop table t; --"), new("naïve café"), new("日本語"), new("🎟️🎟"), new("\u202eright to left"),
		new("\x1b[31mred"), new("e\u0301"), new("\u00e9"), new("\ufeffbom"), new("\ufffd"), new("0"), new("0.0"), new("1e400"),
		new(strings.Repeat("long ", 2000)), new(strings.Repeat("long ", 2000) + "x"),
	}
}

// hostileNames are column names that break a careless quoter.
func hostileNames() []string {
	return []string{
		`"; drop table x; --`, `a"b`, "it's", "a b", "a,b", "select", "ünï", "$1", "?", "%s", `back\slash`, "a.b", "line\nfeed", "(x)", "1",
	}
}

// many is n rows of distinct keys, of which the first groups keys occur
// again, the i-th of them (i%3)+1 more times, scattered over the table.
func many(n, groups int) Dataset {
	d := Dataset{
		Table:      "events",
		Columns:    []Column{{"id", Integer}, {"event", Text}, {"attempt", Integer}},
		PrimaryKey: []string{"id"},
	}
	add := func(key int) {
		d.Rows = append(d.Rows, []*string{new(strconv.Itoa(len(d.Rows) + 1)), new(fmt.Sprintf("evt_%08x", key*2654435761)), new(strconv.Itoa(key % 7))})
	}
	var again []int
	for key := range groups {
		again = append(again, slices.Repeat([]int{key}, key%3+1)...)
	}
	step := n / (len(again) + 1)
	for i := range n {
		add(i)
		if at := i / step; i%step == step-1 && at < len(again) {
			add(again[at])
		}
	}
	return d
}
