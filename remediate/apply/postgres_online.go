package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/queries"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// shortLock is how long an online step waits for a lock that keeps others
// waiting behind it.
const shortLock = "100ms"

// postgresOnline is one table that is worked on online: many transactions on
// one connection, while another keeps other runs of the case away.
type postgresOnline struct {
	t     *postgresTarget
	w     *plan.Work
	n     int
	sql   dialect.Postgres
	facts facts
	guard *pgx.Conn
	// buildWait bounds one wait of the concurrent build, which nobody waits for.
	buildWait time.Duration
}

// online takes the case's lock for the whole run, in a transaction of its own
// that has no snapshot, so that it holds nothing up, and works through a pooler.
func (t *postgresTarget) online(ctx context.Context, w *plan.Work, n int, lockWait time.Duration) (*postgresOnline, error) {
	guard, err := pgx.ConnectConfig(ctx, t.conn.Config())
	if err != nil {
		return nil, connectProblem(ctx, t.conn.Config(), err)
	}
	if lockWait == 0 {
		lockWait = defaultLockWait
	}
	o := &postgresOnline{t: t, w: w, n: n, sql: dialect.NewPostgres(w, n), guard: guard, buildWait: 10 * lockWait}
	if err := o.open(ctx); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

func (o *postgresOnline) open(ctx context.Context) error {
	g := &postgresSession{conn: o.guard, w: o.w, sql: o.sql}
	if err := g.exec(ctx, "locking the case", "BEGIN ISOLATION LEVEL READ COMMITTED"); err != nil {
		return err
	}
	if err := g.lockCase(ctx); err != nil {
		return err
	}
	// This also ends the query before it, whose snapshot would otherwise stay
	// until the transaction ends, and every concurrent build would wait for it.
	if err := g.exec(ctx, "locking the case", "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
		return err
	}
	if err := o.ownSession(ctx); err != nil {
		return err
	}
	for _, sql := range []string{
		"SET lock_timeout = '" + shortLock + "'", "SET statement_timeout = 0", "SET default_transaction_read_only = off",
		queries.Postgres("apply_neighbour"),
	} {
		if err := o.exec(ctx, "preparing the connection", sql); err != nil {
			return err
		}
	}
	return o.preflight(ctx)
}

// close gives the connection back as it was and lets other runs have the case.
func (o *postgresOnline) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !o.t.conn.IsClosed() {
		_, _ = o.t.conn.PgConn().Exec(ctx, "RESET lock_timeout; RESET statement_timeout; RESET default_transaction_read_only; RESET max_parallel_maintenance_workers; RESET maintenance_work_mem").ReadAll()
	}
	// A closed connection's transaction ends a moment later only, and the next run would be refused.
	_, _ = o.guard.PgConn().Exec(ctx, "ROLLBACK").ReadAll()
	_ = o.guard.Close(ctx)
}

// preflight looks at the table and the rights once more than each batch does,
// before the first change.
func (o *postgresOnline) preflight(ctx context.Context) error {
	s := o.session(o.w)
	if err := s.preflight(ctx, forBatch); err != nil {
		return err
	}
	o.facts = s.facts
	if o.w.Operation(plan.OpFence) == nil {
		return nil
	}
	var trigger, language bool
	if err := o.t.conn.QueryRow(ctx, o.sql.FenceRights()).Scan(&trigger, &language); err != nil {
		return explain(ctx, "reading the catalogue", err)
	}
	for _, right := range []struct {
		has  bool
		what string
	}{{trigger, "TRIGGER on " + o.w.Table.Table}, {language, "USAGE on the language plpgsql"}} {
		if !right.has {
			return &plan.Problem{Code: plan.CodePermission, Message: "rights are missing: " + right.what + " (for the fence); nothing was changed", Hint: "have the right granted, or plan with --strategy atomic"}
		}
	}
	return nil
}

func (o *postgresOnline) session(w *plan.Work) *postgresSession {
	return &postgresSession{conn: o.t.conn, w: w, sql: dialect.NewPostgres(w, o.n)}
}

// exec runs one statement by itself.
func (o *postgresOnline) exec(ctx context.Context, doing, sql string) error {
	_, err := o.t.conn.Exec(ctx, sql, pgx.QueryExecModeExec)
	return explain(ctx, doing, err)
}

// alive sees that no other run can have taken the case meanwhile.
func (o *postgresOnline) alive(ctx context.Context) error {
	_, err := o.guard.Exec(ctx, "SELECT 1", pgx.QueryExecModeExec)
	return explain(ctx, "keeping the case's lock", err)
}

// lost tells whether the connection is gone, and with it the knowledge of what
// became of the last statement.
func (o *postgresOnline) lost() bool { return o.t.conn.IsClosed() }

// state reads the quarantine, the index and the fence.
func (o *postgresOnline) state(ctx context.Context) (state, error) {
	s := o.session(withoutIndex(o.w))
	out, err := s.state(ctx)
	if err != nil || o.w.Index() == nil {
		return out, err
	}
	if out.index, err = o.standing(ctx); err != nil {
		return out, err
	}
	replaced := "false"
	if out.index == indexOurs && o.w.Index().Replaces != nil {
		replaced = o.sql.ReplacedStands(false)
	}
	err = o.t.conn.QueryRow(ctx, "SELECT "+o.sql.FenceUp()+", "+o.sql.FenceRemains()+", "+o.sql.BuildRemains()+", "+replaced).Scan(&out.fenced, &out.fenceLeft, &out.buildLeft, &out.replacedLeft)
	return out, explain(ctx, "reading the catalogue", err)
}

// withoutIndex is the work as far as its rows are concerned.
func withoutIndex(w *plan.Work) *plan.Work {
	out, table := *w, *w.Table
	table.Operations = nil
	out.Table = &table
	return &out
}

// standing compares the index of the plan's name with the plan, by the
// server's own wording of both.
func (o *postgresOnline) standing(ctx context.Context) (indexState, error) {
	var standing string
	err := o.rolledBack(ctx, func() error {
		for _, sql := range o.sql.ShapeTable() {
			if err := o.exec(ctx, "comparing the index", sql); err != nil {
				return err
			}
		}
		return explain(ctx, "comparing the index", o.t.conn.QueryRow(ctx, o.sql.IndexStanding()).Scan(&standing))
	})
	return map[string]indexState{"none": indexNone, "wrong": indexWrong, "ours": indexOurs, "other": indexOther, "inert": indexInert, "enforcing": indexEnforcing}[standing], err
}

// rolledBack does something in a transaction of which nothing stays.
func (o *postgresOnline) rolledBack(ctx context.Context, do func() error) error {
	if err := o.exec(ctx, "starting a transaction", "BEGIN READ WRITE"); err != nil {
		return err
	}
	err := do()
	if o.lost() {
		return err
	}
	return errors.Join(err, o.exec(context.WithoutCancel(ctx), "ending a transaction", "ROLLBACK"))
}

// together runs statements in one transaction.
func (o *postgresOnline) together(ctx context.Context, doing string, statements ...string) error {
	steps := append(append([]string{"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", "SET LOCAL standard_conforming_strings = on"}, statements...), "COMMIT")
	for _, sql := range steps {
		if err := o.exec(ctx, doing, sql); err != nil {
			if !o.lost() {
				err = errors.Join(err, o.exec(context.WithoutCancel(ctx), doing, "ROLLBACK"))
			}
			return err
		}
	}
	return nil
}

// each runs the statements that a query returns, one by one and each by
// itself. A cancelled context ends the one at work on the server and keeps the
// connection for the tidying up.
func (o *postgresOnline) each(ctx context.Context, doing, query string) error {
	rows, err := o.t.conn.Query(ctx, query)
	if err != nil {
		return explain(ctx, doing, err)
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return explain(ctx, doing, err)
	}
	for _, sql := range statements {
		stop := context.AfterFunc(ctx, func() {
			tidy, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			_ = o.t.conn.PgConn().CancelRequest(tidy) // else it ends by itself
		})
		_, err := o.t.conn.Exec(context.WithoutCancel(ctx), sql, pgx.QueryExecModeExec)
		stop()
		if err := explain(ctx, doing, err); err != nil {
			return err
		}
	}
	return nil
}

// waitLong lets statements that nobody waits for wait for open transactions.
func (o *postgresOnline) waitLong(ctx context.Context, do func() error) error {
	set := func(wait string) error {
		return o.exec(context.WithoutCancel(ctx), "preparing the connection", "SET lock_timeout = '"+wait+"'")
	}
	if err := set(fmt.Sprintf("%dms", max(1, o.buildWait.Milliseconds()))); err != nil {
		return err
	}
	err := do()
	if o.lost() {
		return err
	}
	return errors.Join(err, set(shortLock))
}

// fence puts the fence up: its index first, so that the look-up is fast from
// the first row on.
func (o *postgresOnline) fence(ctx context.Context) error {
	err := o.waitLong(ctx, func() error {
		if err := o.each(ctx, "building the fence's index", o.sql.DropBrokenHelpers()); err != nil {
			return err
		}
		return o.each(ctx, "building the fence's index", o.sql.HelperStatements())
	})
	if err != nil {
		return err
	}
	return o.together(ctx, "putting up the fence", dialect.DoBlock(o.sql.FenceBlock()...))
}

// unfence takes the fence away, and whatever a crash left of one.
func (o *postgresOnline) unfence(ctx context.Context) error {
	if err := o.together(ctx, "taking the fence away", o.sql.FenceDown()...); err != nil {
		return err
	}
	return o.waitLong(ctx, func() error { return o.each(ctx, "dropping the fence's index", o.sql.DropHelpers()) })
}

// build builds the index. Duplicates that are there are an *arrivedError.
func (o *postgresOnline) build(ctx context.Context) error {
	err := o.waitLong(ctx, func() error {
		if err := o.each(ctx, "dropping an index that was not finished", o.sql.DropBuilt(true)); err != nil {
			return err
		}
		return o.each(ctx, "building the index", o.sql.BuildStatements())
	})
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "23505" {
		keys, err := o.session(o.w).duplicates(ctx)
		if err != nil {
			return err
		}
		return arrived(o.w, keys)
	}
	return err
}

// finish gives the index that was built its name.
func (o *postgresOnline) finish(ctx context.Context) error {
	return o.together(ctx, "finishing the index", dialect.DoBlock(o.sql.FinishBlock()...))
}

// dropBuilt drops what was built and not finished.
func (o *postgresOnline) dropBuilt(ctx context.Context) error {
	return o.waitLong(ctx, func() error {
		return o.each(ctx, "dropping an index that was not finished", o.sql.DropBuilt(false))
	})
}

// begin opens the transaction of a batch, over some of the groups.
func (o *postgresOnline) begin(ctx context.Context, groups []plan.WorkGroup, why purpose) (*postgresSession, error) {
	s := o.session(dialect.Batch(o.w, groups))
	if err := s.start(ctx, why); err != nil {
		s.rollback()
		return nil, err
	}
	return s, nil
}

// lockFree locks the rows of the work, and returns the groups of which somebody
// else has one.
func (s *postgresSession) lockFree(ctx context.Context) ([]int, error) {
	rows, err := s.conn.Query(ctx, s.sql.LockFree())
	if err != nil {
		return nil, explain(ctx, "locking the rows", err)
	}
	groups, err := pgx.CollectRows(rows, pgx.RowTo[int])
	return groups, explain(ctx, "locking the rows", err)
}

// others tells whether other sessions than ours are at work.
func (o *postgresOnline) others(ctx context.Context, ours ...*pgx.Conn) (at bool, err error) {
	processes := []int32{}
	for _, conn := range append(ours, o.t.conn, o.guard) {
		processes = append(processes, int32(conn.PgConn().PID()))
	}
	err = o.t.conn.QueryRow(ctx, queries.Postgres("apply_others"), processes).Scan(&at)
	return at, explain(ctx, "looking whether others are at work", err)
}

// lag is how far the standby that is furthest behind has replayed.
func (o *postgresOnline) lag(ctx context.Context) (time.Duration, error) {
	var hidden int
	var microseconds int64
	if err := o.t.conn.QueryRow(ctx, queries.Postgres("apply_lag")).Scan(&hidden, &microseconds); err != nil {
		return 0, explain(ctx, "reading how far the standbys are", err)
	}
	if hidden > 0 {
		return 0, &plan.Problem{Code: plan.CodePermission, Message: "the role may not see how far the standbys are, which --max-lag needs", Hint: "GRANT pg_monitor to the role, or leave --max-lag out"}
	}
	return time.Duration(microseconds) * time.Microsecond, nil
}
