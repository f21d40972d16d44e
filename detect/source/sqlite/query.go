package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// Query runs one SELECT of a person's own on a second read-only connection, so
// that it sees what is committed now. Arguments are bound as text to ?
// placeholders in order: compared with a column they take the column's type,
// so '5' finds the integer 5; beside an expression write CAST(? AS INTEGER).
func (s *Source) Query(ctx context.Context, sql string, args []string) ([][]source.Value, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	conn, err := connect(s.path)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	asking := &Source{conn: conn, path: s.path}
	conn.SetBusyTimeout(s.busy)
	conn.SetInterrupt(ctx.Done())
	defer conn.SetInterrupt(nil)
	return asking.answer(ctx, sql, args)
}

// answer runs one statement on the source's own connection.
func (s *Source) answer(ctx context.Context, sql string, args []string) ([][]source.Value, error) {
	stmt, err := prepareQuery(s.conn, sql, args)
	if err != nil {
		return nil, s.problem(ctx, "preparing the query", err)
	}
	defer stmt.Finalize()
	for i, arg := range args {
		stmt.BindText(i+1, arg)
	}
	var rows [][]source.Value
	err = each(stmt, func(stmt *sqlite.Stmt) error {
		row := make([]source.Value, stmt.ColumnCount())
		for i := range row {
			row[i] = s.readCell(stmt, i).value()
		}
		rows = append(rows, row)
		return nil
	})
	return rows, s.problem(ctx, "running the query", err)
}

// prepareQuery takes one statement that returns rows and as many arguments as it has places.
func prepareQuery(conn *sqlite.Conn, sql string, args []string) (*sqlite.Stmt, error) {
	stmt, trailing, err := conn.PrepareTransient(sql)
	if err != nil {
		if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultError {
			err = &key.Problem{Code: key.CodeUsage, Message: "the query is not valid here", Hint: "check it with the sqlite3 program on the same file", Err: cause(err)}
		}
		return nil, err
	}
	var p *key.Problem
	switch {
	case onlySpace(sql[len(sql)-trailing:]) && stmt.ColumnCount() > 0 && stmt.BindParamCount() == len(args):
		return stmt, nil
	case stmt.ColumnCount() == 0 || !onlySpace(sql[len(sql)-trailing:]):
		p = &key.Problem{Code: key.CodeUsage, Message: "the query is not one SELECT", Hint: "write one SELECT statement; it is run read-only"}
	default:
		p = &key.Problem{Code: key.CodeUsage, Message: fmt.Sprintf("the query has %d placeholders and %d arguments", stmt.BindParamCount(), len(args)), Hint: "give one argument for each ?"}
	}
	stmt.Finalize()
	return nil, p
}

// onlySpace tells whether nothing is left behind a statement but white space.
func onlySpace(rest string) bool {
	for _, r := range rest {
		if r != ' ' && r != '\n' && r != '\t' && r != '\r' && r != ';' {
			return false
		}
	}
	return true
}
