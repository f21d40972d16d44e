package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/detect/source"
	"twinrow/queries"
)

// pairsAtOnce is how many pairs of rows are compared by one statement.
const pairsAtOnce = 2000

// bare is a column as a statement's {column}: quoted, without the table.
func (r *relation) bare(column string) string { return queries.Ident(column) }

// Compare compares rows pair by pair, column by column. A column of a type
// without an equality, as json, is compared by its text.
func (s *Source) Compare(ctx context.Context, t *source.Table, pairs [][2]uint64, visit func([]bool) error) error {
	r, err := s.relation(t)
	if err != nil || len(pairs) == 0 {
		return err
	}
	var terms []string
	if err := s.outlive(ctx, func() (err error) {
		terms, err = s.sameTerms(ctx, r, t)
		return err
	}); err != nil {
		return explain(ctx, "comparing rows of "+t.Name, err)
	}
	sql, arguments := r.fill("evidence_compare", "table", r.name, "same", strings.Join(terms, ", ")), r.pairPlaces
	if r.book != nil {
		sql, arguments = r.fillIDs("evidence_compare_ids", "pairs", r.pairs(), "same", strings.Join(terms, ", ")), r.book.pairsByID
	}
	for len(pairs) > 0 {
		n := min(pairsAtOnce, len(pairs))
		var results [][]bool
		err := s.steady(ctx, func() (err error) {
			results, err = s.comparePairs(ctx, sql, arguments(pairs[:n]), n, len(terms))
			return err
		})
		if err != nil {
			return explain(ctx, "comparing rows of "+t.Name, err)
		}
		for _, same := range results {
			if err := visit(same); err != nil {
				return err
			}
		}
		pairs = pairs[n:]
	}
	return nil
}

func (s *Source) comparePairs(ctx context.Context, sql string, arguments []string, pairs, columns int) ([][]bool, error) {
	results := make([][]bool, pairs)
	read := 0
	err := s.main.stream(ctx, 0, sql, arguments, func(f [][]byte) error {
		i := number(string(f[0])) - 1
		if i < 0 || int(i) >= len(results) || len(f) != columns+1 {
			return errors.New("the server answered a comparison that was not asked for")
		}
		same := make([]bool, columns)
		for c := range same {
			same[c] = string(f[c+1]) == "t"
		}
		results[i] = same
		read++
		return nil
	})
	if err == nil && read != pairs {
		err = fmt.Errorf("%d of %d rows are no longer where they were in the same snapshot", pairs-read, pairs)
	}
	return results, err
}

// pairPlaces are the heaps and places of the pairs as four arrays.
func (r *relation) pairPlaces(pairs [][2]uint64) []string {
	var args []string
	for side := range 2 {
		heaps := make([]string, len(pairs))
		locators := make([]uint64, len(pairs))
		for i, p := range pairs {
			locators[i] = p[side]
			heaps[i] = fmt.Sprint(r.heapOf(p[side]).oid)
		}
		args = append(args, "{"+strings.Join(heaps, ",")+"}", r.places(locators))
	}
	return args
}

// sameTerms is the comparison of each column as SQL.
func (s *Source) sameTerms(ctx context.Context, r *relation, t *source.Table) ([]string, error) {
	terms := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		column, cast := queries.Ident(c.Name), ""
		err := s.main.attempt(ctx, func() error {
			_, err := s.main.types(ctx, r.fill("evidence_comparable", "table", r.name, "column", column))
			return err
		})
		if refused, ok := errors.AsType[*pgconn.PgError](err); ok && strings.HasPrefix(refused.Code, "42") {
			cast = "::text"
		} else if err != nil {
			return nil, err
		}
		terms[i] = fmt.Sprintf("twinrow_a.%[1]s%[2]s IS NOT DISTINCT FROM twinrow_b.%[1]s%[2]s", column, cast)
	}
	return terms, nil
}
