package apply

import (
	"context"

	"github.com/jackc/pgx/v5"

	"twinrow/remediate/plan"
)

// ownSession refuses a connection that a pooler hands on between transactions:
// what the online work sets for its session would reach strangers, and not us.
// A pooler shows by the process number that it made up for us. Whether it
// hands on shows while the guard's transaction holds a server's process: ours
// is another one in each transaction, or the one that the guard has.
func (o *postgresOnline) ownSession(ctx context.Context) error {
	process := func(conn *pgx.Conn) (pid uint32, err error) {
		err = conn.QueryRow(ctx, "SELECT pg_catalog.pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid)
		return pid, err
	}
	first, err := process(o.t.conn)
	if err != nil {
		return explain(ctx, "asking whose the connection is", err)
	}
	if first == o.t.conn.PgConn().PID() {
		return nil // nothing stands between
	}
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	handed, err := o.handedOn(short, first, process)
	if ctx.Err() == nil && short.Err() != nil {
		handed, err = true, nil // we wait for a process that we hold ourselves
	}
	if err != nil || !handed {
		return explain(ctx, "asking whose the connection is", err)
	}
	return &plan.Problem{
		Code:    plan.CodeUnsupported,
		Message: "a pooler hands the connection on between transactions, and the online strategy needs a session of its own; nothing was changed",
		Hint:    "give the server's own address, or a pool in session mode, or plan with --strategy atomic",
	}
}

// handedOn opens a third connection, whose transaction takes the server's
// process that ours has just left, where ours left it.
func (o *postgresOnline) handedOn(ctx context.Context, first uint32, process func(*pgx.Conn) (uint32, error)) (bool, error) {
	other, err := pgx.ConnectConfig(ctx, o.t.conn.Config())
	if err != nil {
		return false, err
	}
	defer func() { _ = other.Close(context.WithoutCancel(ctx)) }()
	if _, err := other.Exec(ctx, "BEGIN READ ONLY", pgx.QueryExecModeExec); err != nil {
		return false, err
	}
	theirs, err := process(other)
	if err != nil || theirs == first {
		return err == nil, err
	}
	again, err := process(o.t.conn)
	return again != first, err
}
