package sqlite

import (
	"context"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/source"
	"twinrow/queries"
)

var _ source.Tracer = (*Source)(nil)

// Referring says where the rows of another table are that refer to the rows.
func (s *Source) Referring(ctx context.Context, t *source.Table, k source.ForeignKey, locators []uint64, visit func(uint64, string)) error {
	p, done, err := s.asking(ctx, t)
	if err != nil {
		return err
	}
	defer done()
	child, err := s.placed(k)
	if err == nil {
		query := statement("referring", "table", p.from, "place", p.place(), "child", child, "on", refersOn(k))
		var names string
		if names, err = p.namesOf(locators); err == nil {
			err = run(s.conn, query, func(stmt *sqlite.Stmt) error {
				visit(p.locator(stmt), stmt.ColumnText(1))
				return nil
			}, names)
		}
	}
	return s.problem(ctx, "looking for the rows of "+k.Table+" that refer to "+t.Name, err)
}

// placed are the rows that can refer, each with its rowid, as a FROM takes them.
func (s *Source) placed(k source.ForeignKey) (string, error) {
	rowid, err := s.rowidOf(k.Table)
	if err != nil {
		return "", err
	}
	sql := "(SELECT " + rowid + " AS twinrow_place, * FROM main." + queries.Ident(k.Table)
	if k.Where != "" {
		sql += " WHERE " + parenthesised(k.Where)
	}
	return sql + ")", nil
}

func (s *Source) rowidOf(table string) (string, error) {
	child, err := s.child(source.ForeignKey{Table: table})
	if err == nil && child.Rowid == "" {
		err = errNoRowid
	}
	return child.Rowid, err
}

// KeysTo reads the foreign keys that refer to a table.
func (s *Source) KeysTo(ctx context.Context, table string) ([]source.ForeignKey, error) {
	done, err := s.interruptible(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	fields, err := s.fields(table)
	if err != nil {
		return nil, s.problem(ctx, "reading the columns of "+table, err)
	}
	keys, err := s.incomingKeys(table, fields)
	return keys, s.problem(ctx, "reading what refers to "+table, err)
}

// Further says where the rows are that refer to rows with the rowids.
func (s *Source) Further(ctx context.Context, table string, k source.ForeignKey, places []string, visit func(int, string)) error {
	done, err := s.interruptible(ctx)
	if err != nil {
		return err
	}
	defer done()
	rowid, err := s.rowidOf(table)
	var child string
	if err == nil {
		child, err = s.placed(k)
	}
	if err == nil {
		query := statement("further", "table", "main."+queries.Ident(table), "rowid", rowid, "child", child, "on", refersOn(k))
		err = run(s.conn, query, func(stmt *sqlite.Stmt) error {
			visit(stmt.ColumnInt(0), stmt.ColumnText(1))
			return nil
		}, "["+strings.Join(places, ",")+"]")
	}
	return s.problem(ctx, "looking for the rows of "+k.Table+" that refer to "+table, err)
}
