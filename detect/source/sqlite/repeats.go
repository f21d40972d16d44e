package sqlite

import (
	"context"
	"errors"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/source"
)

// keptRow is a row of a repeated key that Repeats handed out: how to find it
// again, and the number of its key.
type keptRow struct {
	identity []cell
	group    int
}

// Repeats lets SQLite sort the rows by their keys and keeps those that are
// equal to a neighbour. Its locators count the rows it kept; they hold until
// Repeats is called again for the same table.
func (s *Source) Repeats(ctx context.Context, t *source.Table, visit func([]uint64) error) (source.Count, error) {
	done, err := s.interruptible(ctx)
	if err != nil {
		return source.Count{}, err
	}
	defer done()
	p := s.plans[t]
	if p == nil {
		return source.Count{}, errNotInspected
	}
	p.kept, p.names, p.named = nil, nil, nil
	r := repeating{source: s, plan: p, visit: visit}
	if err = s.countRows(p, &r.count); err == nil {
		err = run(s.conn, p.repeatQuery(), r.row)
	}
	if err == nil {
		err = r.finish()
	}
	return r.count, s.problem(ctx, "reading "+t.Name, err)
}

func (p *plan) repeatQuery() string {
	return statement("repeats", "table", p.from, "key", strings.Join(p.key, ", "),
		"identity", strings.Join(p.identity, ", "), "where", p.where, "keep", p.keep)
}

func (s *Source) countRows(p *plan, count *source.Count) error {
	return run(s.conn, statement("counts", "table", p.from, "where", p.where, "keep", p.keep), func(stmt *sqlite.Stmt) error {
		count.Rows, count.NullKeys = stmt.ColumnInt64(0), stmt.ColumnInt64(1)
		return nil
	})
}

// repeating is one reading of a table in the order of its keys.
type repeating struct {
	source *Source
	plan   *plan
	visit  func([]uint64) error
	count  source.Count
	// group is the number of the key in hand, first its first row while no
	// second was seen, cluster the locators of its rows once one was.
	group   int
	first   []cell
	cluster []uint64
}

func (r *repeating) row(stmt *sqlite.Stmt) error {
	var identity []cell
	for i := range r.plan.identity {
		identity = append(identity, r.source.readCell(stmt, i+1))
	}
	switch group := stmt.ColumnInt(0); {
	case group < r.group:
		// The window function numbers rows as it hands them on. Were that to
		// change, equal rows would be missed, so it is checked.
		return errors.New("SQLite did not return the rows in the order of their keys")
	case group == r.group:
		if len(r.cluster) == 0 {
			r.keep(r.first)
		}
		r.keep(identity)
	default:
		if err := r.finish(); err != nil {
			return err
		}
		r.group, r.first = group, identity
	}
	return nil
}

func (r *repeating) keep(identity []cell) {
	r.cluster = append(r.cluster, uint64(len(r.plan.kept)))
	r.plan.kept = append(r.plan.kept, keptRow{identity, r.group})
}

// finish hands on the key in hand if it is repeated.
func (r *repeating) finish() error {
	if len(r.cluster) == 0 {
		return nil
	}
	err := r.visit(r.cluster)
	r.cluster = r.cluster[:0]
	return visited(err)
}
