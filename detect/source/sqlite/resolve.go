package sqlite

import (
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/queries"
)

// resolve makes the table and the plan to read it.
func (s *Source) resolve(found entry, req source.Request) (*source.Table, *plan, error) {
	fields, err := s.fields(found.name)
	if err != nil {
		return nil, nil, err
	}
	table := &source.Table{Name: found.name, Bytes: s.bytes}
	for _, f := range fields {
		table.Columns = append(table.Columns, f.Column)
	}
	if err := resolveColumns(table, req); err != nil {
		return nil, nil, err
	}
	p := newPlan(found, fields, table)
	if err := p.identify(table, req.ID, fields); err != nil {
		return nil, nil, err
	}
	if err := s.checkSQL(p, table); err != nil {
		return nil, nil, err
	}
	if err := s.choose(p); err != nil {
		return nil, nil, err
	}
	if err := s.checkComparison(p); err != nil {
		return nil, nil, err
	}
	if err := s.surroundings(p, table, fields); err != nil {
		return nil, nil, err
	}
	if err := s.declared(table, req.References); err != nil {
		return nil, nil, err
	}
	table.EstimatedRows, err = s.estimate(p, found.name)
	return table, p, err
}

// resolveColumns settles every column that the request names but the identity.
func resolveColumns(table *source.Table, req source.Request) error {
	names := table.ColumnNames()
	parts, err := key.Resolve(req.Key, names)
	if err != nil {
		return err
	}
	table.Key = key.Key{Parts: parts, NullsEqual: req.NullsEqual, Where: req.Where}
	for _, role := range []struct {
		what, name string
		into       *string
	}{
		{"time column", req.Time, &table.Time}, {"email column", req.Email, &table.Email},
		{"name column", req.Name, &table.NameColumn}, {"amount column", req.Amount, &table.Amount},
	} {
		if role.name == "" {
			continue
		}
		if *role.into, err = key.ResolveColumn(role.what, role.name, names); err != nil {
			return err
		}
	}
	for _, name := range req.Ignore {
		exact, err := key.ResolveColumn("ignored column", name, names)
		if err != nil {
			return err
		}
		table.Ignore = append(table.Ignore, exact)
	}
	return nil
}

// checkSQL prepares what the user wrote as SQL, each piece alone so that the
// error names it, in a place where neither an aggregate nor a second
// statement is allowed.
func (s *Source) checkSQL(p *plan, table *source.Table) error {
	for i, part := range table.Key.Parts {
		if part.Expression {
			if err := s.checkPiece(p, "the key expression "+part.Text, p.key[i]+" IS NULL"); err != nil {
				return err
			}
		}
	}
	if table.Key.Where != "" {
		return s.checkPiece(p, "the predicate "+table.Key.Where, p.where)
	}
	return nil
}

func (s *Source) checkPiece(p *plan, what, condition string) error {
	stmt, trailing, err := s.conn.PrepareTransient("SELECT 1 FROM " + p.from + " WHERE " + condition)
	if err != nil {
		if strings.Contains(err.Error(), "no such collation sequence") || sqlite.ErrCode(err).ToPrimary() != sqlite.ResultError {
			return err
		}
		return &key.Problem{Code: key.CodeUsage, Message: what + " is not valid here", Hint: "write it as in a WHERE clause over " + p.name + ", with the columns that the table has", Err: cause(err)}
	}
	defer stmt.Finalize()
	if trailing > 0 || stmt.BindParamCount() > 0 {
		return &key.Problem{Code: key.CodeUsage, Message: what + " is more than one expression, or has a placeholder", Hint: "write one expression with its values in it"}
	}
	return nil
}

// checkComparison prepares the statement that compares keys: the database may
// need a collation that only its application has.
func (s *Source) checkComparison(p *plan) error {
	query := p.repeatQuery()
	if !p.way.FindsRepeats {
		query = p.groupQuery()
	}
	stmt, _, err := s.conn.PrepareTransient(query)
	if err != nil {
		return err
	}
	return stmt.Finalize()
}

// collation tells which of SQLite's own collations compares a column's values.
func (s *Source) collation(p *plan, column string) (string, error) {
	name := "BINARY"
	err := run(s.conn, statement("collation", "table", p.from, "column", queries.Ident(column)), func(stmt *sqlite.Stmt) error {
		switch {
		case stmt.ColumnBool(0):
			name = "NOCASE"
		case stmt.ColumnBool(1):
			name = "RTRIM"
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("reading the collation of %s: %w", column, err)
	}
	return name, nil
}

// estimate is ANALYZE's count of the rows, or the span of the rowids where the
// file is large enough to hold so many; 0 where neither tells.
func (s *Source) estimate(p *plan, table string) (int64, error) {
	var rows, bytes int64
	// sqlite_stat1 exists only once ANALYZE has run; its absence is no error.
	if stmt, _, err := s.conn.PrepareTransient("SELECT CAST(stat AS INTEGER) FROM main.sqlite_stat1 WHERE tbl = ?1 LIMIT 1"); err == nil {
		stmt.BindText(1, table)
		err := each(stmt, func(stmt *sqlite.Stmt) error { rows = stmt.ColumnInt64(0); return nil })
		stmt.Finalize()
		if err != nil || rows > 0 {
			return rows, err
		}
	}
	err := run(s.conn, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", func(stmt *sqlite.Stmt) error {
		bytes = stmt.ColumnInt64(0)
		return nil
	})
	const leastRow = 20 // bytes of a row with a key worth scanning
	if p.span < uint64(bytes)/leastRow {
		rows = int64(p.span)
	}
	return rows, err
}
