package dialect

import (
	"os/exec"
	"strings"
	"testing"

	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"
)

// TestMigrationsOfConstraints runs the plain migration of a constraint up,
// again, over an index without one, and down.
func TestMigrationsOfConstraints(t *testing.T) {
	for _, strategy := range []string{plan.Atomic, plan.Online} {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			url := pgserver.Database(t)
			run := func(sql string, fine bool) string {
				t.Helper()
				cmd := exec.Command("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url)
				cmd.Stdin = strings.NewReader(sql)
				out, err := cmd.CombinedOutput()
				if (err == nil) != fine {
					t.Fatalf("%v: %s\n%s", err, out, sql)
				}
				return strings.TrimSpace(string(out))
			}
			up, down := upAndDown(t, strategy, plan.IndexRule{Constraint: true})
			const constraints = "SELECT contype, conname FROM pg_constraint WHERE conrelid = 'tickets'::regclass AND contype = 'u'"
			run("CREATE TABLE tickets (id integer PRIMARY KEY, k text); INSERT INTO tickets VALUES (1, 'a'), (2, NULL), (3, NULL);", true)
			for range 2 {
				run(up, true)
				if got := run(constraints, true); got != "u|tickets_k_key" {
					t.Fatalf("the constraints are %q", got)
				}
			}
			run("INSERT INTO tickets VALUES (4, 'a')", false)
			for range 2 {
				run(down, true)
			}
			run("INSERT INTO tickets VALUES (4, 'a')", true)
			run(up, false)
			if got := run(constraints+" UNION ALL SELECT 'i', indexname FROM pg_indexes WHERE tablename = 'tickets' AND indexname <> 'tickets_pkey'", true); got != "" {
				t.Fatalf("left over duplicates: %s", got)
			}
			run("DELETE FROM tickets WHERE id = 4; CREATE UNIQUE INDEX tickets_k_key ON tickets (k)", true)
			run(up, true)
			if got := run(constraints, true); got != "u|tickets_k_key" {
				t.Fatalf("over an index: %q", got)
			}
		})
	}
}

// oldIndex is the index that is replaced, as the server words it.
const oldIndex = "CREATE INDEX old_idx ON public.tickets USING btree (k DESC)"

func TestMigrationsThatReplace(t *testing.T) {
	for _, strategy := range []string{plan.Atomic, plan.Online} {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			url := pgserver.Database(t)
			run := func(sql string) string {
				t.Helper()
				cmd := exec.Command("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url)
				cmd.Stdin = strings.NewReader(sql)
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s\n%s", err, out, sql)
				}
				return strings.TrimSpace(string(out))
			}
			up, down := upAndDown(t, strategy, plan.IndexRule{Constraint: true, Replaces: "old_idx"})
			const indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = 'tickets' AND indexname <> 'tickets_pkey' ORDER BY 1"
			run("CREATE TABLE tickets (id integer PRIMARY KEY, k text); " + oldIndex)
			for range 2 {
				for range 2 {
					run(up)
					if got := run(indexes); got != "CREATE UNIQUE INDEX tickets_k_key ON public.tickets USING btree (k)" {
						t.Fatalf("up: %s", got)
					}
				}
				for range 2 {
					run(down)
					if got := run(indexes); got != oldIndex {
						t.Fatalf("down: %s", got)
					}
				}
			}
		})
	}
}

// TestMigrationsLeaveAnotherIndexAlone: one of the old index's name that is
// defined otherwise is not dropped, and the new one is not built.
func TestMigrationsLeaveAnotherIndexAlone(t *testing.T) {
	for _, strategy := range []string{plan.Atomic, plan.Online} {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			url := pgserver.Database(t)
			run := func(sql string) (string, error) {
				cmd := exec.Command("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url)
				cmd.Stdin = strings.NewReader(sql)
				out, err := cmd.CombinedOutput()
				return strings.TrimSpace(string(out)), err
			}
			up, _ := upAndDown(t, strategy, plan.IndexRule{Replaces: "old_idx"})
			if out, err := run("CREATE TABLE tickets (id integer PRIMARY KEY, k text); CREATE INDEX old_idx ON tickets (k, id)"); err != nil {
				t.Fatal(out)
			}
			if out, err := run(up); err == nil || !strings.Contains(out, "old_idx is not the index that was to be replaced") {
				t.Errorf("%v: %s", err, out)
			}
			if out, err := run("SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'tickets'"); err != nil || out != "old_idx tickets_pkey" {
				t.Errorf("%v: %s", err, out)
			}
			if out, err := run("DROP INDEX old_idx;" + up); err != nil {
				t.Errorf("without the old index: %s", out)
			}
		})
	}
}

// upAndDown are the plain migration of an index and its way back.
func upAndDown(t *testing.T, strategy string, rule plan.IndexRule) (up, down string) {
	t.Helper()
	opened, p := indexRuled(t, "postgres", strategy, rule)
	files, err := Files(opened, p, Options{Migrations: "plain"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		switch {
		case strings.HasSuffix(f.Path, "unique_tickets_k_key.sql"):
			up = string(f.Content)
		case strings.HasSuffix(f.Path, "unique_tickets_k_key_undo.sql"):
			down = string(f.Content)
		}
	}
	return up, down
}
