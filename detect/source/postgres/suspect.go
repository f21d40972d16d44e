package postgres

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"twinrow/detect/source"
)

var _ source.Cataloguer = (*Source)(nil)

// recordsDefault is the first version that records the version of a
// database's own collation.
const recordsDefault = 150000

// Catalogue reads the catalogue and the statistics in a few statements for
// all tables together.
func (s *Source) Catalogue(ctx context.Context) ([]source.CatalogueTable, error) {
	c := catalogue{place: map[string]int{}}
	for _, part := range []struct {
		statement string
		since     int
		add       func(row []string) error
	}{
		{"suspect_tables", 0, c.table}, {"suspect_columns", 0, c.column},
		{"suspect_database", recordsDefault, c.database}, {"suspect_indexes", 0, c.index},
	} {
		if s.server.number < part.since {
			continue
		}
		rows, err := s.main.rows(ctx, part.statement)
		for _, row := range rows {
			if err == nil {
				err = part.add(row)
			}
		}
		if err != nil {
			return nil, explain(ctx, "reading the catalogue", err)
		}
	}
	return c.tables, nil
}

// catalogue is put together row by row.
type catalogue struct {
	tables []source.CatalogueTable
	place  map[string]int // by OID
	// own is the database's collation where its version changed.
	own *source.StaleCollation
}

func (c *catalogue) table(row []string) error {
	rows, err := strconv.ParseInt(row[3], 10, 64)
	if err != nil {
		return fmt.Errorf("reading the rows of %s: %w", row[1], err)
	}
	c.place[row[0]] = len(c.tables)
	c.tables = append(c.tables, source.CatalogueTable{Name: row[1], Bare: row[2], Rows: rows})
	return nil
}

func (c *catalogue) column(row []string) error {
	at, ok := c.place[row[0]]
	if !ok {
		return nil // an extension's, or made a moment ago
	}
	t := &c.tables[at]
	col := source.CatalogueColumn{Name: row[1], Type: row[2], NotNull: row[3] == "true", Refers: row[4], Distinct: -1, Nulls: -1, Prefix: row[8]}
	if row[5] != "" {
		distinct, err := strconv.ParseFloat(row[5], 64)
		if err != nil {
			return fmt.Errorf("reading the statistics of %s: %w", t.Name, err)
		}
		if col.Nulls, err = strconv.ParseFloat(row[6], 64); err != nil {
			return fmt.Errorf("reading the statistics of %s: %w", t.Name, err)
		}
		col.Width, _ = strconv.Atoi(row[7])
		col.Distinct = share(distinct, col.Nulls, t.Rows)
	}
	t.Columns = append(t.Columns, col)
	return nil
}

// share turns the n_distinct of pg_stats into a share of the values that are
// not NULL; -1 where nothing can be said.
func share(distinct, nulls float64, rows int64) float64 {
	values := 1 - nulls
	switch {
	case values <= 0 || distinct == 0:
		return -1
	case distinct < 0:
		return math.Min(1, -distinct/values)
	case rows <= 0:
		return -1
	}
	return math.Min(1, distinct/(float64(rows)*values))
}

func (c *catalogue) database(row []string) error {
	if row[1] != "" && row[2] != "" && row[1] != row[2] {
		c.own = &source.StaleCollation{Name: row[0], Recorded: row[1], Actual: row[2]}
	}
	return nil
}

func (c *catalogue) index(row []string) error {
	at, ok := c.place[row[0]]
	if !ok {
		return nil
	}
	t := &c.tables[at]
	if n := len(t.Indexes); n == 0 || t.Indexes[n-1].Name != row[1] {
		t.Indexes = append(t.Indexes, source.CatalogueIndex{
			Name: row[1], Where: row[2], Primary: row[3] == "true", Valid: row[4] == "true", Enforces: row[5] == "true", NullsEqual: row[6] == "true",
		})
	}
	i := &t.Indexes[len(t.Indexes)-1]
	i.Parts = append(i.Parts, source.CataloguePart{Text: row[7], Expression: row[8] == "true"})
	switch {
	case row[12] == "true" && c.own != nil:
		i.Stale = append(i.Stale, *c.own)
	case row[10] != "" && row[11] != "" && row[10] != row[11]:
		i.Stale = append(i.Stale, source.StaleCollation{Name: row[9], Recorded: row[10], Actual: row[11]})
	}
	return nil
}
