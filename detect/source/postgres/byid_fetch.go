package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"twinrow/detect/source"
	"twinrow/queries"
)

// groupsByID returns the locators of each repeated key.
func (s *Source) groupsByID(ctx context.Context, r *relation, locators []uint64) ([][]uint64, error) {
	var groups [][]uint64
	err := s.main.stream(ctx, 1, r.fillIDs("candidates_grouped_ids"), r.book.twice(locators), func(fields [][]byte) error {
		var group []uint64
		for numbers := fields[0]; len(numbers) >= 8; numbers = numbers[8:] {
			l, err := askedFor(locators, int64(binary.BigEndian.Uint64(numbers)))
			if err != nil {
				return err
			}
			group = append(group, l)
		}
		slices.Sort(group)
		groups = append(groups, group)
		return nil
	})
	slices.SortFunc(groups, func(a, b []uint64) int { return slices.Compare(a, b) })
	return groups, err
}

// askedFor is the locator with a number, from 1, that the server gave back.
func askedFor(locators []uint64, n int64) (uint64, error) {
	if n < 1 || n > int64(len(locators)) {
		return 0, fmt.Errorf("the server answered with row %d of %d", n, len(locators))
	}
	return locators[n-1], nil
}

// rowsByID reads the rows at the locators, each once.
func (f *fetch) rowsByID(ctx context.Context, one *session, locators []uint64, put func(l uint64, fields [][]byte)) (read int, err error) {
	r := f.relation
	seen := map[uint64]bool{}
	sql := r.fillIDs("candidates_rows_ids", "values", f.columns())
	err = one.stream(ctx, 0, sql, r.book.twice(locators), func(fields [][]byte) error {
		l, err := askedFor(locators, number(string(fields[0])))
		if err != nil {
			return err
		}
		if seen[l] {
			return r.book.notUnique(r.book.lines[l-1].id)
		}
		seen[l] = true
		put(l, fields[1+len(r.book.columns):])
		return nil
	})
	return len(seen), err
}

// referencesByID is References for rows without a place.
func (s *Source) referencesByID(ctx context.Context, r *relation, k source.ForeignKey, locators []uint64, visit func(uint64, int64) error) error {
	terms := make([]string, len(k.Columns))
	for i := range k.Columns {
		terms[i] = fmt.Sprintf("twinrow_child.%s = k.%s", queries.Ident(k.Columns[i]), queries.Ident(k.References[i]))
	}
	sql := r.fillIDs("evidence_references_ids", "child", k.Table, "on", strings.Join(terms, " AND "))
	return s.main.stream(ctx, 0, sql, r.book.twice(locators), func(fields [][]byte) error {
		l, err := askedFor(locators, number(string(fields[0])))
		if err != nil {
			return err
		}
		return visit(l, number(string(fields[1])))
	})
}

// pairsByID are a comparison's arguments: all ids, then those of both sides.
func (b *book) pairsByID(pairs [][2]uint64) []string {
	sides := [2][]uint64{}
	for _, p := range pairs {
		sides[0], sides[1] = append(sides[0], p[0]), append(sides[1], p[1])
	}
	all := b.arrays(slices.Concat(sides[0], sides[1]))
	return slices.Concat(all, b.arrays(sides[0]), b.arrays(sides[1]))
}
