package scan

import (
	"cmp"
	"math/big"
	"slices"
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
	times  []*source.Instant
}

// document turns what was found into the documents' form.
func (e *engine) document(name string) (casefile.Table, []*casefile.Group) {
	untimed := e.readTimes()
	digits, step := e.resolution()
	for _, c := range e.groups {
		c.sort()
	}
	slices.SortFunc(e.groups, byFirstTimeThenKey)
	groups := make([]*casefile.Group, len(e.groups))
	for i, c := range e.groups {
		groups[i] = e.group(name, c, digits, step)
	}
	table := e.tableDocument(name)
	table.Untimed = untimed
	table.Totals = e.totals(groups)
	return table, groups
}

// readTimes parses the time of every candidate row and says how many have none.
func (e *engine) readTimes() *casefile.Untimed {
	column := slices.Index(e.table.ColumnNames(), e.table.Time)
	var untimed casefile.Untimed
	for _, c := range e.groups {
		c.times = make([]*source.Instant, len(c.rows))
		if column < 0 {
			continue
		}
		for i, row := range c.rows {
			value := row.Values[column]
			at, err := source.ParseInstant(value.Text)
			if !value.Null && err == nil {
				c.times[i] = &at
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

// resolution is the measured one of the time column: the fewest of 0, 3, 6 or
// 9 decimal places that show every time as it stands, and the step between two
// such times, which is a minute or a day where no value shows seconds.
func (e *engine) resolution() (digits int, step time.Duration) {
	coarse := 24 * time.Hour
	for _, c := range e.groups {
		for _, at := range c.times {
			if at != nil {
				digits, coarse = max(digits, at.Digits), min(coarse, at.Coarse)
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
		return cmp.Or(compareInstants(c.times[a], c.times[b]), compareValues(c.rows[a].ID, c.rows[b].ID))
	})
	rows, times := make([]source.Row, len(order)), make([]*source.Instant, len(order))
	for to, from := range order {
		rows[to], times[to] = c.rows[from], c.times[from]
	}
	c.rows, c.times = rows, times
}

func byFirstTimeThenKey(a, b *candidate) int {
	return cmp.Or(compareInstants(a.times[0], b.times[0]), compareValues(a.rows[0].Key, b.rows[0].Key))
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
func (e *engine) group(name string, c *candidate, digits int, step time.Duration) *casefile.Group {
	g := &casefile.Group{
		Table:   name,
		Key:     fields(e.table.Key.Names(), c.rows[0].Key),
		Reasons: []string{},
		Unknown: slices.Clone(e.src.Info().Unknown),
		Rows:    make([]casefile.Row, len(c.rows)),
	}
	for i, row := range c.rows {
		g.Rows[i] = casefile.Row{
			ID:     fields(e.table.ID, row.ID),
			Time:   timeText(c.times[i], digits),
			Values: fields(e.table.ColumnNames(), row.Values),
			Image:  row.Image,
		}
	}
	g.Differs = e.differs(c)
	g.Identical = len(g.Differs) == 0
	classify.Group(g, c.times, step, e.opts.Windows)
	if g.Unknown == nil {
		g.Unknown = []string{}
	}
	return g
}

func fields(names []string, values []source.Value) casefile.Fields {
	f := make(casefile.Fields, len(names))
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

// differs names the columns in which the rows of a group are not all the
// same, leaving out the id, the time, the key's own columns and those ignored.
func (e *engine) differs(c *candidate) []string {
	skip := slices.Concat(e.table.ID, e.table.Ignore, e.table.Key.Columns(), []string{e.table.Time})
	differs := []string{}
	for i, column := range e.table.Columns {
		if slices.Contains(skip, column.Name) {
			continue
		}
		if slices.ContainsFunc(c.rows[1:], func(r source.Row) bool { return r.Values[i] != c.rows[0].Values[i] }) {
			differs = append(differs, column.Name)
		}
	}
	return differs
}

func (e *engine) tableDocument(name string) casefile.Table {
	t := e.table
	document := casefile.Table{
		Name: name, Table: t.Name, Rowid: t.Rowid, Nulls: "distinct", Where: t.Key.Where,
		Time: t.Time, ID: t.ID, Email: t.Email, Person: t.NameColumn, Amount: t.Amount, Ignore: t.Ignore,
		Windows: casefile.Windows{
			RaceUS: e.opts.Windows.Race.Microseconds(), ResubmitUS: e.opts.Windows.Resubmit.Microseconds(), HorizonUS: e.opts.Windows.Horizon.Microseconds(),
		},
		Way: e.way.Way, WayReason: e.way.Reason, UniqueBy: t.UniqueBy, Triggers: t.Triggers,
		ScannedRows: e.count.Rows, NullKeyRows: e.count.NullKeys, BadLines: e.count.BadLines,
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
		document.IncomingKeys = append(document.IncomingKeys, casefile.ForeignKey(k))
	}
	return document
}

func (e *engine) totals(groups []*casefile.Group) casefile.Totals {
	totals := casefile.Totals{Groups: len(groups), ByClass: map[casefile.Class]int{}}
	customers := map[string]bool{}
	for _, g := range groups {
		totals.Rows += len(g.Rows)
		totals.ByClass[g.Class]++
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
