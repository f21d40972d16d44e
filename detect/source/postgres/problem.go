package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/detect/key"
)

// explain turns an error of the server or the wire into a Problem that says
// what to do. doing is a gerund, as in "reading public.tickets". A cancelled
// context stays visible to errors.Is.
func explain(ctx context.Context, doing string, err error) error {
	var known *key.Problem
	var refused *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	case errors.As(err, &known):
		return known
	case errors.As(err, &refused):
		return explainCode(doing, refused)
	case errors.As(err, &connect):
		hosts, ports := places(connect.Config)
		return &key.Problem{
			Code: key.CodeConnection,
			Message: fmt.Sprintf("cannot connect to the database %q as %q at %s port %s: %v", connect.Config.Database, connect.Config.User,
				strings.Join(hosts, ","), strings.Join(ports, ","), reason(connect)),
			Hint: "check host, port and network, and whether the server runs; pg_isready tells",
		}
	case broken(err):
		return gone(doing, err)
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// broken tells whether an error is the connection's end.
func broken(err error) bool {
	var network net.Error
	return errors.As(err, &network) || pgconn.SafeToRetry(err) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func gone(doing string, err error) *key.Problem {
	return &key.Problem{
		Code:    key.CodeConnection,
		Message: "the server went away while " + doing,
		Hint:    "nothing was changed; run the same command again when the server is back",
		Err:     err,
	}
}

// reason is the innermost cause of a failed connection: the outer ones repeat
// the user and every address tried.
func reason(err error) error {
	for {
		var next error
		switch e := err.(type) { //nolint:errorlint // the chain is walked by hand here
		case interface{ Unwrap() error }:
			next = e.Unwrap()
		case interface{ Unwrap() []error }:
			if all := e.Unwrap(); len(all) > 0 {
				next = all[len(all)-1]
			}
		}
		if next == nil {
			return err
		}
		err = next
	}
}

// answer is what a Problem says for a code or a class of codes of SQLSTATE.
type answer struct{ sqlstate, code, message, hint string }

// answers are tried in order. %s in a message is what we were doing; the
// server's own message follows as the cause.
var answers = []answer{
	{"28P01", key.CodeConnection, "the server refused the password", "check PGPASSWORD, the password file (~/.pgpass) or the connection string"},
	{"28", key.CodeConnection, "the server does not let this user in", "check the user's name, its right to log in, and the server's pg_hba.conf"},
	{"3D000", key.CodeNotFound, "no such database", "psql -l lists the databases of the server"},
	{"53300", key.CodeConnection, "the server has no connection left", "free one, or scan with --jobs 1"},
	{"53", key.CodeDisk, "the server ran out of room while %s", "free space or memory on the server, or raise temp_file_limit, and run the command again"},
	{"57P03", key.CodeConnection, "the server is not ready for connections", "wait until it has started and run the command again"},
	{"57P", key.CodeConnection, "the server went away while %s", "nothing was changed; run the same command again when the server is back"},
	{"08", key.CodeConnection, "the connection failed while %s", "nothing was changed; run the same command again"},
	{"57014", key.CodeTimeout, "the server cancelled a statement while %s", "give it more time with --statement-timeout, as in --statement-timeout 3h, or none with --statement-timeout 0; nothing was changed"},
	{"55P03", key.CodeBusy, "another session holds a lock that keeps us out while %s", "wait until its ALTER TABLE, VACUUM FULL or the like has ended and run the command again; pg_stat_activity shows it"},
	{"42501", key.CodePermission, "a right is missing while %s", "grant the role SELECT on the table and USAGE on its schema"},
	{"25006", key.CodeUsage, "twinrow only reads here, and the statement would write", "give a SELECT"},
	{"40001", key.CodeStopped, "the standby stopped us to keep up with its primary while %s", "scan again, or set hot_standby_feedback on the standby, or scan the primary"},
	{"22", key.CodeBadInput, "the database cannot work out a value while %s", "the key or the predicate meets a value that it cannot take; bound the rows with --where"},
	{"XX", key.CodeBadInput, "the server found its own data damaged while %s", "have the server's log and disk looked at before anything else; pg_amcheck tells more"},
}

// rowSecurityHint is the way out where rows are hidden from the role.
const rowSecurityHint = "duplicates could hide among them, and an index would meet them: scan as the table's owner (without FORCE ROW LEVEL SECURITY) or as a role with BYPASSRLS"

func explainCode(doing string, e *pgconn.PgError) *key.Problem {
	// What a view reads is not seen before it is read.
	if e.Code == "42501" && e.Routine == "check_enable_rls" {
		return &key.Problem{Code: key.CodePermission, Message: "row level security hides rows from this role while " + doing, Hint: rowSecurityHint, Err: e}
	}
	for _, a := range answers {
		if strings.HasPrefix(e.Code, a.sqlstate) {
			message := a.message
			if strings.Contains(message, "%s") {
				message = fmt.Sprintf(message, doing)
			}
			return &key.Problem{Code: a.code, Message: message, Hint: a.hint, Err: e}
		}
	}
	hint := e.Hint
	if hint == "" {
		hint = "the error is the server's own; its manual lists the code " + e.Code
	}
	return &key.Problem{Code: key.CodeUnsupported, Message: doing + " failed", Hint: hint, Err: e}
}
