package sqlite

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/source"
	"twinrow/queries"
)

var _ source.Cataloguer = (*Source)(nil)

// Catalogue reads the catalogue, and the statistics where ANALYZE ever ran.
// Without them neither rows nor shares are known.
func (s *Source) Catalogue(ctx context.Context) ([]source.CatalogueTable, error) {
	done, err := s.interruptible(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	c := catalogue{place: map[string]int{}}
	err = run(s.conn, queries.SQLite("suspect_columns"), c.column)
	if err == nil {
		c.primaryKeys()
		err = run(s.conn, queries.SQLite("suspect_indexes"), c.index)
	}
	if err == nil && s.analyzed() {
		err = run(s.conn, queries.SQLite("suspect_stat"), c.stat)
	}
	if err != nil {
		return nil, s.problem(ctx, "reading the catalogue", err)
	}
	return c.tables, nil
}

// analyzed tells whether there are statistics.
func (s *Source) analyzed() bool {
	all, err := s.tables()
	return err == nil && slices.ContainsFunc(all, func(e entry) bool { return e.name == "sqlite_stat1" })
}

// catalogue is put together row by row.
type catalogue struct {
	tables []source.CatalogueTable
	place  map[string]int
	// keys are the columns of each table's primary key, in its order.
	keys map[string]map[int]string
}

func (c *catalogue) column(stmt *sqlite.Stmt) error {
	table := stmt.ColumnText(0)
	if internal(table) {
		return nil
	}
	at, ok := c.place[table]
	if !ok {
		at = len(c.tables)
		c.place[table] = at
		c.tables = append(c.tables, source.CatalogueTable{Name: table, Bare: table, Rows: -1})
	}
	t := &c.tables[at]
	t.Columns = append(t.Columns, source.CatalogueColumn{
		Name: stmt.ColumnText(1), Type: strings.ToLower(stmt.ColumnText(2)), NotNull: stmt.ColumnBool(3), Refers: stmt.ColumnText(5), Distinct: -1, Nulls: -1,
	})
	if place := stmt.ColumnInt(4); place > 0 {
		if c.keys == nil {
			c.keys = map[string]map[int]string{}
		}
		if c.keys[table] == nil {
			c.keys[table] = map[int]string{}
		}
		c.keys[table][place] = stmt.ColumnText(1)
	}
	return nil
}

// primaryKeys adds those of one integer column, which need no index; the
// others are in the list of indexes, but twice do no harm.
func (c *catalogue) primaryKeys() {
	for table, columns := range c.keys {
		if len(columns) != 1 {
			continue
		}
		t := &c.tables[c.place[table]]
		t.Indexes = append(t.Indexes, source.CatalogueIndex{
			Name: "primary key", Parts: []source.CataloguePart{{Text: columns[1]}}, Primary: true, Valid: true, Enforces: true,
		})
	}
}

func (c *catalogue) index(stmt *sqlite.Stmt) error {
	at, ok := c.place[stmt.ColumnText(0)]
	if !ok {
		return nil
	}
	t, name := &c.tables[at], stmt.ColumnText(1)
	if n := len(t.Indexes); n == 0 || t.Indexes[n-1].Name != name {
		t.Indexes = append(t.Indexes, source.CatalogueIndex{Name: name, Primary: stmt.ColumnText(2) == "pk", Valid: true, Enforces: true})
		if stmt.ColumnBool(3) {
			t.Indexes[len(t.Indexes)-1].Where = predicate(stmt.ColumnText(5))
		}
	}
	i := &t.Indexes[len(t.Indexes)-1]
	part := source.CataloguePart{Text: stmt.ColumnText(4), Expression: stmt.ColumnBool(6)}
	if part.Expression {
		part.Text = stmt.ColumnText(5) // the whole statement is the nearest there is
	}
	i.Parts = append(i.Parts, part)
	return nil
}

// predicate is what stands behind the last WHERE outside of quotes.
func predicate(sql string) string {
	rest, found := []byte(sql), ""
	for len(rest) > 0 {
		size, kind := token(rest, true)
		if kind == tokenWord && strings.EqualFold(string(rest[:size]), "WHERE") {
			found = strings.TrimSpace(string(rest[size:]))
		}
		rest = rest[size:]
	}
	return found
}

// stat reads "1000 2 1": rows, and rows for each value of the first column.
// What ANALYZE would not write is left aside.
func (c *catalogue) stat(stmt *sqlite.Stmt) error {
	at, ok := c.place[stmt.ColumnText(0)]
	if !ok {
		return nil
	}
	t := &c.tables[at]
	var figures []float64
	for text := range strings.FieldsSeq(stmt.ColumnText(2)) {
		if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 && n < 1<<53 {
			figures = append(figures, n)
		}
	}
	if len(figures) > 0 {
		t.Rows = max(t.Rows, int64(figures[0]))
	}
	if len(figures) < 2 || figures[0] == 0 || figures[1] < 1 {
		return nil
	}
	for n := range t.Columns {
		if t.Columns[n].Name == stmt.ColumnText(1) {
			t.Columns[n].Distinct = min(1, 1/figures[1])
		}
	}
	return nil
}
