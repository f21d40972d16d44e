package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// Query runs one SELECT of a person's own in a read-only transaction of its
// own, so it sees what is committed now, with that role's own row security.
// Arguments are text for $1, $2 and so on.
func (s *Source) Query(ctx context.Context, sql string, args []string) ([][]source.Value, error) {
	if s.asker == nil || s.asker.conn.IsClosed() {
		asker, err := connect(ctx, s.config)
		if err != nil {
			return nil, explain(ctx, "opening the database", err)
		}
		s.asker = asker
	}
	rows, err := s.ask(ctx, sql, args)
	if err != nil {
		// Whatever state it left behind, the next question starts afresh.
		s.asker.close()
		s.asker = nil
		return nil, askProblem(ctx, err)
	}
	return rows, nil
}

func (s *Source) ask(ctx context.Context, sql string, args []string) ([][]source.Value, error) {
	if err := s.asker.do(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"); err != nil {
		return nil, err
	}
	if err := s.asker.settle(ctx, s.options.StatementTimeout, "on"); err != nil {
		return nil, err
	}
	var rows [][]source.Value
	if err := s.asker.stream(ctx, 0, sql, args, func(fields [][]byte) error {
		rows = append(rows, values(fields))
		return nil
	}); err != nil {
		return nil, err
	}
	return rows, s.asker.do(ctx, "ROLLBACK")
}

// askProblem explains an error of a person's own SQL: a mistake in it is
// theirs to mend, the rest is as everywhere.
func askProblem(ctx context.Context, err error) error {
	var e *pgconn.PgError
	if ctx.Err() != nil || !errors.As(err, &e) || !strings.HasPrefix(e.Code, "42") && e.Code != "08P01" || e.Code == "42501" {
		return explain(ctx, "running the query", err)
	}
	p := &key.Problem{Code: key.CodeUsage, Message: "the query is not right: " + e.Message, Hint: e.Hint}
	if e.Position > 0 {
		p.Message += fmt.Sprintf(" at character %d", e.Position)
	}
	if p.Hint == "" {
		p.Hint = "give one SELECT with an argument for each of $1, $2 and so on"
	}
	return p
}
