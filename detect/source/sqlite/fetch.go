package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/queries"
)

// wanted is a row to be read: its locator and the number of its key.
type wanted struct {
	locator uint64
	group   int
}

// Fetch has SQLite number the candidates' keys by its own equality, and then
// reads the rows one by one.
func (s *Source) Fetch(ctx context.Context, t *source.Table, locators []uint64, visit func(source.Row) error) error {
	done, err := s.interruptible(ctx)
	if err != nil {
		return err
	}
	defer done()
	p := s.plans[t]
	if p == nil {
		return errNotInspected
	}
	rows, err := s.groups(p, locators)
	if err != nil {
		return s.problem(ctx, "comparing the rows of "+t.Name, err)
	}
	query := statement("row", "table", p.from, "columns", p.selected(), "identity", p.found())
	for _, w := range rows {
		row, err := s.readRow(p, query, w)
		if err != nil {
			return s.problem(ctx, "reading rows of "+t.Name, err)
		}
		if err := visit(row); err != nil {
			return err
		}
	}
	return nil
}

// groups returns the rows at the locators, equal ones one after another.
func (s *Source) groups(p *plan, locators []uint64) ([]wanted, error) {
	if p.way.FindsRepeats {
		return p.keptGroups(locators)
	}
	var out []wanted
	err := run(s.conn, p.groupQuery(), func(stmt *sqlite.Stmt) error {
		out = append(out, wanted{uint64(stmt.ColumnInt64(1)) - uint64(p.base), stmt.ColumnInt(0)})
		return nil
	}, p.rowids(locators))
	sortWanted(out)
	return out, err
}

// sortWanted puts equal keys together, in the order of the table.
func sortWanted(rows []wanted) {
	slices.SortFunc(rows, func(a, b wanted) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.locator, b.locator))
	})
}

func (p *plan) groupQuery() string {
	return statement("groups", "table", p.from, "rowid", p.identity[0], "key", strings.Join(p.key, ", "), "keep", p.keep)
}

// rowids writes the locators' rowids as a JSON array.
func (p *plan) rowids(locators []uint64) string {
	list := []byte{'['}
	for i, l := range locators {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, int64(l+uint64(p.base)), 10)
	}
	return string(append(list, ']'))
}

// keptGroups does the same for rows that Repeats has kept and numbered.
func (p *plan) keptGroups(locators []uint64) ([]wanted, error) {
	var out []wanted
	for _, l := range locators {
		if l >= uint64(len(p.kept)) {
			return nil, fmt.Errorf("locator %d was not handed out", l)
		}
		out = append(out, wanted{l, p.kept[l].group})
	}
	sortWanted(out)
	return out, nil
}

// selected are all columns, and behind them the key's expressions.
func (p *plan) selected() string {
	var list []string
	for _, c := range p.columns {
		list = append(list, queries.Ident(c.Name))
	}
	for i, place := range p.keyColumns {
		if place < 0 {
			list = append(list, p.key[i])
		}
	}
	return strings.Join(list, ", ")
}

// found is the condition that finds one row again. A primary key can have
// another collation than its column: the first term of each part lets SQLite
// use the key, the second takes only the very same text.
func (p *plan) found() string {
	var terms []string
	for i, name := range p.identity {
		term := name + " = ?" + strconv.Itoa(i+1)
		terms = append(terms, term)
		if !p.byRowid {
			terms = append(terms, term+" COLLATE BINARY")
		}
	}
	return strings.Join(terms, " AND ")
}

var errRowGone = errors.New("a row is not where it was a moment ago")

// readRow reads one row whole.
func (s *Source) readRow(p *plan, query string, w wanted) (source.Row, error) {
	stmt, err := s.conn.Prepare(query)
	if err != nil {
		return source.Row{}, err
	}
	if p.way.FindsRepeats {
		for i, c := range p.kept[w.locator].identity {
			c.bind(stmt, i+1)
		}
	} else {
		stmt.BindInt64(1, int64(w.locator+uint64(p.base)))
	}
	var cells []cell
	rows := 0
	err = each(stmt, func(stmt *sqlite.Stmt) error {
		rows++
		cells = cells[:0]
		for i := range stmt.ColumnCount() {
			cells = append(cells, s.readCell(stmt, i))
		}
		return nil
	})
	if err == nil && rows != 1 {
		err = &key.Problem{Code: key.CodeBadInput, Message: "the table " + p.name + " is damaged", Hint: "look at it with: sqlite3 FILE 'PRAGMA integrity_check'", Err: errRowGone}
	}
	if err != nil {
		return source.Row{}, err
	}
	return s.row(p, w, cells)
}

// row puts the cells where they belong.
func (s *Source) row(p *plan, w wanted, cells []cell) (source.Row, error) {
	row := source.Row{Group: w.group, Locator: w.locator}
	for i := range p.columns {
		row.Values = append(row.Values, cells[i].value())
	}
	expression := len(p.columns)
	for _, place := range p.keyColumns {
		if place < 0 {
			place = expression
			expression++
		}
		row.Key = append(row.Key, cells[place].value())
	}
	for _, place := range p.id {
		if place >= 0 {
			row.ID = append(row.ID, row.Values[place])
		} else {
			row.ID = append(row.ID, p.rowidOf(w))
		}
	}
	var err error
	row.Image, err = s.image(p.columns, cells)
	return row, err
}

// rowidOf is the rowid of a row as a value.
func (p *plan) rowidOf(w wanted) source.Value {
	if p.way.FindsRepeats {
		return p.kept[w.locator].identity[0].value()
	}
	return source.Value{Text: strconv.FormatInt(int64(w.locator+uint64(p.base)), 10)}
}
