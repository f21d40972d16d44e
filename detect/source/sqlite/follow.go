package sqlite

import (
	"context"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/source"
	"twinrow/queries"
)

// feed looks at the newest rows of a table, each time on a connection of its
// own, so that a file put in the place of the old one is seen.
type feed struct {
	path  string
	busy  time.Duration
	utf16 bool
	name  string
	plan  plan
	// newest and groups are statements; groups takes the mark, whole has no
	// lower bound.
	newest, groups, whole string
	slow                  []string
}

var _ source.Follower = (*Source)(nil)

// Follow prepares to look at the rows whose column is at or above a mark.
func (s *Source) Follow(ctx context.Context, t *source.Table, column string) (source.Feed, error) {
	done, err := s.interruptible(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	p := s.plans[t]
	if p == nil {
		return nil, errNotInspected
	}
	f := &feed{path: s.path, busy: s.busy, utf16: s.utf16, name: t.Name, plan: *p}
	f.plan.way.FindsRepeats = false // rows are read where they are, none is kept
	marked := queries.Ident(column)
	f.newest = statement("watch_newest", "table", p.from, "column", marked)
	f.groups, f.whole = f.statement(marked+" >= ?1"), f.statement("1")
	for _, look := range []struct{ condition, says string }{
		{marked + " >= ?1", "no index begins with " + column + ", so each look reads the whole table to find the new rows"},
		{p.same("?1"), "no index begins with the key, so each new row is compared with the whole table"},
	} {
		scans, err := s.scans("SELECT 1 FROM " + p.from + " WHERE " + look.condition)
		if err != nil {
			return nil, s.problem(ctx, "preparing to follow "+t.Name, err)
		}
		if scans {
			f.slow = append(f.slow, look.says)
		}
	}
	return f, nil
}

// scans tells whether SQLite would read the whole table for a statement.
func (s *Source) scans(query string) (bool, error) {
	found := false
	err := run(s.conn, "EXPLAIN QUERY PLAN "+query, func(stmt *sqlite.Stmt) error {
		found = found || strings.HasPrefix(stmt.ColumnText(3), "SCAN")
		return nil
	})
	return found, err
}

// same compares the key with the columns twinrow_0 and so on, or each part
// with one and the same value.
func (p *plan) same(value string) string {
	terms := make([]string, len(p.key))
	for i, sql := range p.key {
		other := value
		if other == "" {
			other = partName(i)
		}
		terms[i] = sql + map[bool]string{false: " = ", true: " IS "}[p.nullsEqual] + other
	}
	return strings.Join(terms, " AND ")
}

func partName(i int) string { return "twinrow_" + strconv.Itoa(i) }

func (f *feed) statement(recent string) string {
	p := &f.plan
	parts := make([]string, len(p.key))
	for i, sql := range p.key {
		parts[i] = sql + " AS " + partName(i)
	}
	identity := "0"
	if p.byRowid {
		identity = p.identity[0]
	}
	return statement("watch_groups", "table", p.from, "key", strings.Join(parts, ", "), "same", p.same(""),
		"recent", recent, "where", p.where, "keep", p.keep, "identity", identity, "columns", p.selected())
}

// Newest returns the value that lies so many rows under the greatest.
func (f *feed) Newest(ctx context.Context, below int) (source.Mark, error) {
	var mark source.Mark
	err := f.ask(ctx, f.newest, func(stmt *sqlite.Stmt) { stmt.BindInt64(1, int64(below)) }, func(s *Source, stmt *sqlite.Stmt) error {
		c := s.readCell(stmt, 0)
		mark = source.Mark{Type: c.kind.String(), Text: c.text}
		return nil
	})
	return mark, err
}

// cellOf is a mark as the value that it was read as. One that a person wrote
// is text, which SQLite turns into a number beside a column of numbers.
func cellOf(m source.Mark) cell {
	c := cell{kind: sqlite.TypeText, text: m.Text}
	switch m.Type {
	case sqlite.TypeInteger.String():
		c.kind = sqlite.TypeInteger
		c.integer, _ = strconv.ParseInt(m.Text, 10, 64) // SQLite printed it
	case sqlite.TypeFloat.String():
		c.kind = sqlite.TypeFloat
		c.real, _ = strconv.ParseFloat(m.Text, 64)
	case sqlite.TypeBlob.String():
		c.kind = sqlite.TypeBlob
	}
	return c
}

// Groups hands on the rows of every repeated key among the rows from the mark on.
func (f *feed) Groups(ctx context.Context, from source.Mark, visit func(source.Row) error) error {
	query, bind := f.groups, func(stmt *sqlite.Stmt) { cellOf(from).bind(stmt, 1) }
	if from == (source.Mark{}) {
		query, bind = f.whole, func(*sqlite.Stmt) {}
	}
	var group []source.Row
	flush := func() error {
		for _, row := range group {
			if len(group) == 1 {
				break
			}
			if err := visit(row); err != nil {
				return err
			}
		}
		group = group[:0]
		return nil
	}
	err := f.ask(ctx, query, bind, func(s *Source, stmt *sqlite.Stmt) error {
		number := stmt.ColumnInt(0)
		if len(group) > 0 && group[0].Group != number {
			if err := flush(); err != nil {
				return visited(err)
			}
		}
		if len(group) == source.MostOfGroup {
			return nil
		}
		row, err := s.newRow(&f.plan, stmt)
		group = append(group, row)
		return err
	})
	if err != nil {
		return err
	}
	return flush()
}

// newRow reads the row of a statement of watch_groups.
func (s *Source) newRow(p *plan, stmt *sqlite.Stmt) (source.Row, error) {
	var cells []cell
	for i := 2; i < stmt.ColumnCount(); i++ {
		cells = append(cells, s.readCell(stmt, i))
	}
	row, err := s.row(p, wanted{uint64(stmt.ColumnInt64(1)) - uint64(p.base), stmt.ColumnInt(0)}, cells)
	row.Locator, row.Image = 0, ""
	return row, err
}

// Slow says what no index helps with.
func (f *feed) Slow() []string { return f.slow }

// Close does nothing: no connection outlives a look.
func (f *feed) Close() error { return nil }

// ask runs one statement on a connection of its own.
func (f *feed) ask(ctx context.Context, query string, bind func(*sqlite.Stmt), visit func(*Source, *sqlite.Stmt) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := checkPath(f.path); err != nil {
		return err
	}
	conn, err := connect(f.path)
	if err != nil {
		return err
	}
	defer conn.Close()
	asking := &Source{conn: conn, path: f.path, utf16: f.utf16}
	conn.SetBusyTimeout(f.busy)
	conn.SetInterrupt(ctx.Done())
	defer conn.SetInterrupt(nil)
	stmt, err := conn.Prepare(query)
	if err == nil {
		bind(stmt)
		err = each(stmt, func(stmt *sqlite.Stmt) error { return visit(asking, stmt) })
	}
	return asking.problem(ctx, "looking at the new rows of "+f.name, err)
}
