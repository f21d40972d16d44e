// Package csv writes a report for a spreadsheet: one line a row of a group,
// with a column in which a person can say which row stays. It knows nothing
// but the document.
//
// The columns, of which the table's own repeat for each part:
//
//	table      the case's name of the table
//	group      number of the group in the case
//	class      class of the group
//	strength   how sure that is
//	key:NAME   each part of the key
//	id:NAME    each column that identifies a row
//	time       RFC 3339 in UTC, empty where there is none
//	gap        time since the row before in words, empty for the first row
//	email, name, amount   where such columns were named
//	differs    columns in which the copies of the group differ, where any do
//	used       what tells that the row was used after it was written, where any was
//	case       the case, so that a plan of another takes no decision from here
//	position   1 for the first row of its group
//	keep       "yes" for the row that stays, "no" for one that goes; empty
//	           until a plan or a person fills it
//
// NULL is empty. Control and invisible characters are written as visible
// escapes, but for line feeds and tabs. See casefile.Guard for what could be a formula.
// For exact values read the JSON.
package csv

import (
	stdcsv "encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/report"
)

// Render writes all groups of all tables. Tables with different keys or ids
// share one header; a line is empty where its table has no such column.
func Render(w io.Writer, doc *report.Document) error {
	out := stdcsv.NewWriter(w)
	l := newLayout(doc)
	_ = out.Write(l.header()) // the writer keeps its first error for Error
	for t := range doc.Tables {
		table := &doc.Tables[t]
		for g := range table.Groups {
			for r := range table.Groups[g].Rows {
				_ = out.Write(l.line(table, &table.Groups[g], r))
			}
		}
		if out.Error() != nil {
			break
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

// layout is which columns there are.
type layout struct {
	caseCell            string
	key, id             []string
	email, name, amount bool
	differs, used       bool
}

func newLayout(doc *report.Document) layout {
	l := layout{caseCell: casefile.CaseCell(doc.CaseID)}
	for _, t := range doc.Tables {
		l.key = union(l.key, t.Key)
		l.id = union(l.id, t.ID)
		l.email = l.email || t.Email != ""
		l.name = l.name || t.Person != ""
		l.amount = l.amount || t.Amount != ""
		for g := range t.Groups {
			l.differs = l.differs || len(t.Groups[g].Differs) > 0
			for r := range t.Groups[g].Rows {
				l.used = l.used || used(&t.Groups[g].Rows[r]) != ""
			}
		}
	}
	return l
}

func union(all, more []string) []string {
	for _, name := range more {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

func (l *layout) header() []string {
	line := []string{casefile.TableColumn, casefile.GroupColumn, "class", "strength"}
	for _, name := range l.key {
		line = append(line, casefile.KeyPrefix+casefile.CellText(name))
	}
	for _, name := range l.id {
		line = append(line, casefile.IDPrefix+casefile.CellText(name))
	}
	line = append(line, "time", "gap")
	for _, column := range []struct {
		name  string
		there bool
	}{{"email", l.email}, {"name", l.name}, {"amount", l.amount}, {"differs", l.differs}, {"used", l.used}} {
		if column.there {
			line = append(line, column.name)
		}
	}
	return append(line, casefile.CaseColumn, "position", casefile.KeepColumn)
}

func (l *layout) line(t *report.Table, g *report.Group, position int) []string {
	row := &g.Rows[position]
	line := []string{casefile.Cell(&t.Name), strconv.Itoa(g.Number), string(g.Class), string(g.Strength)}
	for _, name := range l.key {
		line = append(line, field(g.Key, name))
	}
	for _, name := range l.id {
		line = append(line, field(row.ID, name))
	}
	gap := ""
	if row.GapUS != nil {
		gap = report.Duration(*row.GapUS)
	}
	line = append(line, casefile.Cell(row.Time), gap)
	if l.email {
		line = append(line, field(row.Values, t.Email))
	}
	if l.name {
		line = append(line, field(row.Values, t.Person))
	}
	if l.amount {
		line = append(line, field(row.Values, t.Amount))
	}
	if l.differs {
		line = append(line, said(strings.Join(g.Differs, ", ")))
	}
	if l.used {
		line = append(line, said(used(row)))
	}
	return append(line, l.caseCell, strconv.Itoa(position+1), keep(row.Fate))
}

// used says what tells that a row was used after it was written.
func used(r *report.Row) string {
	if len(r.UsedSince) > 0 {
		return strings.Join(r.UsedSince, "; ")
	}
	var tables []string
	for _, ref := range r.References {
		tables = append(tables, report.Count(ref.Rows, "row")+" of "+ref.Table+" refer to it")
	}
	return strings.Join(tables, "; ")
}

func said(text string) string { return casefile.Cell(&text) }

func keep(fate report.Fate) string {
	switch fate {
	case report.Keep:
		return "yes"
	case report.Remove:
		return "no"
	}
	return ""
}

func field(f casefile.Fields, name string) string {
	for _, field := range f {
		if field.Name == name {
			return casefile.Cell(field.Value)
		}
	}
	return ""
}
