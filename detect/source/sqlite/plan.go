package sqlite

import (
	"math"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/queries"
)

// plan is how one inspected table is read.
type plan struct {
	// name is the table's; from is it quoted, with its schema.
	name, from string
	// key holds the SQL of each part; keep is the condition that leaves out
	// keys with a NULL, where they equal no other.
	key  []string
	keep string
	// keyColumns are the columns' places of the parts, -1 for an expression.
	keyColumns []int
	where      string
	nullsEqual bool
	columns    []source.Column

	// identity finds a row again: the rowid under a name that no column
	// hides, or the primary key of a WITHOUT ROWID table. Quoted.
	identity []string
	byRowid  bool
	// id holds the columns' places of Table.ID, -1 for the rowid.
	id []int

	// base is subtracted from rowids to make locators; span is how far they
	// reach, 0 where the table is empty or has none.
	base int64
	span uint64
	way  source.Capabilities

	// kept are the rows that Repeats handed out; a locator is an index of it.
	kept []keptRow
	// names are what these are called in a question about single rows, by
	// locator; named are the locators by name.
	names []string
	named map[string]uint64
}

// locatorLimit is the first rowid that a locator cannot hold: the interface
// says below 1<<48, and the one below that is left to whoever counts from one.
const locatorLimit = 1<<48 - 1

func newPlan(found entry, fields []field, table *source.Table) *plan {
	p := &plan{
		name: found.name, from: "main." + queries.Ident(found.name), where: "1", keep: "1",
		nullsEqual: table.Key.NullsEqual, columns: table.Columns,
	}
	names := table.ColumnNames()
	var set []string
	for _, part := range table.Key.Parts {
		sql, place := queries.Ident(part.Text), slices.Index(names, part.Text)
		if part.Expression {
			sql, place = parenthesised(part.Text), -1
		}
		p.key = append(p.key, sql)
		p.keyColumns = append(p.keyColumns, place)
		set = append(set, sql+" IS NOT NULL")
	}
	if !p.nullsEqual {
		p.keep = "(" + strings.Join(set, " AND ") + ")"
	}
	if table.Key.Where != "" {
		p.where = parenthesised(table.Key.Where)
	}
	p.locateBy(found, fields, table)
	return p
}

// parenthesised encloses SQL of the user's; the line end closes a comment in it.
func parenthesised(sql string) string { return "(" + sql + "\n)" }

// locateBy chooses what finds a row again. A column may be called rowid; then
// another of the rowid's names is used.
func (p *plan) locateBy(found entry, fields []field, table *source.Table) {
	primary := primaryKey(fields)
	if found.withoutRowid {
		for _, name := range primary {
			p.identity = append(p.identity, queries.Ident(name))
		}
		return
	}
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !slices.ContainsFunc(fields, func(f field) bool { return strings.EqualFold(f.Name, name) }) {
			p.identity, p.byRowid, table.Rowid = []string{name}, true, name
			return
		}
	}
	// All three are hidden; an INTEGER PRIMARY KEY is the rowid itself.
	if len(primary) == 1 {
		i := slices.IndexFunc(fields, func(f field) bool { return f.primary == 1 })
		if strings.EqualFold(fields[i].Type, "INTEGER") {
			p.identity, p.byRowid = []string{queries.Ident(primary[0])}, true
		}
	}
}

// identify settles Table.ID: what the request names, the primary key, or the rowid.
func (p *plan) identify(table *source.Table, asked []string, fields []field) error {
	if len(p.identity) == 0 {
		return &key.Problem{Code: key.CodeUnsupported, Message: "columns of " + p.name + " hide every name of its rowid, so that its rows cannot be found again", Hint: "rename one of the columns rowid, oid and _rowid_"}
	}
	names := table.ColumnNames()
	for _, name := range asked {
		exact, err := key.ResolveColumn("id column", name, names)
		if err != nil && !(p.byRowid && strings.EqualFold(name, p.identity[0])) {
			return err
		} else if err != nil {
			exact = p.identity[0]
		}
		table.ID = append(table.ID, exact)
	}
	if len(table.ID) == 0 {
		table.ID = primaryKey(fields)
	}
	if len(table.ID) == 0 {
		table.ID = []string{p.identity[0]}
	}
	for _, name := range table.ID {
		p.id = append(p.id, slices.Index(names, name))
	}
	return nil
}

// choose settles whether rows are found again by their rowid or by a list of
// the source's own.
func (s *Source) choose(p *plan) error {
	sorted := source.Capabilities{FindsRepeats: true, Way: "sorted", Reason: "SQLite sorts the keys in memory, because the table has no rowid by which to find its rows again"}
	if !p.byRowid {
		p.way = sorted
		return nil
	}
	var empty bool
	var least, most int64
	err := run(s.conn, statement("rowid_range", "table", p.from, "rowid", p.identity[0]), func(stmt *sqlite.Stmt) error {
		empty, least, most = stmt.ColumnIsNull(0), stmt.ColumnInt64(0), stmt.ColumnInt64(1)
		return nil
	})
	if err != nil || empty {
		p.way = rowOrder
		return err
	}
	// The subtraction wraps around as it should: the span of all rowids is below 1<<64.
	p.span = uint64(most) - uint64(least)
	if least < 0 || most >= locatorLimit {
		p.base = least
	}
	if uint64(most)-uint64(p.base) >= locatorLimit {
		sorted.Reason = "SQLite sorts the keys in memory, because the rowids reach too far apart to be kept in 48 bits"
		p.way = sorted
		return nil
	}
	if p.span < math.MaxInt64 {
		p.span++ // both ends are rows
	}
	p.way = rowOrder
	return nil
}

var rowOrder = source.Capabilities{Way: "rowid order", Reason: "every row is read once in the table's own order, because SQLite would have to sort them all to compare them itself"}

// Capabilities says which way the table is read.
func (s *Source) Capabilities(t *source.Table) source.Capabilities {
	if p := s.plans[t]; p != nil {
		return p.way
	}
	return rowOrder
}
