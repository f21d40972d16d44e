package scan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/classify"
	"twinrow/detect/key"
	"twinrow/detect/source"
)

// soften keeps an error of what is asked beside the groups themselves from
// ending the scan: it is told as something not known. A lost connection and a
// cancelled scan stay errors.
func soften(ctx context.Context, what string, err error, unknown *[]string) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if p, ok := errors.AsType[*key.Problem](err); ok && p.Code == key.CodeConnection {
		return err
	}
	*unknown = append(*unknown, fmt.Sprintf("%s: %v", what, err))
	return nil
}

// all are the evidence of all rows of all groups.
func (e *engine) all() []*classify.Evidence {
	var all []*classify.Evidence
	for _, c := range e.groups {
		for i := range c.evidence {
			all = append(all, &c.evidence[i])
		}
	}
	return all
}

// rows are the evidence of each group's rows.
func (e *engine) evidence() [][]classify.Evidence {
	rows := make([][]classify.Evidence, len(e.groups))
	for i, c := range e.groups {
		rows[i] = c.evidence
	}
	return rows
}

// witness asks the source for the rows' transactions and settles what holds
// for every group.
func (e *engine) witness(ctx context.Context, table *casefile.Table, step time.Duration) (classify.Facts, error) {
	facts := classify.Facts{Windows: e.opts.Windows, Step: step, Schedules: e.opts.Schedules}
	if len(e.groups) == 0 {
		return facts, nil
	}
	var transactions source.Transactions
	if witness, ok := e.src.(source.Witness); ok {
		var err error
		transactions, err = witness.Transactions(ctx, e.table)
		if err == nil {
			err = e.writers(ctx, witness)
		}
		if err := soften(ctx, "the transactions of the rows", err, &e.unknown); err != nil {
			return facts, err
		}
		facts.KeepsTimes = transactions.KeepsTimes
	}
	all := e.all()
	facts.Comparable = classify.ComparableTimes(all)
	if e.table.Time != "" {
		table.Clock = classify.Clock(e.evidence(), &facts, transactions, e.typeOf(e.table.Time), e.opts.Now)
	}
	known := classify.Table{Transactions: transactions, Rows: e.count.Rows, Now: e.opts.Now, UpdatedAt: classify.UpdatedColumn(e.table.Columns)}
	if e.table.Key.Where != "" {
		known.Rows = -1
	}
	classify.Judge(all, facts, known)
	return facts, nil
}

func (e *engine) typeOf(column string) string {
	i := slices.IndexFunc(e.table.Columns, func(c source.Column) bool { return c.Name == column })
	if i < 0 {
		return ""
	}
	return e.table.Columns[i].Type
}

// writers fills in the rows' transactions.
func (e *engine) writers(ctx context.Context, witness source.Witness) error {
	at := map[uint64]*classify.Evidence{}
	var locators []uint64
	for _, c := range e.groups {
		for i, row := range c.rows {
			at[row.Locator] = &c.evidence[i]
			locators = append(locators, row.Locator)
		}
	}
	slices.Sort(locators)
	return witness.Writers(ctx, e.table, locators, func(w source.Writer) error {
		if row := at[w.Locator]; row != nil {
			row.Writer = &w
		}
		return nil
	})
}

// mostPairs is how many pairs of rows the database is asked to compare, and
// mostOfGroup how many of one group; past them the text decides.
const (
	mostPairs   = 20000
	mostOfGroup = 1000
)

// compare has the database say which values that are written differently it
// calls the same, as 1.0 and 1.00, and writes those alike in e.same.
func (e *engine) compare(ctx context.Context) error {
	comparer, ok := e.src.(source.Comparer)
	if !ok {
		return nil
	}
	type place struct {
		c   *candidate
		row int
	}
	var pairs [][2]uint64
	var places []place
	partly := false
	for _, c := range e.groups {
		partly = partly || len(c.rows) > mostOfGroup
		for i := 1; i < min(len(c.rows), mostOfGroup) && len(pairs) < mostPairs; i++ {
			if e.textDiffers(c.rows[0], c.rows[i]) {
				pairs = append(pairs, [2]uint64{c.rows[0].Locator, c.rows[i].Locator})
				places = append(places, place{c, i})
			}
		}
	}
	if len(pairs) > 0 && (partly || len(pairs) == mostPairs) {
		e.unknown = append(e.unknown, fmt.Sprintf("whether values that are written differently are the same to the database, past %d rows of a group and %d in all: those were compared as text", mostOfGroup, mostPairs))
	}
	n := 0
	err := comparer.Compare(ctx, e.table, pairs, func(same []bool) error {
		p := places[n]
		n++
		for i := range same {
			if same[i] && p.c.rows[p.row].Values[i] != p.c.rows[0].Values[i] {
				if e.same == nil {
					e.same = map[sameAs]bool{}
				}
				e.same[sameAs{p.c.rows[p.row].Locator, i}] = true
			}
		}
		return nil
	})
	return soften(ctx, "whether values that are written differently are the same to the database", err, &e.unknown)
}

// sameAs names a value that the database calls the same as that of its group's first row.
type sameAs struct {
	locator uint64
	column  int
}

// compared tells whether a column counts in comparing copies: not the id, the
// time, the key's own columns and those ignored.
func (e *engine) compared(column string) bool {
	return column != e.table.Time && !slices.Contains(e.table.ID, column) && !slices.Contains(e.table.Ignore, column) &&
		!slices.Contains(e.table.Key.Columns(), column)
}

func (e *engine) textDiffers(a, b source.Row) bool {
	for i, column := range e.table.Columns {
		if a.Values[i] != b.Values[i] && e.compared(column.Name) {
			return true
		}
	}
	return false
}

// differ says in which columns the rows of a group differ, and how.
func (e *engine) differ(g *casefile.Group, c *candidate) {
	g.Differs = []string{}
	for i, column := range e.table.Columns {
		if !e.compared(column.Name) {
			continue
		}
		first, differs := c.rows[0].Values[i], false
		values := make([]source.Value, len(c.rows))
		for r, row := range c.rows {
			values[r] = row.Values[i]
			if values[r] != first && e.same[sameAs{row.Locator, i}] {
				values[r] = first
			}
			differs = differs || values[r] != first
		}
		if differs {
			g.Differs = append(g.Differs, column.Name)
			g.Differences = append(g.Differences, classify.Differ(column, values)...)
		}
	}
	g.Identical = len(g.Differs) == 0
}

// sumUp fills in what the groups say together.
func (e *engine) sumUp(ctx context.Context, table *casefile.Table, groups []*casefile.Group, facts classify.Facts) error {
	lab, err := e.keyLab(ctx, groups)
	if err != nil {
		return err
	}
	table.KeyLab = lab
	if len(groups) == 0 {
		return nil
	}
	counted, err := e.references(ctx, table, groups)
	if err != nil {
		return err
	}
	for i, g := range groups {
		for r := range g.Rows {
			g.Rows[r].UsedSince = classify.UsedSince(&g.Rows[r], e.groups[i].evidence[r])
		}
	}
	table.Retries = classify.Pattern(groups, facts)
	if table.Incident, err = e.incident(ctx); err != nil {
		return err
	}
	table.Impact = classify.Impact(table, groups, counted)
	table.Impact.Unknown = append(table.Impact.Unknown, e.unknown...)
	return nil
}

// incident counts all rows by their time around the duplicates.
func (e *engine) incident(ctx context.Context) (*casefile.Incident, error) {
	duplicates, leftOut := classify.Duplicates(e.evidence(), e.opts.Now)
	if len(duplicates) == 0 {
		return nil, nil
	}
	window := classify.IncidentWindow(duplicates, e.opts.Now)
	timeliner, ok := e.src.(source.Timeliner)
	if !ok {
		return classify.Incident(duplicates, leftOut, window, nil), nil
	}
	line, err := timeliner.Timeline(ctx, e.table, window)
	if err != nil {
		return classify.Incident(duplicates, leftOut, window, nil), soften(ctx, "how many rows were written when", err, &e.unknown)
	}
	return classify.Incident(duplicates, leftOut, window, &line), nil
}
