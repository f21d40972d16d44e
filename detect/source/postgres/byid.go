package postgres

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// book holds the candidate rows of a relation whose rows have no place in
// this server: those of views, of foreign tables and of what holds one. A row
// is found again by its id; its locator is its line in the book, from 1.
type book struct {
	columns []string // the id columns
	types   []string // theirs
	lines   []line
	byID    map[string]uint64 // locators
	// there is true where every other server works fingerprints out as we do.
	there bool
}

// line is one candidate row.
type line struct {
	id   []string // as text, in the order of the columns
	hash uint64
}

// keepBook has the relation's rows found by the table's id columns.
func (r *relation) keepBook(t *source.Table) error {
	if len(t.ID) == 0 {
		return &key.Problem{
			Code: key.CodeUsage, Message: fmt.Sprintf("%s is %s, whose rows have no place by which to find them again", r.name, r.kind()),
			Hint: "name the columns that tell its rows apart with --id",
		}
	}
	r.book = &book{columns: t.ID, byID: map[string]uint64{}}
	for _, id := range t.ID {
		for _, c := range t.Columns {
			if c.Name == id {
				r.book.types = append(r.book.types, c.Type)
			}
		}
	}
	for i, typ := range r.book.types {
		if strings.HasSuffix(typ, "]") {
			return &key.Problem{Code: key.CodeUnsupported, Message: "the id column " + t.ID[i] + " is an array, by which rows of " + r.name + " cannot be found", Hint: "name other columns with --id"}
		}
	}
	return nil
}

// add notes a candidate row and returns its locator. fresh are the ids of the
// same reading: a second row with one of them cannot be told from the first.
func (b *book) add(id []string, hash uint64, fresh map[uint64]bool) (uint64, error) {
	name := strings.Join(id, "\x00")
	l, known := b.byID[name]
	if known && (fresh[l] || b.lines[l-1].hash != hash) {
		return 0, b.notUnique(id)
	}
	if !known {
		b.lines = append(b.lines, line{id, hash})
		l = uint64(len(b.lines))
		b.byID[name] = l
	}
	fresh[l] = true
	return l, nil
}

func (b *book) notUnique(id []string) error {
	return &key.Problem{
		Code:    key.CodeUsage,
		Message: fmt.Sprintf("several rows have the id (%s) = (%s), so they cannot be told apart", strings.Join(b.columns, ", "), strings.Join(id, ", ")),
		Hint:    "name columns that are unique together with --id",
	}
}

// ids is the id as columns of a sub-select, as text.
func (r *relation) ids() string {
	items := make([]string, len(r.book.columns))
	for i, c := range r.book.columns {
		items[i] = fmt.Sprintf("%s::text AS twinrow_id_%d", r.column(c), i)
	}
	return strings.Join(items, ", ")
}

// here is the condition that picks rows by id, in a form that postgres_fdw
// hands on to the rows' own server. Of ids of several columns it lets through
// more than was asked for.
func (r *relation) here() string {
	terms := make([]string, len(r.book.columns))
	for i, c := range r.book.columns {
		terms[i] = fmt.Sprintf("%s = ANY ($%d::%s[])", r.column(c), i+1, r.book.types[i])
	}
	return strings.Join(terms, " AND ")
}

// asked is what was asked for, with how it joins with k. The arrays' numbers
// begin behind those of here.
func (r *relation) asked() string {
	n := len(r.book.columns)
	lists, names, on := make([]string, n), make([]string, n), make([]string, n)
	for i := range n {
		lists[i] = fmt.Sprintf("pg_catalog.unnest($%d::text[])", n+i+1)
		names[i] = "id_" + strconv.Itoa(i)
		on[i] = fmt.Sprintf("k.twinrow_id_%d = twinrow_asked.id_%[1]d", i)
	}
	return fmt.Sprintf("ROWS FROM (%s) WITH ORDINALITY AS twinrow_asked(%s, number) ON %s",
		strings.Join(lists, ", "), strings.Join(names, ", "), strings.Join(on, " AND "))
}

// pairs joins pairs of ids with the rows of both sides.
func (r *relation) pairs() string {
	n := len(r.book.columns)
	var lists, names, a, b []string
	for side := range 2 {
		for i := range n {
			lists = append(lists, fmt.Sprintf("pg_catalog.unnest($%d::text[])", n*(side+1)+i+1))
			names = append(names, fmt.Sprintf("id_%d_%d", side, i))
		}
	}
	for i := range n {
		a = append(a, fmt.Sprintf("twinrow_a.twinrow_id_%d = twinrow_asked.id_0_%[1]d", i))
		b = append(b, fmt.Sprintf("twinrow_b.twinrow_id_%d = twinrow_asked.id_1_%[1]d", i))
	}
	return fmt.Sprintf("ROWS FROM (%s) WITH ORDINALITY AS twinrow_asked(%s, number)\nJOIN twinrow_rows AS twinrow_a ON %s\nJOIN twinrow_rows AS twinrow_b ON %s",
		strings.Join(lists, ", "), strings.Join(names, ", "), strings.Join(a, " AND "), strings.Join(b, " AND "))
}

// arrays are the ids at the locators, an array a column.
func (b *book) arrays(locators []uint64) []string {
	out := make([]string, len(b.columns))
	for i := range out {
		var list strings.Builder
		list.WriteByte('{')
		for n, l := range locators {
			if n > 0 {
				list.WriteByte(',')
			}
			list.WriteString(quoteElement(b.lines[l-1].id[i]))
		}
		list.WriteByte('}')
		out[i] = list.String()
	}
	return out
}

var arrayEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// quoteElement writes a text as an element of an array's text.
func quoteElement(text string) string { return `"` + arrayEscapes.Replace(text) + `"` }

// twice are the arrays of here and of asked.
func (b *book) twice(locators []uint64) []string {
	arrays := b.arrays(locators)
	return append(arrays, arrays...)
}

// fillIDs fills a statement about rows that are found by their ids.
func (r *relation) fillIDs(name string, more ...string) string {
	return r.fill(name, append([]string{"table", r.name, "ids", r.ids(), "here", r.here(), "asked", r.asked(), "hash", r.hashAnywhere(), "readable", cmp.Or(r.readable, r.alias+".*")}, more...)...)
}
