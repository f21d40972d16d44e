package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

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
func (a *atOnce) ahead(ctx context.Context, groups []plan.WorkGroup, p pace) <-chan looked {
	found := make(chan looked, 1)
	if !a.due() || a.scout == nil {
		found <- looked{groups: groups, odd: groups, pace: p}
		return found
	}
	a.looks.Go(func() { found <- a.look(ctx, a.scout, groups, p) })
	return found
}

// look compares the rows of the groups with the evidence, without a lock.
// Where it cannot, none is seen.
func (a *atOnce) look(ctx context.Context, conn *pgx.Conn, groups []plan.WorkGroup, p pace) looked {
	out := looked{groups: groups, tried: true, pace: p}
	for left := groups; len(left) > 0; {
		began, part := time.Now(), left[:dialect.NextBatch(left, p.rows)]
		left = left[len(part):]
		versions, err := a.versions(ctx, conn, part)
		if err == nil {
			out.sort(part, versions)
			err = p.pause(ctx, time.Since(began))
		}
		if err != nil {
			return looked{groups: groups, odd: groups, tried: true, pace: p}
		}
	}
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

// clean removes what goes, portion by portion, until rows have been locked for
// long enough, sees that all is as it was looked at, and returns the portions
// that it did and what that did.
func (a *atOnce) clean(ctx context.Context, s *postgresSession, seen []*sight, p pace) (done []*sight, did map[string]plan.Effect, err error) {
	started, want := time.Now(), 0
	ask := &asking{a: a, s: s}
	before := ask.first(ctx)
	for i, part := range seen {
		began := time.Now()
		ask.clean(ctx, part)
		done, want = seen[:i+1], want+len(part.gone.groups)
		if len(done) == len(seen) {
			break
		}
		if err := ask.send(ctx); err != nil {
			return nil, nil, err
		}
		if time.Since(started) >= p.hold {
			break
		}
		if err := p.pause(ctx, time.Since(began)); err != nil {
			return nil, nil, err
		}
	}
	free := ask.free(ctx, done)
	ask.queue(ctx, "constraints", "SET CONSTRAINTS ALL IMMEDIATE")
	after := ask.effects(ctx)
	if err := ask.send(ctx); err != nil {
		return nil, nil, err
	}
	for i, part := range done {
		if left := len(part.kept.groups) - free[i]; left != 0 {
			if err := a.hold(ctx, s, part, left); err != nil {
				return nil, nil, err
			}
		}
	}
	did, err = s.asForetold(since(before, after), effects{s.sql.Quarantine(): {Inserted: int64(want)}, s.w.Table.Table: {Deleted: int64(want)}})
	return done, did, err
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
