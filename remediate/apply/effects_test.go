package apply

import (
	"strings"
	"testing"

	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

func TestReferredRows(t *testing.T) {
	for _, action := range []string{"CASCADE", "SET NULL", "NO ACTION DEFERRABLE INITIALLY DEFERRED"} {
		both(t, "CREATE TABLE scans (id int PRIMARY KEY, ticket_id bigint REFERENCES tickets (id) ON DELETE "+action+"); INSERT INTO scans VALUES (1, 109);", func(t *testing.T, s *story) {
			hazard := action == "CASCADE" || action == "SET NULL"
			if got := strings.Contains(s.file("plan.json"), `"cascades"`); got != hazard {
				t.Errorf("cascades is a hazard: %t, want %t", got, hazard)
			}
			if _, err := s.client(s.file("sql/20_clean_and_index.sql")); err != nil {
				t.Error(err)
			}
			if got, err := s.client("SELECT * FROM scans;"); err != nil || got != "1|108\n" {
				t.Error(got, err)
			}
		})
	}
}

func TestTriggers(t *testing.T) {
	t.Run("postgres keeps a row", func(t *testing.T) {
		t.Parallel()
		s := scanned(t, "postgres", trigger(t, "IF old.id = 109 THEN RETURN NULL; END IF; RETURN old;", "BEFORE DELETE"), plan.Options{}, ticketsRequest)
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeStopped, "3 were copied and 2 deleted")
		if out, err := s.client(s.file("sql/20_clean_and_index.sql")); err == nil || !strings.Contains(out, "3 deleted, and had 0, 0 and 2") {
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
		s := scanned(t, "postgres", trigger(t, "IF EXISTS (SELECT FROM audit) THEN new.email := 'x@example.com'; END IF; RETURN new;", "BEFORE INSERT"), plan.Options{}, ticketsRequest)
		s.run("INSERT INTO audit VALUES (1);")
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeStopped, "the way back was rehearsed and is not open: 3 of 3 rows came back, 3 of them not as they were")
		s.run("DELETE FROM audit;")
		s.apply()
		s.run("INSERT INTO audit VALUES (1);")
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
		s := scanned(t, "sqlite", sqliteFile(t, sqliteTickets+"CREATE TABLE other (id); INSERT INTO other VALUES (1); CREATE TRIGGER k AFTER INSERT ON tickets WHEN EXISTS (SELECT 1 FROM other) BEGIN UPDATE tickets SET email = 'x' WHERE id = new.id; END;"), plan.Options{}, ticketsRequest)
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeStopped, "the way back was rehearsed and is not open: 3 of 3 rows did not come back as they were")
		s.run("DELETE FROM other;")
		s.apply()
		s.run("INSERT INTO other VALUES (1);")
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
