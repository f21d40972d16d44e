package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/remediate/plan"
)

// plainError shows a server's error without its detail, which may hold rows.
type plainError struct{ err *pgconn.PgError }

func (e *plainError) Error() string {
	return fmt.Sprintf("%s (SQLSTATE %s)", e.err.Message, e.err.Code)
}
func (e *plainError) Unwrap() error { return e.err }

// explain turns an error of the server or the wire into a Problem that says
// what to do. doing is a gerund. A cancelled context stays visible to
// errors.Is, and a lock that did not come is a *lockError.
func explain(ctx context.Context, doing string, err error) error {
	var known *plan.Problem
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	case errors.As(err, &known):
		return err
	case errors.As(err, &refused):
		return explainCode(doing, refused)
	}
	return &plan.Problem{Code: plan.CodeConnection, Message: "the server went away while " + doing + "; what was not committed is rolled back", Hint: "run the same command again when the server is back: it goes on", Err: err}
}

func explainCode(doing string, e *pgconn.PgError) error {
	p := &plan.Problem{Code: plan.CodeUnsupported, Message: doing + " failed; nothing was changed", Hint: e.Hint, Err: &plainError{e}}
	switch {
	case e.Code == "55P03" || e.Code == "40P01" || e.Code == "40001":
		return &lockError{p.Err, "find who holds the lock with pg_blocking_pids() or wait until they are done"}
	case e.Code == "42501":
		p.Code, p.Hint = plan.CodePermission, "run as the table's owner, or have the right granted"
	case e.Code == "23503":
		p.Code, p.Message = plan.CodeStopped, fmt.Sprintf("rows of %s refer to a row that is to go (%s); everything was rolled back and nothing was changed", e.TableName, e.ConstraintName)
		p.Hint = "point those rows at the survivors first, then run again"
	case e.Code == "57014":
		p.Code, p.Hint = plan.CodeStopped, "the server's statement_timeout ended it, or somebody cancelled it; give the role more time, then run the same command again"
	case strings.HasPrefix(e.Code, "53"):
		p.Code, p.Hint = plan.CodeDisk, "free space or memory on the server, then run the same command again"
	case strings.HasPrefix(e.Code, "57P") || strings.HasPrefix(e.Code, "08"):
		p.Code, p.Message = plan.CodeConnection, "the server went away while "+doing+"; what was not committed is rolled back"
		p.Hint = "run the same command again when the server is back: it goes on"
	case p.Hint == "":
		p.Hint = "the error is the server's own; its manual lists the code " + e.Code
	}
	return p
}
