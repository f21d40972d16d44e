package sqlite

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/source"
)

// cell is one value as SQLite stores it.
type cell struct {
	kind    sqlite.ColumnType
	integer int64
	real    float64
	// text is the bytes of text (as UTF-8) or of a blob, and what SQLite
	// prints for a number.
	text string
}

// readCell reads a column of the row that a statement stands on.
func (s *Source) readCell(stmt *sqlite.Stmt, col int) cell {
	c := cell{kind: stmt.ColumnType(col)}
	switch c.kind {
	case sqlite.TypeInteger:
		c.integer = stmt.ColumnInt64(col)
		c.text = stmt.ColumnText(col)
	case sqlite.TypeFloat:
		c.real = stmt.ColumnFloat(col)
		c.text = stmt.ColumnText(col)
	case sqlite.TypeText:
		c.text = stmt.ColumnText(col)
	case sqlite.TypeBlob:
		c.text = string(appendColumnBytes(nil, stmt, col))
	}
	return c
}

// bind gives a cell to a statement as the value that it was read as.
func (c cell) bind(stmt *sqlite.Stmt, param int) {
	switch c.kind {
	case sqlite.TypeInteger:
		stmt.BindInt64(param, c.integer)
	case sqlite.TypeFloat:
		stmt.BindFloat(param, c.real)
	case sqlite.TypeText:
		stmt.BindText(param, c.text)
	case sqlite.TypeBlob:
		stmt.BindBytes(param, []byte(c.text))
	default:
		stmt.BindNull(param)
	}
}

// value is the cell as SQLite's shell prints it; a blob, which it would print
// raw, is written X'…'.
func (c cell) value() source.Value {
	switch c.kind {
	case sqlite.TypeNull:
		return source.Value{Null: true}
	case sqlite.TypeBlob:
		return source.Value{Text: blobLiteral(c.text)}
	}
	return source.Text([]byte(c.text))
}

func blobLiteral(bytes string) string {
	return "X'" + strings.ToUpper(hex.EncodeToString([]byte(bytes))) + "'"
}

// literal is the cell as SQLite's quote() writes it. Text that quote() would
// cut (at a NUL) or that no document can hold (not UTF-8) is written
// CAST(X'…' AS TEXT) instead, which is the same value as SQL.
func (s *Source) literal(c cell) (string, error) {
	switch c.kind {
	case sqlite.TypeNull:
		return "NULL", nil
	case sqlite.TypeInteger:
		return c.text, nil
	case sqlite.TypeBlob:
		return blobLiteral(c.text), nil
	case sqlite.TypeText:
		if utf8.ValidString(c.text) && strings.IndexByte(c.text, 0) < 0 {
			return "'" + strings.ReplaceAll(c.text, "'", "''") + "'", nil
		}
		raw, err := s.ask("SELECT hex(CAST(?1 AS BLOB))", c) // in the database's own encoding
		return "CAST(X'" + raw + "' AS TEXT)", err
	}
	return s.ask("SELECT quote(?1)", c)
}

// ask has SQLite itself work out a text from one value.
func (s *Source) ask(query string, c cell) (string, error) {
	stmt, err := s.conn.Prepare(query)
	if err != nil {
		return "", err
	}
	c.bind(stmt, 1)
	var out string
	err = each(stmt, func(stmt *sqlite.Stmt) error { out = stmt.ColumnText(0); return nil })
	return out, err
}

// image writes the cells of all columns that can be written, for a later
// clean-up to compare with the row as it then is.
func (s *Source) image(columns []source.Column, cells []cell) (string, error) {
	var b strings.Builder
	b.WriteString("quote:")
	first := true
	for i, c := range columns {
		if c.Generated {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		text, err := s.literal(cells[i])
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	return b.String(), nil
}
