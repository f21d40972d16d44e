package sqlite

import (
	"context"
	"errors"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/source"
	"twinrow/queries"
)

var (
	_ source.Referrer  = (*Source)(nil)
	_ source.Comparer  = (*Source)(nil)
	_ source.Timeliner = (*Source)(nil)
	_ source.KeyReader = (*Source)(nil)
)

// errNoRowid is why a question about single rows has no answer.
var errNoRowid = errors.New("the rows have no rowid by which to ask about them")

// asking settles the plan for a question about single rows, by their rowids.
func (s *Source) asking(ctx context.Context, t *source.Table) (*plan, func(), error) {
	done, err := s.interruptible(ctx)
	if err != nil {
		return nil, nil, err
	}
	p := s.plans[t]
	if p == nil {
		done()
		return nil, nil, errNotInspected
	}
	if p.way.FindsRepeats {
		done()
		return nil, nil, errNoRowid
	}
	return p, done, nil
}

// Compare compares rows pair by pair, column by column.
func (s *Source) Compare(ctx context.Context, t *source.Table, pairs [][2]uint64, visit func([]bool) error) error {
	p, done, err := s.asking(ctx, t)
	if err != nil {
		return err
	}
	defer done()
	terms := make([]string, len(p.columns))
	for i, c := range p.columns {
		terms[i] = "a." + queries.Ident(c.Name) + " IS b." + queries.Ident(c.Name)
	}
	stmt, err := s.conn.Prepare(statement("compare", "same", strings.Join(terms, ", "), "table", p.from, "rowid", p.identity[0]))
	if err != nil {
		return s.problem(ctx, "comparing rows of "+t.Name, err)
	}
	for _, pair := range pairs {
		stmt.BindInt64(1, int64(pair[0]+uint64(p.base)))
		stmt.BindInt64(2, int64(pair[1]+uint64(p.base)))
		err := each(stmt, func(stmt *sqlite.Stmt) error {
			same := make([]bool, len(terms))
			for i := range same {
				same[i] = stmt.ColumnBool(i)
			}
			return visited(visit(same))
		})
		if err != nil {
			return s.problem(ctx, "comparing rows of "+t.Name, err)
		}
	}
	return nil
}

// Timeline counts rows by the time column, read as the scan reads it.
func (s *Source) Timeline(ctx context.Context, t *source.Table, w source.Window) (source.Timeline, error) {
	out := source.Timeline{Counts: make([]int64, w.Buckets)}
	err := s.column(ctx, t, queries.Ident(t.Time), "counting the rows of "+t.Name+" by their time", func(stmt *sqlite.Stmt) error {
		if at, err := source.ParseInstant(s.readCell(stmt, 0).text); err == nil {
			out.Add(w, at.Time)
		}
		return nil
	})
	return out, err
}

// Keys hands on the keys of all rows.
func (s *Source) Keys(ctx context.Context, t *source.Table, visit func([]source.Value) error) error {
	p := s.plans[t]
	if p == nil {
		return errNotInspected
	}
	parts := make([]source.Value, len(p.key))
	return s.column(ctx, t, strings.Join(p.key, ", "), "reading the keys of "+t.Name, func(stmt *sqlite.Stmt) error {
		for i := range parts {
			parts[i] = s.readCell(stmt, i).value()
		}
		return visited(visit(parts))
	})
}

// column reads columns of all rows.
func (s *Source) column(ctx context.Context, t *source.Table, columns, doing string, visit func(*sqlite.Stmt) error) error {
	done, err := s.interruptible(ctx)
	if err != nil {
		return err
	}
	defer done()
	p := s.plans[t]
	if p == nil {
		return errNotInspected
	}
	err = run(s.conn, statement("column", "columns", columns, "table", p.from, "where", p.where), visit)
	return s.problem(ctx, doing, err)
}
