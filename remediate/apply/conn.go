package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Conn runs single statements that are no part of a plan, each a transaction
// of its own. The demo's shop writes through it: it is the application there,
// and applications do not plan.
//
// Placeholders are $1, $2… in order of their first use, on every engine.
type Conn struct {
	postgres *pgx.Conn
	lite     *sqlite.Conn
}

// waitForWriter is how long a statement waits for another writer of a SQLite file.
const waitForWriter = 10 * time.Second

// Connect opens a connection to "postgres", or to "sqlite", where a file that
// does not exist is created. No part of a connection string is ever in an error.
func Connect(ctx context.Context, engine, where string) (*Conn, error) {
	if engine == "postgres" {
		conn, err := pgx.Connect(ctx, where)
		if err != nil {
			return nil, errors.New("connecting to the server: it does not answer, or refuses the user")
		}
		return &Conn{postgres: conn}, nil
	}
	conn, err := sqlite.OpenConn(where, sqlite.OpenReadWrite|sqlite.OpenCreate|sqlite.OpenWAL)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	conn.SetBusyTimeout(waitForWriter)
	// With the write-ahead log a commit then needs no sync of its own; what a
	// power cut takes is only the last of it, never the file's integrity
	// (sqlite.org/pragma.html#pragma_synchronous).
	if err := sqlitex.ExecuteTransient(conn, "PRAGMA synchronous = NORMAL", nil); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the database: %w", err), conn.Close())
	}
	return &Conn{lite: conn}, nil
}

// Close ends the connection.
func (c *Conn) Close() error {
	if c.lite != nil {
		return c.lite.Close()
	}
	return c.postgres.Close(context.Background())
}

// Text runs one statement and returns the first value of its first row as
// text; ok is false where it gave no row or NULL.
func (c *Conn) Text(ctx context.Context, sql string, args ...any) (text string, ok bool, err error) {
	if c.lite != nil {
		c.lite.SetInterrupt(ctx.Done())
		// Else the end of this ctx would interrupt the checkpoint of Close.
		defer c.lite.SetInterrupt(nil)
		err := sqlitex.ExecuteTransient(c.lite, sql, &sqlitex.ExecOptions{Args: args, ResultFunc: func(stmt *sqlite.Stmt) error {
			if !ok && !stmt.ColumnIsNull(0) {
				text, ok = stmt.ColumnText(0), true
			}
			return nil
		}})
		return text, ok, err
	}
	rows, err := c.postgres.Query(ctx, sql, args...)
	if err != nil {
		return "", false, err
	}
	defer rows.Close()
	if rows.Next() {
		if raw := rows.RawValues(); len(raw) > 0 && raw[0] != nil {
			var value any
			if err := rows.Scan(&value); err != nil {
				return "", false, err
			}
			text, ok = fmt.Sprint(value), true
		}
	}
	rows.Close()
	return text, ok, rows.Err()
}

// Taken tells whether a statement failed because a unique index holds the key already.
func Taken(err error) bool {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refused.Code == "23505" // unique_violation
	}
	return err != nil && sqlite.ErrCode(err) == sqlite.ResultConstraintUnique
}
