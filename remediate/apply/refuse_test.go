package apply

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

// both runs a test on Postgres and on SQLite, over the tickets.
func both(t *testing.T, more string, test func(t *testing.T, s *story)) {
	for _, engine := range []string{"postgres", "sqlite"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d := databases[slicesIndex(engine, "tickets")]
			d.script += more
			test(t, d.make(t))
		})
	}
}

// run runs SQL that both engines take.
func (s *story) run(sql string) {
	s.t.Helper()
	if out, err := s.client(sql); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
}

// unchanged sees that a refusal left everything as it was.
func unchanged(t *testing.T, s *story, try func() error) error {
	t.Helper()
	before := s.dump()
	err := try()
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Errorf("something was changed: %s", diff)
	}
	return err
}

func (s *story) tryApply() error {
	_, err := s.try(Options{LockWait: 300 * time.Millisecond})
	return err
}

func TestRefusedWithoutConsent(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		err := unchanged(t, s, func() error {
			_, err := s.try(Options{Allow: []string{"deletes-rows"}})
			return err
		})
		wantCode(t, err, plan.CodeRefused, "builds-index (a unique index is built")
		const flag = "--allow deletes-rows,builds-index"
		var p *plan.Problem
		if errors.As(err, &p); !strings.HasSuffix(p.Hint, flag) {
			t.Errorf("the hint is %q, want it to end with %q", p.Hint, flag)
		}
		if _, err := os.Stat(filepath.Join(s.opened.Dir, plan.Journal)); !errors.Is(err, os.ErrNotExist) {
			t.Error("a refusal left a journal")
		}
		_, err = s.try(Options{Allow: []string{"eats-rows"}})
		wantCode(t, err, plan.CodeUsage, `no hazard "eats-rows"`)
	})
}

func TestDriftedGroupsAreLeft(t *testing.T) {
	changes := map[string]string{
		"changed": "UPDATE tickets SET email = 'x@example.com' WHERE id = 107;",
		"gone":    "DELETE FROM tickets WHERE id = 106;",
	}
	both(t, "", func(t *testing.T, s *story) {
		for state, change := range changes {
			before := s.dump()
			s.run(change)
			drifted := s.dump()
			result, err := s.try(Options{})
			wantCode(t, err, plan.CodeStopped, "stopped before the index: 1 groups")
			if !strings.Contains(err.Error(), "is "+state) || result.Tables[0].Rows != 2 || result.Tables[0].Index != "" || len(result.Tables[0].Drifted) != 1 {
				t.Errorf("%s: %+v %v", state, result, err)
			}
			out, _ := s.client("SELECT id FROM tickets ORDER BY id;")
			if strings.Contains(out, "109") || !strings.Contains(out, "107") {
				t.Errorf("left are %q", out)
			}
			if _, err := s.try(Options{}); err == nil {
				t.Error("a second run did not stop")
			}
			if report := s.verify(); report.OK() {
				t.Error("verify holds over drift")
			}
			s.undo()
			if diff := cmp.Diff(drifted, s.dump()); diff != "" {
				t.Fatal(diff)
			}
			s.run("DELETE FROM tickets WHERE id IN (106, 107); INSERT INTO tickets VALUES (106,'pi_2',1,'b@example.com','2025-12-24 03:20:37.914'),(107,'pi_2',1,'b@example.com','2025-12-24 03:20:37.993');")
			if diff := cmp.Diff(before, s.dump()); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestFilesRefuseDrift(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		s.run("UPDATE tickets SET email = 'x@example.com' WHERE id = 107;")
		err := unchanged(t, s, func() error {
			out, err := s.client(s.file("sql/20_clean_and_index.sql"))
			if !strings.Contains(out, "nothing was changed") {
				t.Errorf("the file says %q", out)
			}
			return err
		})
		if err == nil {
			t.Error("the file ran over drift")
		}
	})
}

func TestNewDuplicates(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		s.run("INSERT INTO tickets SELECT id + 1000, payment, number, email, created_at FROM tickets WHERE id IN (105, 106);")
		err := unchanged(t, s, func() error { _, err := s.client(s.file("sql/20_clean_and_index.sql")); return err })
		if err == nil {
			t.Error("the file ran over new duplicates")
		}
		before := s.dump()
		result, err := s.try(Options{})
		wantCode(t, err, plan.CodeStopped, "new duplicates of 2 keys arrived since the scan")
		if result == nil || result.Tables[0].Rows == 0 || result.Tables[0].Index != "" {
			t.Fatalf("the rest was not cleaned, or an index was built: %+v", result)
		}
		s.undo()
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Errorf("undo left a difference: %s", diff)
		}
	})
}

func TestReferredRows(t *testing.T) {
	for _, action := range []string{"CASCADE", "SET NULL", "NO ACTION DEFERRABLE INITIALLY DEFERRED"} {
		both(t, "CREATE TABLE scans (id int PRIMARY KEY, ticket_id bigint REFERENCES tickets (id) ON DELETE "+action+"); INSERT INTO scans VALUES (1, 109);", func(t *testing.T, s *story) {
			err := unchanged(t, s, s.tryApply)
			wantCode(t, err, plan.CodeStopped, "scans")
			hazard := action == "CASCADE" || action == "SET NULL"
			if got := strings.Contains(s.file("plan.json"), `"cascades"`); got != hazard {
				t.Errorf("cascades is a hazard: %t, want %t", got, hazard)
			}
			if err := unchanged(t, s, func() error { _, err := s.client(s.file("sql/20_clean_and_index.sql")); return err }); err == nil {
				t.Error("the file ran over a referred row")
			}
		})
	}
}

func TestTriggers(t *testing.T) {
	t.Run("postgres keeps a row", func(t *testing.T) {
		t.Parallel()
		s := scanned(t, "postgres", trigger(t, "IF old.id = 109 THEN RETURN NULL; END IF; RETURN old;", "BEFORE DELETE"), plan.Options{}, ticketsRequest)
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeStopped, "3 were copied and 2 deleted")
		if out, err := s.client(s.file("sql/20_clean_and_index.sql")); err == nil || !strings.Contains(out, "2 were deleted") {
			t.Errorf("the file: %v %s", err, out)
		}
	})
	t.Run("postgres takes more", func(t *testing.T) {
		t.Parallel()
		s := scanned(t, "postgres", trigger(t, "IF pg_trigger_depth() = 1 THEN DELETE FROM tickets WHERE id = 104; END IF; RETURN old;", "BEFORE DELETE"), plan.Options{}, ticketsRequest)
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeStopped, "tickets was to have 0 inserted, 0 updated, 3 deleted, and had 0 inserted, 0 updated, 4 deleted")
	})
	t.Run("postgres audit", func(t *testing.T) {
		t.Parallel()
		s := scanned(t, "postgres", trigger(t, "INSERT INTO audit VALUES (coalesce(old.id, new.id)); RETURN coalesce(new, old);", "BEFORE DELETE"), plan.Options{}, ticketsRequest)
		result := s.apply()
		want := map[string]plan.Effect{"public.tickets": {Deleted: 3}, "public.audit": {Inserted: 3}}
		if diff := cmp.Diff(want, result.Tables[0].Effects); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(s.file("plan.json"), `"fires-triggers"`) {
			t.Error("the trigger is no hazard")
		}
	})
	t.Run("postgres changes what comes back", func(t *testing.T) {
		t.Parallel()
		s := scanned(t, "postgres", trigger(t, "new.email := 'x@example.com'; RETURN new;", "BEFORE INSERT"), plan.Options{}, ticketsRequest)
		s.apply()
		wantCode(t, unchanged(t, s, func() error { _, err := s.tryUndo(); return err }), plan.CodeStopped, "3 of them not as they were")
	})
	t.Run("sqlite keeps a row", func(t *testing.T) {
		t.Parallel()
		s := scanned(t, "sqlite", sqliteFile(t, sqliteTickets+"CREATE TRIGGER k BEFORE DELETE ON tickets WHEN old.id = 109 BEGIN SELECT RAISE(IGNORE); END;"), plan.Options{}, ticketsRequest)
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeStopped, "3 were copied and 2 deleted")
		if err := unchanged(t, s, func() error { _, err := s.client(s.file("sql/20_clean_and_index.sql")); return err }); err == nil {
			t.Error("the file ran over a trigger that keeps a row")
		}
	})
	t.Run("sqlite takes more", func(t *testing.T) {
		t.Parallel()
		s := scanned(t, "sqlite", sqliteFile(t, sqliteTickets+"CREATE TABLE other (id); INSERT INTO other VALUES (1); CREATE TRIGGER k AFTER DELETE ON tickets BEGIN DELETE FROM other; END;"), plan.Options{}, ticketsRequest)
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeStopped, "other has -1 rows")
	})
	t.Run("sqlite changes what comes back", func(t *testing.T) {
		t.Parallel()
		s := scanned(t, "sqlite", sqliteFile(t, sqliteTickets+"CREATE TRIGGER k AFTER INSERT ON tickets BEGIN UPDATE tickets SET email = 'x' WHERE id = new.id; END;"), plan.Options{}, ticketsRequest)
		s.apply()
		wantCode(t, unchanged(t, s, func() error { _, err := s.tryUndo(); return err }), plan.CodeStopped, "did not come back as they were")
	})
	t.Run("sqlite trigger added after the scan", func(t *testing.T) {
		t.Parallel()
		s := databases[slicesIndex("sqlite", "tickets")].make(t)
		s.run("CREATE TRIGGER k AFTER DELETE ON tickets BEGIN SELECT 1; END;")
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeDrift, "triggers were added")
	})
}

// trigger makes the tickets with a trigger and returns the URL.
func trigger(t *testing.T, body, when string) string {
	t.Helper()
	url := pgserver.Database(t)
	psql(t, url, postgresTickets+"CREATE TABLE audit (id bigint); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "+body+" END $$; CREATE TRIGGER k "+when+" ON tickets FOR EACH ROW EXECUTE FUNCTION f();")
	return url
}

func TestUndoWhenThePlaceIsTaken(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		s.apply()
		s.run("INSERT INTO tickets VALUES (109, 'pi_9', 1, 'z@example.com', '2026-01-01');")
		undo := func() error { _, err := s.tryUndo(); return err }
		wantCode(t, unchanged(t, s, undo), plan.CodeDrift, "a row cannot come back")
		if err := unchanged(t, s, func() error { _, err := s.client(s.file("sql/20_clean_and_index_undo.sql")); return err }); err == nil {
			t.Error("the file put a row into a taken place")
		}
		s.run("DELETE FROM tickets WHERE id = 109;")
		s.undo()
	})
}

func TestUndoOfAnEmptiedQuarantine(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		s.apply()
		s.run("DELETE FROM " + plan.QuarantineTable(s.engine, s.opened.Tables[0].Table, s.opened.ID) + ";")
		wantCode(t, unchanged(t, s, func() error { _, err := s.tryUndo(); return err }), plan.CodeDrift, "holds 0 of the 3 rows")
		if result := s.apply(); !result.Already {
			t.Errorf("%+v", result)
		}
		if report := s.verify(); report.OK() {
			t.Error("verify holds over an empty quarantine")
		}
	})
}

func TestOtherDatabases(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		other := *s
		if s.engine == "postgres" {
			other.where = pgserver.Database(t)
			psql(t, other.where, postgresTickets)
			wantCode(t, unchanged(t, &other, other.tryApply), plan.CodeDrift, "is not the one that was scanned")
		} else {
			other.where = sqliteFile(t, "CREATE TABLE tickets (id INTEGER PRIMARY KEY, payment TEXT, number INT, email TEXT, created_at TEXT); INSERT INTO tickets VALUES (1,'x',1,'y','z');")
			wantCode(t, unchanged(t, &other, other.tryApply), plan.CodeDrift, "is not the file that was scanned")
		}
		s.run("DELETE FROM tickets;")
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeDrift, "none of the case's rows")
		s.run("ALTER TABLE tickets ADD extra int;")
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeDrift, "the column extra is new")
		s.run("DROP TABLE tickets;")
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeDrift, "there is no table")
	})
}

func TestTwoAtOnce(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		before := s.dump()
		l, err := openLog(s.opened.Dir, false)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, s.tryApply(), plan.CodeBusy, "another run works on this case")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		// Two machines, each with its copy of the case.
		copied := *s
		copied.opened = &plan.Case{Case: s.opened.Case, SHA256: s.opened.SHA256, Dir: filepath.Join(t.TempDir(), "copy")}
		if err := os.CopyFS(copied.opened.Dir, os.DirFS(s.opened.Dir)); err != nil {
			t.Fatal(err)
		}
		results := make(chan error, 2)
		for _, one := range []*story{s, &copied} {
			target := one.open()
			defer target.Close()
			go func() {
				_, err := Run(context.Background(), target, one.opened, one.plan, Options{Allow: allHazards})
				results <- err
			}()
		}
		for range 2 {
			if err := <-results; err != nil {
				wantCode(t, err, plan.CodeBusy, "another run works on this case in the database")
			}
		}
		wantOK(t, s.verify())
		s.apply() // the one that was refused, or had nothing to do, now knows
		if !logOpen(t, s) {
			s = &copied
		}
		s.undo()
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Error(diff)
		}
	})
}

func logOpen(t *testing.T, s *story) bool {
	t.Helper()
	l, err := openLog(s.opened.Dir, true)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.open()
}

func TestLockThatNeverComes(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		s := databases[slicesIndex("postgres", "tickets")].make(t)
		conn, err := pgx.Connect(t.Context(), s.where)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(t.Context(), "BEGIN; UPDATE tickets SET email = email WHERE id = 104"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, s.tryApply(), plan.CodeStopped, "another session holds a lock")
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		s := databases[slicesIndex("sqlite", "tickets")].make(t)
		other := s.open().(*sqliteTarget)
		defer other.Close()
		if err := execute(other.conn, "BEGIN IMMEDIATE", nil); err != nil {
			t.Fatal(err)
		}
		wantCode(t, s.tryApply(), plan.CodeStopped, "another session holds a lock")
	})
}

func TestRights(t *testing.T) {
	s := databases[slicesIndex("postgres", "tickets")].make(t)
	role := "reader_" + s.opened.ID
	psql(t, s.where, "CREATE ROLE "+role+" LOGIN; GRANT SELECT ON tickets TO "+role+";")
	t.Cleanup(func() { psql(t, s.where, "DROP OWNED BY "+role+"; DROP ROLE "+role+";") })
	config, err := pgx.ParseConfig(s.where)
	if err != nil {
		t.Fatal(err)
	}
	other := *s
	other.where = "host=" + config.Host + " dbname=" + config.Database + " user=" + role
	_, err = other.try(Options{})
	wantCode(t, err, plan.CodePermission, "DELETE on public.tickets, INSERT on public.tickets (for the way back), CREATE on the schema public, ownership of public.tickets (for the index)")
	if logOpen(t, s) {
		t.Error("the journal speaks of a change")
	}
}

func TestReadOnlyAndMissingFiles(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(t.Context(), "sqlite", filepath.Join(dir, "none.db"))
	wantCode(t, err, plan.CodeNotFound, "no file")
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Error("a file was made")
	}
	_, err = Open(t.Context(), "sqlite", dir)
	wantCode(t, err, plan.CodeBadInput, "no regular file")
	_, err = Open(t.Context(), "csv", "x.csv")
	wantCode(t, err, plan.CodeUnsupported, "no database")
	_, err = Open(t.Context(), "postgres", "postgres://u:secret@[::bad/db")
	wantCode(t, err, plan.CodeUsage, "cannot be read")
	if strings.Contains(full(err), "secret") {
		t.Error(full(err))
	}
	_, err = Open(t.Context(), "postgres", "postgres://u:secret@127.0.0.1:1/db?connect_timeout=1")
	wantCode(t, err, plan.CodeConnection, "cannot connect")
	if strings.Contains(full(err), "secret") {
		t.Error(full(err))
	}
}

func TestAnotherIndexOfThatName(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		s.run("CREATE INDEX tickets_payment_number_key ON tickets (payment);")
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeExists, "is not a valid unique index on the key")
		if err := unchanged(t, s, func() error { _, err := s.client(s.file("sql/20_clean_and_index.sql")); return err }); err == nil {
			t.Error("the file took a foreign index for its own")
		}
	})
}

func TestHeldGroups(t *testing.T) {
	both(t, "UPDATE tickets SET email = 'other@example.com' WHERE id = 107;", func(t *testing.T, s *story) {
		before := s.dump()
		result := s.apply()
		if result.Tables[0].Held != 1 || result.Tables[0].Rows != 2 || result.Tables[0].Index != "" {
			t.Errorf("%+v", result)
		}
		report := s.verify()
		if c := report.Checks[0]; c.OK || c.Detail != "1 keys have several rows: 1 held back by the plan, 0 missed or new" {
			t.Errorf("%+v", c)
		}
		s.run("INSERT INTO tickets SELECT 1000, payment, number, email, created_at FROM tickets WHERE id = 105;")
		if c := s.verify().Checks[0]; c.OK || c.Detail != "2 keys have several rows: 1 held back by the plan, 1 missed or new" {
			t.Errorf("%+v", c)
		}
		s.run("DELETE FROM tickets WHERE id = 1000;")
		s.undo()
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEveryGroupHeld(t *testing.T) {
	both(t, "UPDATE tickets SET email = 'other@example.com' WHERE id IN (107, 109);", func(t *testing.T, s *story) {
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeRefused, "every group (2) is held back")
	})
}

func TestReplanningAfterApply(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		s.apply()
		wantCode(t, plan.Write(s.opened.Dir, s.plan, nil), plan.CodeExists, "the plan was carried out")
		s.undo()
		if err := plan.Write(s.opened.Dir, s.plan, nil); err != nil {
			t.Error(full(err))
		}
	})
}

func TestEditedPlanAndJournal(t *testing.T) {
	s := databases[slicesIndex("sqlite", "tickets")].make(t)
	path := filepath.Join(s.opened.Dir, plan.Name)
	edited := strings.Replace(s.file(plan.Name), `"id": "107"`, `"id": "104"`, 1)
	if err := os.WriteFile(path, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := plan.Read(s.opened.Dir)
	wantCode(t, err, plan.CodeTampered, "plan.json was changed after it was made")
	if err := os.WriteFile(filepath.Join(s.opened.Dir, plan.Journal), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.tryApply(), plan.CodeTampered, "the journal was changed by hand")
}

// TestJournalThatCannotBeWritten takes the journal's disk away before the first record.
func TestJournalThatCannotBeWritten(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		if err := os.Symlink("/dev/full", filepath.Join(s.opened.Dir, plan.Journal)); err != nil {
			t.Fatal(err)
		}
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeDisk, "the journal of the case cannot be used")
	})
}

func TestCancelled(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		err := unchanged(t, s, func() error {
			target := s.open()
			defer target.Close()
			ctx, cancel := context.WithCancel(t.Context())
			_, err := Run(ctx, target, s.opened, s.plan, Options{Allow: allHazards, Progress: stopAt{"building", cancel}})
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		s.apply()
	})
}

// stopAt cancels when a step begins.
type stopAt struct {
	what string
	stop func()
}

func (s stopAt) Step(_, what string) {
	if strings.HasPrefix(what, s.what) {
		s.stop()
	}
}

func TestACaseOfAFile(t *testing.T) {
	s := databases[slicesIndex("sqlite", "tickets")].make(t)
	opened := *s.opened
	opened.Source.Engine = "csv"
	choose := func(*casefile.Table, *casefile.Group) (plan.Fields, []plan.Fields, string, error) {
		return nil, nil, "x", nil
	}
	p, err := plan.Make(&opened, plan.Options{Choose: choose})
	if err != nil || len(p.Tables[0].Groups) != 2 || len(p.Tables[0].Operations) != 0 || len(p.Hazards) != 0 {
		t.Fatalf("%+v %v", p, err)
	}
	target := s.open()
	defer target.Close()
	_, err = Run(t.Context(), target, &opened, p, Options{})
	wantCode(t, err, plan.CodeUnsupported, "a file")
}

func TestSeveralTables(t *testing.T) {
	both(t, "CREATE TABLE seats (id int PRIMARY KEY, seat text); INSERT INTO seats VALUES (1,'A1'),(2,'A1'),(3,'B1');", func(t *testing.T, s *story) {
		two := scanned(t, s.engine, s.where, plan.Options{}, ticketsRequest, source.Request{Table: "seats", Key: []string{"seat"}})
		before := two.dump()
		two.kill("apply", "after commit")
		result := patiently(t, func() (*Result, error) { return two.try(Options{}) })
		if len(result.Tables) != 2 || !result.Tables[0].Already || result.Tables[1].Rows != 1 {
			t.Errorf("%+v", result)
		}
		wantOK(t, two.verify())
		two.undo()
		if diff := cmp.Diff(before, two.dump()); diff != "" {
			t.Fatal(diff)
		}
		two.mustRun("sql/20_clean_and_index.sql")
		two.mustRun("sql/50_verify.sql")
		two.mustRun("sql/20_clean_and_index_undo.sql")
		if diff := cmp.Diff(before, two.dump()); diff != "" {
			t.Fatal(diff)
		}
	})
}
