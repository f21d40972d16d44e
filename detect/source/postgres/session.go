package postgres

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/detect/key"
	"twinrow/queries"
)

// patience bounds what is done for tidiness after the caller's context ended.
const patience = 5 * time.Second

// errClosed is what a nil session says: the source was closed.
var errClosed = errors.New("the source is closed")

// session is one connection. All of its statements go through the unnamed
// prepared statement and stay inside one transaction, so it works through a
// pooler that gives each transaction another server connection.
type session struct{ conn *pgx.Conn }

// connect opens a connection. A pooler that refuses the setting which makes
// every transaction read only by default is asked again without it, now and
// later: each of our transactions is read only by itself.
func connect(ctx context.Context, config *pgx.ConnConfig) (*session, error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "08P01" {
		delete(config.RuntimeParams, "default_transaction_read_only")
		conn, err = pgx.ConnectConfig(ctx, config)
	}
	if err != nil {
		return nil, err
	}
	return &session{conn}, nil
}

// begin starts the session's one transaction, in the snapshot given or in a
// new one.
func (s *session) begin(ctx context.Context, snapshot string, statements time.Duration) error {
	if err := s.do(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return err
	}
	if snapshot != "" {
		if err := s.do(ctx, "SET TRANSACTION SNAPSHOT "+queries.Literal(snapshot)); err != nil {
			return err
		}
	}
	return s.settle(ctx, statements, "off")
}

func (s *session) settle(ctx context.Context, statements time.Duration, rowSecurity string) error {
	timeout := strconv.FormatInt(statements.Milliseconds(), 10)
	return s.do(ctx, queries.Postgres("session_settings"), timeout, rowSecurity)
}

// do runs one statement and drops its rows.
func (s *session) do(ctx context.Context, sql string, args ...string) error {
	return s.stream(ctx, pgx.TextFormatCode, sql, args, func([][]byte) error { return nil })
}

// rows runs a statement of the catalogue and returns its rows as text; NULL is "".
func (s *session) rows(ctx context.Context, name string, args ...string) ([][]string, error) {
	var all [][]string
	err := s.stream(ctx, pgx.TextFormatCode, queries.Postgres(name), args, func(fields [][]byte) error {
		row := make([]string, len(fields))
		for i, f := range fields {
			row[i] = string(f)
		}
		all = append(all, row)
		return nil
	})
	return all, err
}

// one runs a statement of the catalogue and returns its first field.
func (s *session) one(ctx context.Context, name string, args ...string) (string, error) {
	rows, err := s.rows(ctx, name, args...)
	if err != nil {
		return "", err
	}
	if len(rows) == 0 || len(rows[0]) == 0 {
		return "", errors.New("the server returned no row")
	}
	return rows[0][0], nil
}

// stream runs one statement and hands on each row, valid during the call only.
// An error of visit stops the statement at the server and is returned.
func (s *session) stream(ctx context.Context, format int16, sql string, args []string, visit func([][]byte) error) error {
	if s == nil {
		return errClosed
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	values := make([][]byte, len(args))
	for i, a := range args {
		values[i] = []byte(a)
	}
	result := s.conn.PgConn().ExecParams(ctx, sql, values, nil, nil, []int16{format})
	var refused error
	for result.NextRow() {
		if refused != nil {
			continue
		}
		if refused = visit(result.Values()); refused != nil {
			stop()
		}
	}
	_, err := result.Close()
	if refused != nil {
		return refused
	}
	return err
}

// types prepares a statement without running it and returns the types of its columns.
func (s *session) types(ctx context.Context, sql string) ([]uint32, error) {
	if s == nil {
		return nil, errClosed
	}
	description, err := s.conn.PgConn().Prepare(ctx, "", sql, nil)
	if err != nil {
		return nil, err
	}
	if len(description.ParamOIDs) > 0 {
		return nil, &key.Problem{Code: key.CodeUsage, Message: "the SQL given holds a parameter such as $1, for which there is no value", Hint: "write the value itself"}
	}
	var types []uint32
	for _, f := range description.Fields {
		types = append(types, f.DataTypeOID)
	}
	return types, nil
}

// attempt runs f and, where it fails, takes the transaction back to where it
// was, so that the snapshot outlives the error.
func (s *session) attempt(ctx context.Context, f func() error) error {
	return s.within(ctx, f, false)
}

// aside runs f and takes the transaction back to where it was in any case:
// what f sets for the planner ends with it.
func (s *session) aside(ctx context.Context, f func() error) error {
	return s.within(ctx, f, true)
}

func (s *session) within(ctx context.Context, f func() error, back bool) error {
	if err := s.do(ctx, "SAVEPOINT twinrow"); err != nil {
		return err
	}
	err := f()
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err != nil || back {
		if lost := s.do(after, "ROLLBACK TO SAVEPOINT twinrow"); lost != nil {
			return cmp.Or(err, lost)
		}
	}
	return cmp.Or(err, s.do(after, "RELEASE SAVEPOINT twinrow"))
}

// close ends the transaction and the connection, also after the context of the
// work was cancelled.
func (s *session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !s.conn.IsClosed() {
		_ = s.do(ctx, "ROLLBACK")
	}
	_ = s.conn.Close(ctx)
}

// statement fills the named places of a statement. What is filled in is not
// looked at again, and the comment at the top, which must not be filled with
// SQL of several lines, is left out.
func statement(name string, places ...string) string {
	for i := 0; i < len(places); i += 2 {
		places[i] = "{" + places[i] + "}"
	}
	sql := queries.Postgres(name)
	for strings.HasPrefix(sql, "--") {
		_, sql, _ = strings.Cut(sql, "\n")
	}
	return strings.NewReplacer(places...).Replace(sql)
}
