package sqlite

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/source"
	"twinrow/queries"
)

var (
	_ source.Referrer  = (*Source)(nil)
	_ source.Comparer  = (*Source)(nil)
	_ source.Timeliner = (*Source)(nil)
	_ source.KeyReader = (*Source)(nil)
)

// errNoRowid is why a question about single rows has no answer.
var errNoRowid = errors.New("the rows have no rowid by which to ask about them")

// asking settles the plan for a question about single rows.
func (s *Source) asking(ctx context.Context, t *source.Table) (*plan, func(), error) {
	done, err := s.interruptible(ctx)
	if err != nil {
		return nil, nil, err
	}
	p := s.plans[t]
	if p == nil {
		done()
		return nil, nil, errNotInspected
	}
	if p.way.FindsRepeats && !p.byRowid && s.utf16 { // whose bytes are not those of the names
		done()
		return nil, nil, errNoRowid
	}
	p.nameKept()
	return p, done, nil
}

// place is what names a row t in a question: its rowid, or of a table without
// one the types and bytes of its key.
func (p *plan) place() string {
	if p.byRowid {
		return "t." + p.identity[0]
	}
	parts := make([]string, len(p.identity))
	for i, column := range p.identity {
		parts[i] = "typeof(t." + column + ") || hex(t." + column + ")"
	}
	return strings.Join(parts, " || ' ' || ")
}

// typeNames are what typeof() says.
var typeNames = map[sqlite.ColumnType]string{sqlite.TypeInteger: "integer", sqlite.TypeFloat: "real", sqlite.TypeText: "text", sqlite.TypeBlob: "blob", sqlite.TypeNull: "null"}

// nameKept gives the rows that were kept the names by which they are asked about.
func (p *plan) nameKept() {
	if !p.way.FindsRepeats || len(p.named) == len(p.kept) {
		return
	}
	p.named, p.names = make(map[string]uint64, len(p.kept)), make([]string, len(p.kept))
	for l, row := range p.kept {
		parts := make([]string, len(row.identity))
		for i, c := range row.identity {
			parts[i] = c.text
			if !p.byRowid {
				parts[i] = typeNames[c.kind] + strings.ToUpper(hex.EncodeToString([]byte(c.text)))
			}
		}
		p.names[l] = strings.Join(parts, " ")
		p.named[p.names[l]] = uint64(l)
	}
}

// nameOf is the name of the row at a locator, as JSON takes it.
func (p *plan) nameOf(l uint64) any {
	switch {
	case !p.way.FindsRepeats:
		return int64(l + uint64(p.base))
	case l >= uint64(len(p.names)):
		return nil
	case p.byRowid:
		return json.Number(p.names[l])
	}
	return p.names[l]
}

// namesOf writes the names of rows as a JSON array.
func (p *plan) namesOf(locators []uint64) (string, error) {
	names := make([]any, len(locators))
	for i, l := range locators {
		names[i] = p.nameOf(l)
	}
	raw, err := json.Marshal(names)
	return string(raw), err
}

// locator is that of the row whose name a statement returned.
func (p *plan) locator(stmt *sqlite.Stmt) uint64 {
	if p.way.FindsRepeats {
		return p.named[stmt.ColumnText(0)]
	}
	return uint64(stmt.ColumnInt64(0)) - uint64(p.base)
}

// Compare compares rows pair by pair, column by column.
func (s *Source) Compare(ctx context.Context, t *source.Table, pairs [][2]uint64, visit func([]bool) error) error {
	p, done, err := s.asking(ctx, t)
	if err != nil {
		return err
	}
	defer done()
	if p.way.FindsRepeats {
		return errNoRowid
	}
	terms := make([]string, len(p.columns))
	for i, c := range p.columns {
		terms[i] = "a." + queries.Ident(c.Name) + " IS b." + queries.Ident(c.Name)
	}
	stmt, err := s.conn.Prepare(statement("compare", "same", strings.Join(terms, ", "), "table", p.from, "rowid", p.identity[0]))
	if err != nil {
		return s.problem(ctx, "comparing rows of "+t.Name, err)
	}
	for _, pair := range pairs {
		stmt.BindInt64(1, int64(pair[0]+uint64(p.base)))
		stmt.BindInt64(2, int64(pair[1]+uint64(p.base)))
		err := each(stmt, func(stmt *sqlite.Stmt) error {
			same := make([]bool, len(terms))
			for i := range same {
				same[i] = stmt.ColumnBool(i)
			}
			return visited(visit(same))
		})
		if err != nil {
			return s.problem(ctx, "comparing rows of "+t.Name, err)
		}
	}
	return nil
}

// Timeline counts rows by the time column, read as the scan reads it.
func (s *Source) Timeline(ctx context.Context, t *source.Table, w source.Window) (source.Timeline, error) {
	out := source.Timeline{Counts: make([]int64, w.Buckets)}
	err := s.column(ctx, t, queries.Ident(t.Time), "counting the rows of "+t.Name+" by their time", func(stmt *sqlite.Stmt) error {
		if at, err := source.ParseInstant(s.readCell(stmt, 0).text); err == nil {
			out.Add(w, at.Time)
		}
		return nil
	})
	return out, err
}

// Keys hands on the keys of all rows.
func (s *Source) Keys(ctx context.Context, t *source.Table, visit func([]source.Value) error) error {
	p := s.plans[t]
	if p == nil {
		return errNotInspected
	}
	parts := make([]source.Value, len(p.key))
	return s.column(ctx, t, strings.Join(p.key, ", "), "reading the keys of "+t.Name, func(stmt *sqlite.Stmt) error {
		for i := range parts {
			parts[i] = s.readCell(stmt, i).value()
		}
		return visited(visit(parts))
	})
}

// column reads columns of all rows.
func (s *Source) column(ctx context.Context, t *source.Table, columns, doing string, visit func(*sqlite.Stmt) error) error {
	done, err := s.interruptible(ctx)
	if err != nil {
		return err
	}
	defer done()
	p := s.plans[t]
	if p == nil {
		return errNotInspected
	}
	err = run(s.conn, statement("column", "columns", columns, "table", p.from, "where", p.where), visit)
	return s.problem(ctx, doing, err)
}
