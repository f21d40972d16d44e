package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"twinrow/detect/source"
)

// batchRows is how many candidate rows are read at once, in full.
const batchRows = 200

// Fetch settles which of the rows at the locators are equal, by the database's
// own equality, and hands on those that have an equal. First the keys alone
// are grouped, then the rows are read a batch at a time, so that a key of a
// million rows costs no more memory than a small one.
func (s *Source) Fetch(ctx context.Context, t *source.Table, locators []uint64, visit func(source.Row) error) error {
	r, err := s.relation(t)
	if err != nil || len(locators) == 0 {
		return err
	}
	f := &fetch{relation: r, table: t, visit: visit}
	var held []source.Row
	if s.server.standby { // which may have us begin again
		f.visit = func(row source.Row) error {
			held = append(held, row)
			return nil
		}
	}
	err = s.outlive(ctx, func() error {
		held = nil
		return s.main.aside(ctx, func() error { return s.fetch(ctx, f, locators) })
	})
	s.placed = true
	if f.refused != nil {
		return f.refused
	}
	if err != nil {
		return explain(ctx, "reading rows of "+t.Name, err)
	}
	for _, row := range held {
		if err := visit(row); err != nil {
			return err
		}
	}
	return nil
}

func (s *Source) fetch(ctx context.Context, f *fetch, locators []uint64) error {
	if _, err := s.main.rows(ctx, "scan_settings", "on", "off"); err != nil {
		return err
	}
	groups, err := s.groups(ctx, f.relation, locators)
	if err != nil {
		return err
	}
	return f.run(ctx, s.main, groups)
}

// groups returns the locators of each repeated key, in the table's order.
func (s *Source) groups(ctx context.Context, r *relation, locators []uint64) ([][]uint64, error) {
	if r.book != nil {
		return s.groupsByID(ctx, r, locators)
	}
	wanted := make(map[uint64]bool, len(locators))
	for _, l := range locators {
		wanted[l] = true
	}
	var groups [][]uint64
	sql := r.fill("candidates_grouped", "table", r.name)
	err := s.main.stream(ctx, 1, sql, []string{r.places(locators)}, func(fields [][]byte) error {
		var group []uint64
		for places := fields[0]; len(places) >= 10; places = places[10:] {
			// A place is asked for in every heap; what is in another was not asked for.
			base, ok := r.base(binary.BigEndian.Uint32(places))
			if l := locator(places[4:10], base); ok && wanted[l] {
				group = append(group, l)
			}
		}
		if len(group) > 1 {
			slices.Sort(group)
			groups = append(groups, group)
		}
		return nil
	})
	slices.SortFunc(groups, func(a, b []uint64) int { return slices.Compare(a, b) })
	return groups, err
}

// fetch reads the rows of groups.
type fetch struct {
	relation *relation
	table    *source.Table
	visit    func(source.Row) error
	refused  error // what visit returned
}

func (f *fetch) run(ctx context.Context, one *session, groups [][]uint64) error {
	var batch []source.Row
	for number, group := range groups {
		for _, l := range group {
			batch = append(batch, source.Row{Group: number, Locator: l})
			if len(batch) == batchRows {
				if err := f.flush(ctx, one, batch); err != nil {
					return err
				}
				batch = batch[:0]
			}
		}
	}
	return f.flush(ctx, one, batch)
}

// flush reads a batch's rows and hands them on in their order.
func (f *fetch) flush(ctx context.Context, one *session, batch []source.Row) error {
	if len(batch) == 0 {
		return nil
	}
	locators := make([]uint64, len(batch))
	places := make(map[uint64]int, len(batch))
	for i, row := range batch {
		locators[i] = row.Locator
		places[row.Locator] = i
	}
	read, err := f.read(ctx, one, locators, func(l uint64, fields [][]byte) {
		f.fill(&batch[places[l]], fields)
	})
	if err != nil {
		return err
	}
	if read != len(batch) {
		return fmt.Errorf("%d of %d rows are no longer where they were in the same snapshot", len(batch)-read, len(batch))
	}
	for _, row := range batch {
		if f.refused = f.visit(row); f.refused != nil {
			return f.refused
		}
	}
	return nil
}

// read reads the rows at the locators.
func (f *fetch) read(ctx context.Context, one *session, locators []uint64, put func(l uint64, fields [][]byte)) (read int, err error) {
	if f.relation.book != nil {
		return f.rowsByID(ctx, one, locators, put)
	}
	wanted := make(map[uint64]bool, len(locators))
	for _, l := range locators {
		wanted[l] = true
	}
	sql := f.relation.fill("candidates_rows", "table", f.relation.name, "values", f.columns())
	err = one.stream(ctx, 0, sql, []string{f.relation.places(locators)}, func(fields [][]byte) error {
		if l, ok := f.relation.locatorOf(string(fields[0]), string(fields[1])); ok && wanted[l] {
			read++
			put(l, fields[2:])
		}
		return nil
	})
	return read, err
}

// columns lists what is read of a row after its place and digest: identity,
// key, then every column, each as the server prints it.
func (f *fetch) columns() string { return strings.Join(f.list(), ", ") }

func (f *fetch) list() []string {
	var items []string
	for _, id := range f.table.ID {
		items = append(items, f.relation.idColumn(f.table, id))
	}
	for _, p := range f.relation.parts {
		items = append(items, p.sql)
	}
	for _, c := range f.table.Columns {
		items = append(items, f.relation.column(c.Name))
	}
	return items
}

// idColumn is an identifying column as SQL; the row's own place is none of the
// table's columns and is named as the server names it.
func (r *relation) idColumn(t *source.Table, id string) string {
	if slices.Contains(t.ColumnNames(), id) {
		return r.column(id)
	}
	return r.alias + "." + id
}

func (f *fetch) fill(row *source.Row, fields [][]byte) {
	row.Image = string(fields[0])
	f.fillValues(row, fields[1:])
}

// fillValues fills in what list reads.
func (f *fetch) fillValues(row *source.Row, fields [][]byte) {
	all := values(fields)
	ids, keys := len(f.table.ID), len(f.table.ID)+len(f.relation.parts)
	row.ID, row.Key, row.Values = all[:ids:ids], all[ids:keys:keys], all[keys:]
}

// values are a row's, whose texts lie in one piece of memory: of a million rows
// that makes a few million pieces less.
func values(fields [][]byte) []source.Value {
	out := make([]source.Value, len(fields))
	whole := string(bytes.Join(fields, nil))
	for i, f := range fields {
		switch {
		case f == nil:
			out[i] = source.Value{Null: true}
		case utf8.Valid(f):
			out[i] = source.Value{Text: whole[:len(f)]}
		default:
			out[i] = source.Text(f)
		}
		whole = whole[len(f):]
	}
	return out
}

// locatorOf reads a heap's OID and a place as they print, as 16411 and (0,12).
func (r *relation) locatorOf(oid, place string) (uint64, bool) {
	base, ok := r.base(oidOf(oid))
	block, line, cut := strings.Cut(strings.Trim(place, "()"), ",")
	b, blockErr := strconv.ParseUint(block, 10, 32)
	l, lineErr := strconv.ParseUint(line, 10, 16)
	return (b+uint64(base))<<16 | l, ok && cut && blockErr == nil && lineErr == nil
}
