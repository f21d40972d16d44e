package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/queries"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// patience bounds what is done for tidiness after the caller's context ended.
const patience = 5 * time.Second

// lockTimeout is how long one attempt waits for a lock: writers that queue
// behind ours wait as long.
const lockTimeout = "2s"

// postgresTarget is one connection. Everything happens inside transactions, by
// unnamed statements, so it works through a pooler too.
type postgresTarget struct {
	conn *pgx.Conn
	// joined is true inside together.
	joined bool
}

func openPostgres(ctx context.Context, dsn string) (Target, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil { // the error may repeat the string, password and all
		return nil, &plan.Problem{Code: plan.CodeUsage, Message: "the connection string cannot be read", Hint: "write it as postgres://USER@HOST:PORT/DATABASE, and leave the password to PGPASSWORD or ~/.pgpass"}
	}
	config.RuntimeParams["application_name"] = "twinrow/apply"
	config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	config.StatementCacheCapacity, config.DescriptionCacheCapacity = 0, 0
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, connectProblem(ctx, config, err)
	}
	return &postgresTarget{conn: conn}, nil
}

func connectProblem(ctx context.Context, config *pgx.ConnConfig, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p := &plan.Problem{Code: plan.CodeConnection, Message: fmt.Sprintf("cannot connect to the database %q as %q", config.Database, config.User), Hint: "check host, port and network, and whether the server runs; pg_isready tells"}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		p.Err, p.Hint = refused, "check the user, the password (PGPASSWORD or ~/.pgpass) and the database's name"
	}
	return p
}

// Close ends the connection.
func (t *postgresTarget) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return t.conn.Close(ctx)
}

// identify compares the cluster's number and the database's OID where both are
// known, and else the database's name.
func (t *postgresTarget) identify(ctx context.Context, opened *plan.Case) error {
	var database, oid, system string
	var recovering bool
	if err := t.conn.QueryRow(ctx, queries.Postgres("apply_identity")).Scan(&database, &oid, &recovering); err != nil {
		return explain(ctx, "asking which database this is", err)
	}
	if recovering {
		return &plan.Problem{Code: plan.CodeUnsupported, Message: "the server is a standby and takes no changes", Hint: "name the primary"}
	}
	if err := t.conn.QueryRow(ctx, queries.Postgres("apply_cluster")).Scan(&system); err != nil {
		system = "" // some hosts take the right to ask away
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	want := opened.Source
	if want.Identity != "" && system != "" && want.Identity != system+"/"+oid || (want.Identity == "" || system == "") && want.Database != database {
		return &plan.Problem{Code: plan.CodeDrift, Message: fmt.Sprintf("the database %q here is not the one that was scanned (%q)", database, want.Database), Hint: "name the database of the case, or scan this one"}
	}
	return nil
}

// suits tells whether a plan is for this engine.
func (t *postgresTarget) suits(engine string) bool { return engine == "postgres" }

// together begins the one transaction of a rehearsal.
func (t *postgresTarget) together(ctx context.Context) (done func(), err error) {
	s := &postgresSession{conn: t.conn}
	if err := s.exec(ctx, "starting a transaction", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"); err != nil {
		return nil, err
	}
	t.joined = true
	return func() { t.joined = false; s.rollback() }, nil
}

// begin opens a transaction under the lock that the purpose needs.
func (t *postgresTarget) begin(ctx context.Context, w *plan.Work, n int, why purpose) (session, error) {
	s := &postgresSession{conn: t.conn, w: w, sql: dialect.NewPostgres(w, n), joined: t.joined}
	if err := s.start(ctx, why); err != nil {
		s.rollback()
		return nil, err
	}
	return s, nil
}

func (s *postgresSession) start(ctx context.Context, why purpose) error {
	start := "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE" // each statement sees what was committed before our lock
	if why == forVerify {
		start = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE" // its work table is temporary; nothing else is written
	}
	if s.joined { // constraints wait again, as at the start of a transaction of its own
		start = dialect.DeferConstraints
	}
	settings := append([]string{start, "SET LOCAL lock_timeout = '" + lockTimeout + "'"}, dialect.PostgresSettings...)
	if why == forVerify {
		settings = append(settings, dialect.PostgresVerifySettings...)
	}
	if err := s.exec(ctx, "starting a transaction", strings.Join(settings, "; ")); err != nil {
		return err
	}
	if why == forApply || why == forUndo {
		if err := s.lockCase(ctx); err != nil {
			return err
		}
	}
	if err := s.preflight(ctx, why); err != nil {
		return err
	}
	mode := map[purpose]string{forApply: "SHARE ROW EXCLUSIVE", forUndo: "ACCESS EXCLUSIVE", forVerify: "ACCESS SHARE", forBatch: "ROW EXCLUSIVE", forBack: "ROW EXCLUSIVE", forTrial: "SHARE ROW EXCLUSIVE"}[why]
	if err := s.exec(ctx, "locking "+s.w.Table.Table, "LOCK TABLE "+s.sql.Target()+" IN "+mode+" MODE"); err != nil {
		return err
	}
	if why == forBatch || why == forBack { // from here on rows are locked, and others may wait for them
		if err := s.exec(ctx, "starting a transaction", "SET LOCAL lock_timeout = '"+shortLock+"'"); err != nil {
			return err
		}
	}
	return s.columns(ctx)
}

// lockCase keeps two machines with copies of one case apart.
func (s *postgresSession) lockCase(ctx context.Context) error {
	var got bool
	if err := s.conn.QueryRow(ctx, dialect.PostgresLockCase(s.w.CaseID)).Scan(&got); err != nil {
		return explain(ctx, "locking the case", err)
	}
	if !got {
		return &plan.Problem{Code: plan.CodeBusy, Message: "another run works on this case in the database", Hint: "wait until it has ended, then run the command again"}
	}
	return nil
}
