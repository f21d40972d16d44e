package sourcetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// str makes a value; null is the other one.
func str(s string) *string { return &s }

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
	add(str("101"), str("pi_a"), str("1"), str("ada@example.com"), str("4500"), str("2025-12-19T20:11:02.12Z"))
	add(str("102"), str("pi_b"), str("1"), str("jax@example.com"), str("4500"), str("2025-12-19T22:32:47Z"))
	add(str("103"), str("pi_c"), str("1"), str("bo@example.com"), str("9000"), str("2025-12-20T09:00:00Z"))
	add(str("104"), str("pi_c"), str("2"), str("bo@example.com"), str("9000"), str("2025-12-20T09:00:00Z"))
	add(str("105"), str("pi_b"), str("1"), str("jax@example.com"), str("4500"), str("2025-12-21T17:48:05Z"))
	add(str("106"), null, str("1"), null, str("4500"), str("2025-12-22T00:00:00Z"))
	add(str("107"), null, str("1"), str(""), null, null)
	add(str("108"), null, null, str(""), str("-3"), null)
	add(str("109"), null, null, null, null, str("2025-12-24T03:20:37.914Z"))
	add(str("110"), str("pi_d"), null, str("tess@example.com"), str("0"), str("2025-12-25T03:55:59.186Z"))
	add(str("111"), str("pi_d"), null, str("tess@example.com"), str("0"), str("2025-12-25T03:55:59.2Z"))
	add(str("112"), str("pi_b"), str("1"), str("jax@example.com"), str("4501"), str("2025-12-25T03:55:59.200001Z"))
	return d
}

// single is a table of an id and one text column.
func single(table, column string, values ...*string) Dataset {
	d := Dataset{Table: table, Columns: []Column{{"id", Integer}, {column, Text}}, PrimaryKey: []string{"id"}}
	for i, v := range values {
		d.Rows = append(d.Rows, []*string{str(strconv.Itoa(i + 1)), v})
	}
	return d
}

// hostileTexts are values that break a careless reader, writer or quoter.
// No two are equal, under any collation that an adapter may choose.
func hostileTexts() []*string {
	return []*string{
		str(""), str(" "), str("NULL"), str("null value"), str(`\N`), str(`\.`), str(`\x41`), str("'"), str("''"),
		str(`"`), str(`""`), str(`"quoted"`), str("a,b"), str("a;b"), str("tab\there"), str("line\nfeed"),
		str("carriage\r\nreturn"), str("\nleading"), str("trailing\n"), str("back\\slash"), str("%s %d"), str("$1 ?1 :a"),
		str("'; drop table t; --"), str("naïve café"), str("日本語"), str("🎟️🎟"), str("\u202eright to left"),
		str("\x1b[31mred"), str("e\u0301"), str("\u00e9"), str("\ufeffbom"), str("\ufffd"), str("0"), str("0.0"), str("1e400"),
		str(strings.Repeat("long ", 2000)), str(strings.Repeat("long ", 2000) + "x"),
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
		d.Rows = append(d.Rows, []*string{str(strconv.Itoa(len(d.Rows) + 1)), str(fmt.Sprintf("evt_%08x", key*2654435761)), str(strconv.Itoa(key % 7))})
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
