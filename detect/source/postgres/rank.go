package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

var _ source.Ranker = (*Source)(nil)

// Rank has the server put rows in a person's order, inside the snapshot's own
// read-only transaction.
func (s *Source) Rank(ctx context.Context, t *source.Table, ask source.Ranking, ids [][]source.Value, visit func(source.Rank) error) error {
	r, err := s.relation(t)
	if err != nil {
		return err
	}
	sql, err := s.rankQuery(ctx, r, t, ask)
	if err != nil {
		return explain(ctx, "asking which rows of "+t.Name+" stay", err)
	}
	var ranks []source.Rank
	err = s.main.attempt(ctx, func() error {
		ranks = nil
		return s.main.stream(ctx, 0, sql, idArrays(len(t.ID), ids), func(f [][]byte) error {
			row := int(number(string(f[0]))) - 1
			if row < 0 || row >= len(ids) || len(f) != 2+len(ask.Predicates) {
				return errors.New("the server ranked a row that was not asked for")
			}
			one := source.Rank{Row: row, Place: number(string(f[1])), Holds: make([]bool, len(ask.Predicates))}
			for i := range one.Holds {
				one.Holds[i] = string(f[2+i]) == "t"
			}
			ranks = append(ranks, one)
			return nil
		})
	})
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && strings.HasPrefix(refused.Code, "22") {
		return &key.Problem{Code: key.CodeUsage, Message: "`keep` or `invariants` of " + t.Name + " cannot be worked out for every row: " + refused.Message, Hint: "write it so that it has a value for each row of a group, as with nullif or CASE"}
	}
	if err != nil {
		return explain(ctx, "asking which rows of "+t.Name+" stay", err)
	}
	for _, one := range ranks {
		if err := visit(one); err != nil {
			return err
		}
	}
	return nil
}

// rankQuery checks each piece of a person's SQL by itself, so that a mistake is
// named, and makes the statement of them.
func (s *Source) rankQuery(ctx context.Context, r *relation, t *source.Table, ask source.Ranking) (string, error) {
	terms := make([]string, len(ask.Order))
	for i, term := range ask.Order {
		sql := "(\n" + term.Text + "\n)"
		if name, err := key.ResolveColumn("column", term.Text, t.ColumnNames()); err == nil {
			sql = r.column(name)
		} else if err := s.checkPiece(ctx, r, "key_part_check", "ordering", term.Text); err != nil {
			return "", err
		}
		terms[i] = sql + term.Tail()
	}
	place, holds := "1", ""
	if len(terms) > 0 {
		place = "pg_catalog.rank() OVER (ORDER BY " + strings.Join(terms, ", ") + ")"
	}
	for _, predicate := range ask.Predicates {
		if err := s.checkPiece(ctx, r, "predicate_check", "invariant", predicate); err != nil {
			return "", err
		}
		holds += ", coalesce((\n" + predicate + "\n), false)"
	}
	asked, err := r.askedByID(t)
	return r.fill("rank_rows", "place", place, "holds", holds, "table", r.name, "asked", asked), err
}

// checkPiece is check, after which the snapshot goes on.
func (s *Source) checkPiece(ctx context.Context, r *relation, statement, what, text string) error {
	return s.main.attempt(ctx, func() error { return s.check(ctx, r, statement, what, text) })
}

// askedByID joins the table with the ids that are asked for, by their own
// types, so that an index over them serves.
func (r *relation) askedByID(t *source.Table) (string, error) {
	types := map[string]string{"ctid": "pg_catalog.tid", "tableoid": "pg_catalog.oid"}
	for _, c := range t.Columns {
		types[c.Name] = c.Type
	}
	var lists, names, on []string
	for i, id := range t.ID {
		if strings.HasSuffix(types[id], "]") {
			return "", &key.Problem{Code: key.CodeUnsupported, Message: "the id column " + id + " of " + t.Name + " is an array, by which rows cannot be asked about", Hint: "scan again with other columns as --id"}
		}
		name := "twinrow_id_" + strconv.Itoa(i)
		lists = append(lists, fmt.Sprintf("pg_catalog.unnest($%d::%s[])", i+1, types[id]))
		names = append(names, name)
		on = append(on, r.column(id)+" = twinrow_asked."+name)
	}
	return fmt.Sprintf("ROWS FROM (%s) WITH ORDINALITY AS twinrow_asked(%s, twinrow_number) ON %s",
		strings.Join(lists, ", "), strings.Join(names, ", "), strings.Join(on, " AND ")), nil
}

// idArrays writes ids as one array for each column.
func idArrays(columns int, ids [][]source.Value) []string {
	arrays := make([]string, columns)
	for c := range arrays {
		items := make([]string, len(ids))
		for i, id := range ids {
			items[i] = "NULL"
			if !id[c].Null {
				items[i] = quoteElement(id[c].Text)
			}
		}
		arrays[c] = "{" + strings.Join(items, ",") + "}"
	}
	return arrays
}
