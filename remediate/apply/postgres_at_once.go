package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"twinrow/queries"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// atOnceLock is how long a batch that is done at once waits for one row.
const atOnceLock = "10ms"

// onePlan saves planning the same statements for each batch: which plan is
// good does not hang on the rows.
const onePlan = "SET LOCAL plan_cache_mode = force_generic_plan"

// longestSkip is how many batches are done with care, at most, before it is
// tried again to do one at once.
const longestSkip = 31

// atOnce does batches of an online clean-up in few messages to the server and
// with short locks, as long as everything is as the evidence has it. Whatever
// is otherwise rolls the batch back; it is then done with care, which finds
// out what it was.
//
// Rows are compared with the evidence before they are locked, and what is
// deleted under the lock is the very version that was compared: a version
// never changes. The survivors are looked at again after that. One of them is
// locked only where somebody has had a lock on it: who comes later and goes by
// both rows waits for the other one, and each lock would write a page to the log.
type atOnce struct {
	o       *postgresOnline
	idTypes []string
	// scout looks at the next batch while the one before is at work; nil where
	// the server has no room for it.
	scout *pgx.Conn
	looks sync.WaitGroup
	// skip batches are done with care before the next try; skipped was the
	// number after the last one that missed.
	skip, skipped int
}

// atOnceOf is nil where no batch can be done at once.
func atOnceOf(o *postgresOnline) *atOnce {
	named := slices.ContainsFunc(o.w.References, func(r plan.Reference) bool { return r.Declared }) // which no constraint guards
	if o.facts.hasRules || !o.sql.HasOwnID() || o.w.ChangesRows() || named {
		return nil
	}
	return &atOnce{o: o}
}

// due tells whether the next batch is to be tried.
func (a *atOnce) due() bool {
	if a == nil {
		return false
	}
	a.skip--
	return a.skip < 0
}

// learn spares tries that miss over and over.
func (a *atOnce) learn(hit bool) {
	if hit {
		a.skipped = 0
		return
	}
	a.skipped = min(2*a.skipped+1, longestSkip)
	a.skip = a.skipped
}

// errAtOnce says that something is otherwise than the evidence has it.
var errAtOnce = errors.New("the batch cannot be done at once")

// prepare makes a statement known to the server, once, and returns its name.
func (a *atOnce) prepare(ctx context.Context, conn *pgx.Conn, of, sql string) (string, error) {
	name := fmt.Sprintf("twinrow_%d_%s", a.o.n, of)
	_, err := conn.Prepare(ctx, name, sql)
	return name, explain(ctx, "preparing the work", err)
}

// open gets ready; where the server has no room for one more connection,
// everything is done with care.
func (a *atOnce) open(ctx context.Context) {
	if a == nil {
		return
	}
	s := a.o.session(a.o.w)
	s.facts = a.o.facts
	if s.columns(ctx) != nil {
		return // the first batch says why
	}
	a.idTypes = s.idTypes
	if scout, err := pgx.ConnectConfig(ctx, a.o.t.conn.Config()); err == nil {
		a.scout = scout
	}
}

// close waits for a look that is at work, and forgets the statements.
func (a *atOnce) close(ctx context.Context) {
	if a == nil || a.scout == nil {
		return
	}
	a.looks.Wait()
	_ = a.scout.Close(ctx)
	if !a.o.lost() {
		_ = a.o.t.conn.DeallocateAll(ctx) // else they go with the connection
	}
}

// sessions are the connections of its own.
func (a *atOnce) sessions() []*pgx.Conn {
	if a == nil || a.scout == nil {
		return nil
	}
	return []*pgx.Conn{a.scout}
}

// ahead looks at groups while others are at work.
func (a *atOnce) ahead(ctx context.Context, groups []plan.WorkGroup) <-chan looked {
	found := make(chan looked, 1)
	if !a.due() || a.scout == nil {
		found <- looked{groups: groups, odd: groups}
		return found
	}
	a.looks.Go(func() { found <- a.look(ctx, a.scout, groups) })
	return found
}

// look compares the rows of the groups with the evidence, without a lock.
// Where it cannot, none is seen.
func (a *atOnce) look(ctx context.Context, conn *pgx.Conn, groups []plan.WorkGroup) looked {
	out := looked{groups: groups, tried: true}
	versions, err := a.versions(ctx, conn, groups)
	if err != nil {
		out.odd = groups
		return out
	}
	out.sort(versions)
	return out
}

// versions are those of the rows of lookArgs that are as the evidence has
// them, in their order; others, and those whose id several rows have, are the
// zero version.
func (a *atOnce) versions(ctx context.Context, conn *pgx.Conn, groups []plan.WorkGroup) ([]version, error) {
	s := a.o.session(dialect.Batch(a.o.w, groups))
	s.conn = conn
	defer s.rollback()
	start := append([]string{"BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY", onePlan, "SET LOCAL lock_timeout = '" + lockTimeout + "'"}, dialect.PostgresSettings...)
	if err := s.exec(ctx, "starting a transaction", strings.Join(start, "; ")); err != nil {
		return nil, err
	}
	name, err := a.prepare(ctx, conn, "look", s.sql.Look(a.idTypes))
	if err != nil {
		return nil, err
	}
	args, n, err := lookArgs(groups, len(a.idTypes))
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, name, args...)
	if err != nil {
		return nil, explain(ctx, "comparing the rows", err)
	}
	versions, times := make([]version, n), make([]int, n)
	var number int
	var v version
	_, err = pgx.ForEachRow(rows, []any{&number, &v.place, &v.heap, &v.writer}, func() error {
		if times[number-1]++; times[number-1] > 1 {
			versions[number-1] = version{}
		} else {
			versions[number-1] = v
		}
		return nil
	})
	return versions, explain(ctx, "comparing the rows", err)
}

// begin opens a batch's transaction.
func (a *atOnce) begin(ctx context.Context, s *postgresSession) error {
	start := []string{"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", onePlan, "SET LOCAL lock_timeout = '" + lockTimeout + "'"}
	start = append(append(start, dialect.PostgresSettings...), "LOCK TABLE "+s.sql.Target()+" IN ROW EXCLUSIVE MODE", "SET LOCAL lock_timeout = '"+atOnceLock+"'", s.sql.CreateQuarantine())
	return s.exec(ctx, "starting a transaction", strings.Join(start, "; "))
}

// clean removes what goes, sees that all is as it was looked at, and returns
// what that did.
func (a *atOnce) clean(ctx context.Context, s *postgresSession, seen *sight) (map[string]plan.Effect, error) {
	var b pgx.Batch
	schema, table := plan.SplitName("postgres", s.w.Table.Table)
	for _, step := range []struct {
		of, sql string
		args    []any
	}{
		{"table", queries.Postgres("apply_table"), []any{schema, table}},
		{"columns", queries.Postgres("apply_columns"), []any{a.o.facts.oid}},
		{"effects", queries.Postgres("apply_effects"), []any{s.counted()}},
		{"clean", s.sql.CleanSeen(), seen.goneArgs()},
		{"free", s.sql.SeenFree(), seen.kept.args()},
		{"constraints", "SET CONSTRAINTS ALL IMMEDIATE", nil},
		{"effects", queries.Postgres("apply_effects"), []any{s.counted()}},
	} {
		name, err := a.prepare(ctx, s.conn, step.of, step.sql)
		if err != nil {
			return nil, err
		}
		b.Queue(name, step.args...)
	}
	results := s.conn.SendBatch(ctx, &b)
	want := len(seen.gone.groups)
	free, did, err := a.read(results, s, want)
	if err = errors.Join(err, results.Close()); err != nil {
		return nil, explain(ctx, "removing rows", err)
	}
	if left := len(seen.kept.groups) - free; left != 0 {
		if err := a.hold(ctx, s, seen, left); err != nil {
			return nil, err
		}
	}
	return s.asForetold(did, effects{s.sql.Quarantine(): {Inserted: int64(want)}, s.w.Table.Table: {Deleted: int64(want)}})
}

// read reads what the server answers to a batch, in its order.
func (a *atOnce) read(results pgx.BatchResults, s *postgresSession, want int) (free int, did effects, err error) {
	var now facts
	if err := now.read(results.QueryRow()); err != nil || now != a.o.facts {
		return 0, nil, cmp.Or(err, errAtOnce)
	}
	rows, err := results.Query()
	if err != nil {
		return 0, nil, err
	}
	columns, err := readColumns(rows)
	if err := cmp.Or(err, sameColumns(s.w, columns)); err != nil {
		return 0, nil, err
	}
	before, err := readEffects(results.Query())
	if err != nil {
		return 0, nil, err
	}
	if tag, err := results.Exec(); err != nil || int(tag.RowsAffected()) != want {
		return 0, nil, cmp.Or(err, errAtOnce)
	}
	var groups int
	if err := results.QueryRow().Scan(&free, &groups); err != nil || free != groups {
		return 0, nil, cmp.Or(err, errAtOnce)
	}
	if _, err := results.Exec(); err != nil {
		return 0, nil, err
	}
	after, err := readEffects(results.Query())
	return free, since(before, after), err
}

// hold locks the survivors that somebody had locked before.
func (a *atOnce) hold(ctx context.Context, s *postgresSession, seen *sight, want int) error {
	name, err := a.prepare(ctx, s.conn, "held", s.sql.SeenHeld())
	if err != nil {
		return err
	}
	var held, groups int
	if err := s.conn.QueryRow(ctx, name, seen.kept.args()...).Scan(&held, &groups); err != nil {
		return explain(ctx, "locking the rows", err)
	}
	if held != want || groups != want {
		return errAtOnce
	}
	return nil
}
