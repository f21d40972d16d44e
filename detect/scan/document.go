package scan

import (
	"cmp"
	"context"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/classify"
	"twinrow/detect/source"
)

// candidate is a group as it was fetched.
type candidate struct {
	number int
	rows   []source.Row
	// evidence belongs to rows.
	evidence []classify.Evidence
}

// document turns what was found into the documents' form, after asking the
// source what else it knows of the rows.
func (e *engine) document(ctx context.Context, name string) (casefile.Table, []*casefile.Group, error) {
	untimed := e.readTimes()
	digits, step := e.resolution()
	for _, c := range e.groups {
		c.sort()
	}
	slices.SortFunc(e.groups, byFirstTimeThenKey)
	table := e.tableDocument(name)
	table.Untimed = untimed
	facts, err := e.witness(ctx, &table, step)
	if err != nil {
		return table, nil, err
	}
	if err := e.compare(ctx); err != nil {
		return table, nil, err
	}
	groups := make([]*casefile.Group, len(e.groups))
	for i, c := range e.groups {
		groups[i] = e.group(name, c, digits, facts)
	}
	table.Totals = e.totals(groups)
	return table, groups, e.sumUp(ctx, &table, groups, facts)
}

// readTimes parses the time of every candidate row and says how many have none.
func (e *engine) readTimes() *casefile.Untimed {
	column := slices.Index(e.table.ColumnNames(), e.table.Time)
	updated := slices.Index(e.table.ColumnNames(), classify.UpdatedColumn(e.table.Columns))
	var untimed casefile.Untimed
	for _, c := range e.groups {
		c.evidence = make([]classify.Evidence, len(c.rows))
		for i, row := range c.rows {
			c.evidence[i].ID = wholeID(row.ID)
			if updated >= 0 && updated != column {
				c.evidence[i].UpdatedAt = instant(row.Values[updated])
			}
			if column < 0 {
				continue
			}
			value := row.Values[column]
			c.evidence[i].Value, c.evidence[i].At = value, instant(value)
			if c.evidence[i].At != nil {
				continue
			}
			if untimed.Rows++; untimed.First == nil && !value.Null {
				untimed.First = &value.Text
			}
		}
	}
	if untimed.Rows == 0 {
		return nil
	}
	return &untimed
}

func instant(v source.Value) *source.Instant {
	if at, err := source.ParseInstant(v.Text); err == nil && !v.Null {
		return &at
	}
	return nil
}

// wholeID is an id of one whole number, else nil.
func wholeID(id []source.Value) *int64 {
	if len(id) != 1 || id[0].Null {
		return nil
	}
	n, err := strconv.ParseInt(id[0].Text, 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

// resolution is the measured one of the time column: the fewest of 0, 3, 6 or
// 9 decimal places that show every time as it stands, and the step between two
// such times, which is a minute or a day where no value shows seconds.
func (e *engine) resolution() (digits int, step time.Duration) {
	coarse := 24 * time.Hour
	for _, c := range e.groups {
		for _, row := range c.evidence {
			if row.At != nil {
				digits, coarse = max(digits, row.At.Digits), min(coarse, row.At.Coarse)
			}
		}
	}
	digits = (digits + 2) / 3 * 3
	step = time.Second
	for range digits {
		step /= 10
	}
	return digits, max(step, coarse)
}

// sort puts the rows in order of time, those without one last, then id.
func (c *candidate) sort() {
	order := make([]int, len(c.rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(compareInstants(c.evidence[a].At, c.evidence[b].At), compareValues(c.rows[a].ID, c.rows[b].ID))
	})
	if slices.IsSorted(order) {
		return
	}
	rows, evidence := make([]source.Row, len(order)), make([]classify.Evidence, len(order))
	for to, from := range order {
		rows[to], evidence[to] = c.rows[from], c.evidence[from]
	}
	c.rows, c.evidence = rows, evidence
}

func byFirstTimeThenKey(a, b *candidate) int {
	return cmp.Or(compareInstants(a.evidence[0].At, b.evidence[0].At), compareValues(a.rows[0].Key, b.rows[0].Key))
}

// compareInstants puts nil last.
func compareInstants(a, b *source.Instant) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Time.Compare(b.Time)
}

func compareValues(a, b []source.Value) int {
	for i := range a {
		if c := compareValue(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// compareValue orders whole numbers as numbers and everything else as bytes; NULL comes last.
func compareValue(a, b source.Value) int {
	if a.Null || b.Null {
		return cmp.Compare(btoi(a.Null), btoi(b.Null))
	}
	x, okX := new(big.Int).SetString(a.Text, 10)
	y, okY := new(big.Int).SetString(b.Text, 10)
	if okX && okY {
		return cmp.Or(x.Cmp(y), strings.Compare(a.Text, b.Text))
	}
	return strings.Compare(a.Text, b.Text)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// group makes one line of evidence.
func (e *engine) group(name string, c *candidate, digits int, facts classify.Facts) *casefile.Group {
	g := &casefile.Group{
		Table:   name,
		Key:     fields(e.table.Key.Names(), c.rows[0].Key),
		Reasons: []string{},
		Unknown: slices.Clone(e.src.Info().Unknown),
		Rows:    make([]casefile.Row, len(c.rows)),
	}
	names := e.table.ColumnNames()
	width := len(e.table.ID) + len(names)
	cells := make(casefile.Fields, width*len(c.rows)) // of all rows, in one piece
	for i, row := range c.rows {
		mine := cells[i*width : (i+1)*width : (i+1)*width]
		g.Rows[i] = casefile.Row{
			ID:     fill(mine[:len(row.ID):len(row.ID)], e.table.ID, row.ID),
			Time:   timeText(c.evidence[i].At, digits),
			Values: fill(mine[len(row.ID):], names, row.Values),
			Image:  row.Image, Written: facts.Document(c.evidence[i]),
		}
	}
	e.differ(g, c)
	classify.Group(g, c.evidence, facts)
	if g.Unknown == nil {
		g.Unknown = []string{}
	}
	return g
}

func fields(names []string, values []source.Value) casefile.Fields {
	return fill(make(casefile.Fields, len(names)), names, values)
}

// fill puts values into fields that there is room for.
func fill(f casefile.Fields, names []string, values []source.Value) casefile.Fields {
	for i, name := range names {
		f[i].Name = name
		if !values[i].Null {
			f[i].Value = &values[i].Text
		}
	}
	return f
}

func timeText(at *source.Instant, digits int) *string {
	if at == nil {
		return nil
	}
	layout := "2006-01-02T15:04:05"
	if digits > 0 {
		layout += "." + strings.Repeat("0", digits)
	}
	text := at.Time.Format(layout + "Z")
	return &text
}

func (e *engine) tableDocument(name string) casefile.Table {
	t := e.table
	document := casefile.Table{
		Name: name, Table: t.Name, Kind: t.Kind, Rowid: t.Rowid, Nulls: "distinct", Where: t.Key.Where,
		Time: t.Time, ID: t.ID, Email: t.Email, Person: t.NameColumn, Amount: t.Amount, Ignore: t.Ignore,
		Windows: casefile.Windows{
			RaceUS: e.opts.Windows.Race.Microseconds(), ResubmitUS: e.opts.Windows.Resubmit.Microseconds(), HorizonUS: e.opts.Windows.Horizon.Microseconds(),
		},
		Way: e.way.Way, WayReason: e.way.Reason, UniqueBy: t.UniqueBy, Triggers: t.Triggers, UpdateTriggers: t.UpdateTriggers,
		ScannedRows: e.count.Rows, NullKeyRows: e.count.NullKeys, BadLines: e.count.BadLines,
	}
	if t.Facts != nil {
		document.Facts = new(casefile.Facts(*t.Facts))
	}
	if t.Key.NullsEqual {
		document.Nulls = "not-distinct"
	}
	for _, c := range t.Columns {
		document.Columns = append(document.Columns, casefile.Column(c))
	}
	for _, p := range t.Key.Parts {
		document.Key = append(document.Key, casefile.KeyPart(p))
	}
	for _, k := range t.IncomingKeys {
		document.IncomingKeys = append(document.IncomingKeys, foreignKey(k))
	}
	return document
}

func (e *engine) totals(groups []*casefile.Group) casefile.Totals {
	totals := casefile.Totals{Groups: len(groups), ByClass: map[casefile.Class]int{}, ByStrength: map[casefile.Strength]int{}}
	customers := map[string]bool{}
	for _, g := range groups {
		totals.Rows += len(g.Rows)
		totals.ByClass[g.Class]++
		totals.ByStrength[g.Strength]++
		if !g.Identical {
			totals.Differing++
		}
		spread(&totals, g.Rows[1:])
		for _, row := range g.Rows {
			if address, ok := row.Values.Get(e.table.Email); ok && strings.TrimSpace(address) != "" {
				customers[strings.ToLower(strings.TrimSpace(address))] = true
			}
		}
	}
	totals.Surplus = totals.Rows - totals.Groups
	totals.Customers = len(customers)
	return totals
}

// spread widens the time from the first duplicate to the last by the later
// rows of a group. The times of a table have one form, so they sort as text.
func spread(totals *casefile.Totals, later []casefile.Row) {
	for _, row := range later {
		if row.Time == nil {
			continue
		}
		if totals.FirstDuplicate == nil || *row.Time < *totals.FirstDuplicate {
			totals.FirstDuplicate = row.Time
		}
		if totals.LastDuplicate == nil || *row.Time > *totals.LastDuplicate {
			totals.LastDuplicate = row.Time
		}
	}
}

// Case is the result as case.json has it, but for what casefile.Writer fills in.
func (r *Result) Case(src source.Source, tool casefile.Tool, now time.Time) *casefile.Case {
	info := src.Info()
	return &casefile.Case{
		Tool:      tool,
		CreatedAt: now.UTC().Format(time.RFC3339),
		Source: casefile.Source{
			Engine: info.Engine, Version: info.Version, Database: info.Database, Location: info.Location, Identity: info.Identity,
		},
		Tables: r.Tables,
	}
}
