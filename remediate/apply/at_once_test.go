package apply

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"twinrow/remediate/plan"
)

// runOf opens the table of a story for online work, as a run does.
func (s *story) runOf() *onlineRun {
	s.t.Helper()
	target := s.open()
	s.t.Cleanup(func() { _ = target.Close() })
	works, err := prepare(target, s.opened, s.plan)
	if err != nil {
		s.t.Fatal(err)
	}
	l, err := openLog(s.opened.Dir, false)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = l.Close() })
	r := &runner{t: target, p: s.plan, log: l, dir: s.opened.Dir}
	run, err := r.onlineOf(context.Background(), works[0], 1, &TableResult{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(run.o.close)
	run.once.open(context.Background())
	s.t.Cleanup(func() { run.once.close(context.Background()) })
	return run
}

// TestWhatChangedSinceTheLookIsNotDoneAtOnce changes something between the
// look at a batch and its locks.
func TestWhatChangedSinceTheLookIsNotDoneAtOnce(t *testing.T) {
	for _, c := range []struct {
		name, before, meanwhile string
		open, hit               bool
	}{
		{name: "nothing", meanwhile: "SELECT", hit: true},
		{name: "a row that goes was changed", meanwhile: "UPDATE tickets SET email = 'x@example.com' WHERE id = {gone}"},
		{name: "a row that goes was written again as it is", meanwhile: "UPDATE tickets SET email = email WHERE id = {gone}"},
		{name: "a row that goes is gone", meanwhile: "DELETE FROM tickets WHERE id = {gone}"},
		{name: "a row that goes is locked", meanwhile: "SELECT FROM tickets WHERE id = {gone} FOR UPDATE", open: true},
		{name: "a row that goes is being deleted", meanwhile: "DELETE FROM tickets WHERE id = {gone}", open: true},
		{name: "a row that goes was locked once", before: "SELECT FROM tickets WHERE id = {gone} FOR UPDATE", meanwhile: "SELECT", hit: true},
		{name: "a survivor was changed", meanwhile: "UPDATE tickets SET email = 'x@example.com' WHERE id = {kept}"},
		{name: "a survivor is gone", meanwhile: "DELETE FROM tickets WHERE id = {kept}"},
		{name: "a survivor is being changed", meanwhile: "UPDATE tickets SET email = email WHERE id = {kept}", open: true},
		{name: "a survivor is being deleted", meanwhile: "DELETE FROM tickets WHERE id = {kept}", open: true},
		{name: "a survivor is locked", meanwhile: "SELECT FROM tickets WHERE id = {kept} FOR UPDATE", open: true},
		{name: "a survivor was locked once", before: "SELECT FROM tickets WHERE id = {kept} FOR UPDATE", meanwhile: "SELECT", hit: true},
		{name: "a survivor is referred to by a new row", meanwhile: "SELECT FROM tickets WHERE id = {kept} FOR KEY SHARE", open: true, hit: true},
		{name: "the table has a new column", meanwhile: "ALTER TABLE tickets ADD COLUMN new text"},
		{name: "the table has a rule", meanwhile: "CREATE RULE keep AS ON DELETE TO tickets DO INSTEAD NOTHING"},
		{name: "a trigger keeps rows", meanwhile: "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER keep BEFORE DELETE ON tickets FOR EACH ROW EXECUTE FUNCTION keep()"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			s := databases[slicesIndex("postgres", "tickets")].online(t)
			group := s.plan.Tables[0].Groups[0]
			gone, _ := group.Remove[0].Get("id")
			kept, _ := group.Keep.Get("id")
			fill := strings.NewReplacer("{gone}", gone, "{kept}", kept)
			s.run(fill.Replace(c.before))
			run := s.runOf()
			next := run.once.look(ctx, run.o.t.conn, run.w.Groups, pace{rows: 1000})
			if next.seen == nil || len(next.odd) > 0 {
				t.Fatalf("not all was seen: %+v", next)
			}
			other := s.session()
			end := ""
			if c.open {
				end = "BEGIN; "
			}
			if _, err := other.PgConn().Exec(ctx, end+fill.Replace(c.meanwhile)).ReadAll(); err != nil {
				t.Fatal(err)
			}
			before := s.text("SELECT count(*) FROM tickets")
			_, hit, err := run.batchAtOnce(ctx, next)
			if hit != c.hit || c.hit && err != nil || !c.hit && err == nil {
				t.Fatalf("hit %v, want %v: %v", hit, c.hit, err)
			}
			want := before
			if c.hit {
				want = s.text(fmt.Sprintf("SELECT %s - count(*) FROM twinrow_quarantine", before))
			}
			if left := s.text("SELECT count(*) FROM tickets"); left != want || c.hit && left == before {
				t.Errorf("%s of %s rows are left, want %s", left, before, want)
			}
		})
	}
}

func TestLookSeesWhatIsNotAsTheEvidenceHasIt(t *testing.T) {
	s := databases[slicesIndex("postgres", "tickets")].online(t)
	run := s.runOf()
	all := len(run.w.Groups)
	for i, change := range []string{"SELECT", "UPDATE tickets SET email = 'x@example.com' WHERE id = 107", "DELETE FROM tickets WHERE id = 107"} {
		s.run(change)
		next := run.once.look(context.Background(), run.o.t.conn, run.w.Groups, pace{rows: 1000})
		if len(next.odd) != min(i, 1) || next.seen == nil || len(groupsOf(next.seen)) != all-min(i, 1) {
			t.Errorf("%s: of %d groups, %d are odd", change, all, len(next.odd))
		}
	}
}

// TestTriesThatMissBecomeRare keeps a table whose batches cannot be done at
// once from being tried for each of them.
func TestTriesThatMissBecomeRare(t *testing.T) {
	a := &atOnce{}
	tries := 0
	for range 200 {
		if a.due() {
			tries++
			a.learn(false)
		}
	}
	if tries < 5 || tries > 12 {
		t.Errorf("%d of 200 batches were tried", tries)
	}
	for !a.due() {
	}
	a.learn(true)
	if !a.due() {
		t.Error("after one that went well the next is not tried")
	}
	if (*atOnce)(nil).due() {
		t.Error("what cannot be done at once is due")
	}
}

// TestPortionsAreOneBatch goes through a batch row by row: it is done as a whole
// or not at all, and what there is no time for is left.
func TestPortionsAreOneBatch(t *testing.T) {
	for _, c := range []struct {
		name, meanwhile string
		hold            time.Duration
		hit, left       bool
	}{
		{name: "nothing happens meanwhile", meanwhile: "SELECT", hold: time.Hour, hit: true},
		{name: "a row of the last portion was written", meanwhile: "UPDATE tickets SET email = email WHERE id = {last}", hold: time.Hour},
		{name: "time is up", meanwhile: "SELECT", hit: true, left: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			s := databases[slicesIndex("postgres", "tickets")].online(t)
			run := s.runOf()
			all := run.w.Groups
			next := run.once.look(ctx, run.o.t.conn, all, pace{1, time.Millisecond, c.hold})
			if len(next.seen) != len(all) {
				t.Fatalf("%d portions of %d groups", len(next.seen), len(all))
			}
			groups := s.plan.Tables[0].Groups
			last, _ := groups[len(groups)-1].Remove[0].Get("id")
			s.run(strings.ReplaceAll(c.meanwhile, "{last}", last))
			before := s.text("SELECT count(*) FROM tickets")
			out, hit, err := run.batchAtOnce(ctx, next)
			if hit != c.hit || hit != (err == nil) || c.left && len(out.left) != len(all)-1 || !c.left && len(out.left) > 0 {
				t.Fatalf("hit %v with %d of %d groups left: %v", hit, len(out.left), len(all), err)
			}
			if gone := s.text("SELECT " + before + " - count(*) FROM tickets"); gone != strconv.Itoa(out.rows) || hit == (out.rows == 0) {
				t.Errorf("%s rows are gone, %d were told", gone, out.rows)
			}
		})
	}
}

// TestQueueIsGentleBesideOthers has groups that a batch left come next.
func TestQueueIsGentleBesideOthers(t *testing.T) {
	w := &plan.Work{Table: &plan.Table{}}
	for n := range 1000 {
		w.Groups = append(w.Groups, plan.WorkGroup{Number: n, Remove: make([]plan.RowRef, 1)})
	}
	q := newQueue(w, nil, Options{})
	if p := q.pace(); p.rest != 0 || p.rows < q.size {
		t.Errorf("alone it goes at %+v", p)
	}
	q.gentle = true
	batch := q.next()
	if p := q.pace(); len(batch) != gentleSize || p.rows != gentlePortion || p.rest != gentleRest {
		t.Errorf("beside others %d rows go at %+v", len(batch), p)
	}
	q.took(batch, outcome{rows: 30, held: holdAim, left: batch[30:]})
	if q.left() == 0 || len(q.next()) != gentleSize-30 || q.next()[0].Number != gentleSize {
		t.Error("what was left does not come next")
	}
	q.whole = true
	if batch := q.next(); len(batch) != smallest || q.pace().rows < smallest {
		t.Errorf("where triggers may count statements, %d rows go at %+v", len(batch), q.pace())
	}
}
