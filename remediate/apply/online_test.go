package apply

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

// online is a shape of table, cleaned in many transactions.
func (d database) online(t testing.TB) *story {
	t.Helper()
	d.options.Strategy = plan.Online
	return d.make(t)
}

// eachPostgres runs a test over every shape of table that Postgres has.
func eachPostgres(t *testing.T, test func(t *testing.T, s *story)) {
	for _, d := range slices.Concat(databases, referring) {
		if d.engine == "postgres" && !strings.Contains(d.script, "REFERENCES seats (shop, no)") { // which refers to itself
			t.Run(d.name, func(t *testing.T) {
				t.Parallel()
				test(t, d.online(t))
			})
		}
	}
}

func TestOnlineUndoOfApplyIsExact(t *testing.T) {
	eachPostgres(t, func(t *testing.T, s *story) {
		before, exactly := s.dump(), s.exact()
		if dry, err := s.try(Options{DryRun: true}); err != nil || dry.Already || dry.Tables[0].Rows != s.surplus() {
			t.Fatalf("dry run: %+v %v", dry, err)
		}
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Fatalf("a dry run changed something: %s", diff)
		}
		for range 2 { // after an undo, apply works again
			result, err := s.try(Options{Batch: 1})
			if err != nil || result.Already || result.Tables[0].Rows != s.surplus() || result.Tables[0].Index == "" {
				t.Fatalf("%+v %v", result, err)
			}
			wantOK(t, s.verify())
			if left := s.text("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'twinrow%'"); left != "0" {
				t.Errorf("%s triggers are left", left)
			}
			if again := s.apply(); !again.Already {
				t.Errorf("a second apply did something: %+v", again)
			}
			if back := s.undo(); back.Already || back.Tables[0].Rows != s.surplus() {
				t.Fatalf("%+v", back)
			}
			if diff := cmp.Diff(before, s.dump()); diff != "" {
				t.Fatalf("undo is not exact: %s", diff)
			}
			if again := s.undo(); !again.Already {
				t.Errorf("a second undo did something: %+v", again)
			}
		}
		if diff := cmp.Diff(exactly, s.exact()); diff != "" {
			t.Fatalf("undo is not exact: %s", diff)
		}
	})
}

func TestOnlineFilesByPsql(t *testing.T) {
	steps := []string{"10_fence", "20_clean", "30_index", "40_unfence"}
	eachPostgres(t, func(t *testing.T, s *story) {
		before := s.dump()
		var after []string
		run := func(name string) {
			t.Helper()
			if _, err := os.Stat(filepath.Join(s.opened.Dir, name)); err != nil && len(s.plan.Tables[0].Groups) == 0 {
				return // nothing to clean has no file
			}
			s.mustRun(name)
			once := s.dump()
			s.mustRun(name)
			if diff := cmp.Diff(once, s.dump()); diff != "" {
				t.Fatalf("a second run of %s changed something: %s", name, diff)
			}
		}
		for _, step := range steps {
			after = append(after, s.dump())
			run("sql/" + step + ".sql")
		}
		s.mustRun("sql/50_verify.sql")
		wantOK(t, s.verify())
		if result := s.apply(); !result.Already {
			t.Errorf("apply did not see what the files had done: %+v", result)
		}
		for i, step := range slices.Backward(steps) {
			run("sql/" + step + "_undo.sql")
			if diff := cmp.Diff(after[i], s.dump()); diff != "" {
				t.Fatalf("the way back of %s is not exact: %s", step, diff)
			}
		}
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Fatalf("the way back is not exact: %s", diff)
		}
	})
}

func TestOnlineFilesRefuseDrift(t *testing.T) {
	s := databases[slicesIndex("postgres", "tickets")].online(t)
	s.run("UPDATE tickets SET email = 'x@example.com' WHERE id = 107;")
	err := unchanged(t, s, func() error {
		out, err := s.client(s.file("sql/20_clean.sql"))
		if !strings.Contains(out, "is changed since the scan") {
			t.Errorf("the file says %q", out)
		}
		s.run("DROP TABLE twinrow_quarantine;")
		return err
	})
	if err == nil {
		t.Error("the file ran over drift")
	}
}

// text is the one value of a query.
func (s *story) text(sql string) string {
	s.t.Helper()
	out, err := s.client(sql)
	if err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(out)
}

// session is a connection of an application.
func (s *story) session() *pgx.Conn {
	s.t.Helper()
	conn, err := pgx.Connect(context.Background(), s.where)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestUntilStopsAfterAStep(t *testing.T) {
	s := databases[slicesIndex("postgres", "tickets")].online(t)
	before := s.dump()
	for _, stop := range []struct{ until, rows, triggers, indexes string }{
		{UntilFence, "7", "1", "0"}, {UntilClean, "4", "1", "0"}, {UntilIndex, "4", "1", "1"}, {"", "4", "0", "1"},
	} {
		if _, err := s.try(Options{Until: stop.until}); err != nil {
			t.Fatal(full(err))
		}
		got := s.text("SELECT (SELECT count(*) FROM tickets), (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'twinrow%'), (SELECT count(*) FROM pg_class WHERE relname = 'tickets_payment_number_key')")
		if want := stop.rows + "|" + stop.triggers + "|" + stop.indexes; got != want {
			t.Errorf("until %q: %s, want %s", stop.until, got, want)
		}
	}
	s.undo()
	for _, until := range Untils { // and from each of them back
		if _, err := s.try(Options{Until: until}); err != nil {
			t.Fatal(full(err))
		}
		s.undo()
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Fatalf("undone after %s: %s", until, diff)
		}
	}
}

func TestStopFileAndInterruptFinishTheBatch(t *testing.T) {
	s := databases[slicesIndex("postgres", "tickets")].online(t)
	before := s.dump()
	stop := filepath.Join(s.opened.Dir, plan.StopFile)
	if err := os.WriteFile(stop, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.try(Options{})
	wantCode(t, err, plan.CodeStopped, "there is a file "+stop)
	if err := os.Remove(stop); err != nil {
		t.Fatal(err)
	}
	target := s.open()
	defer target.Close()
	ctx, cancel := context.WithCancel(context.Background())
	_, err = Run(ctx, target, s.opened, s.plan, Options{Allow: allHazards, Batch: 1, Pause: time.Hour, Progress: afterRows{cancel}})
	wantCode(t, err, plan.CodeStopped, "interrupted")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is hidden: %v", err)
	}
	if rows := s.text("SELECT count(*) FROM tickets"); rows != "6" && rows != "5" {
		t.Errorf("%s rows are there after the first batch", rows)
	}
	s.apply()
	wantOK(t, s.verify())
	s.undo()
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Fatal(diff)
	}
}

// afterRows calls when rows were counted.
type afterRows struct{ call func() }

func (a afterRows) Step(string, string) {}
func (a afterRows) Start(string, int64) {}
func (a afterRows) Done()               {}
func (a afterRows) Add(int64)           { a.call() }

// TestRowsThatOthersLockComeLast: neither those that go nor those that refer to
// them are waited for.
func TestRowsThatOthersLockComeLast(t *testing.T) {
	t.Run("go", func(t *testing.T) {
		lockedComeLast(t, databases[slicesIndex("postgres", "tickets")].online(t), "SELECT FROM tickets WHERE id = 106 FOR UPDATE")
	})
	t.Run("refer", func(t *testing.T) { // this one is merged into
		lockedComeLast(t, referringOnline(t, "referred to, collisions merged"), "UPDATE tallies SET first = 1 WHERE ticket_id = 106")
	})
}

func lockedComeLast(t *testing.T, s *story, lock string) {
	t.Helper()
	ctx := context.Background()
	tx, err := s.session().Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, lock); err != nil {
		t.Fatal(err)
	}
	result, err := s.try(Options{Batch: 1, LockWait: 300 * time.Millisecond})
	wantCode(t, err, plan.CodeStopped, "rows of 1 group are locked by another session")
	if len(result.Tables) != 1 || result.Tables[0].Rows != 2 {
		t.Errorf("the others were not cleaned: %+v", result)
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	s.apply()
	wantOK(t, s.verify())
}

func TestASecondRunIsRefused(t *testing.T) {
	s := databases[slicesIndex("postgres", "tickets")].online(t)
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(s.opened.Dir)); err != nil {
		t.Fatal(err)
	}
	twin := *s
	opened := *s.opened
	opened.Dir = copied
	twin.opened = &opened
	var second, same error
	target := s.open()
	defer target.Close()
	if _, err := Run(context.Background(), target, s.opened, s.plan, Options{Allow: allHazards, Batch: 1, Progress: afterRows{func() {
		if second == nil {
			_, second = twin.try(Options{LockWait: 100 * time.Millisecond})
			_, same = s.try(Options{})
		}
	}}}); err != nil {
		t.Fatal(full(err))
	}
	wantCode(t, second, plan.CodeBusy, "another run works on this case in the database")
	wantCode(t, same, plan.CodeBusy, "another run works on this case")
	wantOK(t, s.verify())
}

// TestRightsAreMissedBeforeTheFirstStep takes each right away in turn.
func TestRightsAreMissedBeforeTheFirstStep(t *testing.T) {
	s := databases[slicesIndex("postgres", "tickets")].online(t)
	s.run("CREATE ROLE keeper LOGIN; GRANT ALL ON SCHEMA public TO keeper; ALTER TABLE tickets OWNER TO keeper;")
	owner := s.where
	s.where = strings.Replace(s.where, "postgres@", "keeper@", 1)
	before := s.dump()
	for _, c := range []struct{ take, give, missing string }{
		{"REVOKE TRIGGER ON tickets FROM keeper", "GRANT TRIGGER ON tickets TO keeper", "TRIGGER on public.tickets"},
		{"REVOKE DELETE ON tickets FROM keeper", "GRANT DELETE ON tickets TO keeper", "DELETE on public.tickets"},
		{"REVOKE CREATE ON SCHEMA public FROM keeper, PUBLIC", "GRANT CREATE ON SCHEMA public TO keeper", "CREATE on the schema public"},
		{"ALTER TABLE tickets OWNER TO postgres; GRANT ALL ON tickets TO keeper", "ALTER TABLE tickets OWNER TO keeper", "ownership of public.tickets"},
	} {
		psql(t, owner, c.take)
		_, err := s.try(Options{})
		wantCode(t, err, plan.CodePermission, c.missing)
		psql(t, owner, c.give)
	}
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Errorf("something was changed: %s", diff)
	}
	if _, err := s.try(Options{MaxLag: time.Second}); err != nil { // nobody lags
		t.Fatal(full(err))
	}
	wantOK(t, s.verify())
	s.undo()
}
