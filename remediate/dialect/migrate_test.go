package dialect

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"twinrow/detect/casefile"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) { os.Exit(pgserver.Run(m)) }

// indexOnly is a case without groups, and its plan: the index alone.
func indexOnly(t *testing.T, engine string) (*plan.Case, *plan.Plan) {
	t.Helper()
	return indexPlanned(t, engine, plan.Auto)
}

func indexPlanned(t *testing.T, engine, strategy string) (*plan.Case, *plan.Plan) {
	t.Helper()
	return indexRuled(t, engine, strategy, plan.IndexRule{})
}

func indexRuled(t *testing.T, engine, strategy string, rule plan.IndexRule) (*plan.Case, *plan.Plan) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "case")
	w, err := casefile.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	table := map[bool]string{true: "public.tickets", false: "tickets"}[engine == "postgres"]
	err = w.Commit(&casefile.Case{CreatedAt: "2025-12-26T10:11:12Z", Source: casefile.Source{Engine: engine, Version: "15.1"}, Tables: []casefile.Table{{
		Name: table, Table: table, ID: []string{"id"}, Nulls: "distinct",
		Facts:   &casefile.Facts{Indexes: map[string]string{"old_idx": oldIndex}},
		Columns: []casefile.Column{{Name: "id", Type: "integer"}, {Name: "k", Type: "text"}}, Key: []casefile.KeyPart{{Text: "k"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := casefile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Make(opened, plan.Options{Keep: "first", Strategy: strategy, Rules: map[string]plan.Rules{table: {Index: rule}}})
	if err != nil {
		t.Fatal(err)
	}
	return opened, p
}

func names(files []plan.File) []string {
	var out []string
	for _, f := range files {
		if strings.Contains(f.Path, "unique") {
			out = append(out, filepath.Base(f.Path))
		}
	}
	slices.Sort(out)
	return out
}

func TestMigrationNames(t *testing.T) {
	tests := []struct {
		engine, tool string
		folder       []string
		want         []string
	}{
		{"sqlite", "", nil, []string{"0001_unique_tickets_k_key.sql", "0001_unique_tickets_k_key_undo.sql"}},
		{"d1", "", []string{"0007_a.sql", "0008_x.sql", "README.md"}, []string{"0009_unique_tickets_k_key.sql", "0009_unique_tickets_k_key_undo.sql"}},
		{"sqlite", "plain", []string{"099-a.sql"}, []string{"100-unique_tickets_k_key.sql", "100-unique_tickets_k_key_undo.sql"}},
		{"postgres", "golang-migrate", []string{"000009_a.up.sql", "000009_a.down.sql"}, []string{"000010_unique_tickets_k_key.down.sql", "000010_unique_tickets_k_key.up.sql"}},
		{"postgres", "goose", []string{"20240101000000_a.sql"}, []string{"20251226101112_unique_tickets_k_key.sql"}},
		{"postgres", "goose", []string{"20991231235959_a.sql"}, []string{"20991231235960_unique_tickets_k_key.sql"}},
		{"postgres", "dbmate", nil, []string{"20251226101112_unique_tickets_k_key.sql"}},
		{"postgres", "tern", []string{"001_a.sql"}, []string{"002_unique_tickets_k_key.sql"}},
		{"postgres", "flyway", []string{"V3__a.sql", "V12__b.sql"}, []string{"U13__unique_tickets_k_key.sql", "V13__unique_tickets_k_key.sql"}},
		{"postgres", "flyway", []string{"V1__a.sql", "V2.1__b.sql"}, []string{"U3__unique_tickets_k_key.sql", "V3__unique_tickets_k_key.sql"}},
		{"postgres", "flyway", []string{"V4_0_2__b.sql"}, []string{"U5__unique_tickets_k_key.sql", "V5__unique_tickets_k_key.sql"}},
	}
	for _, test := range tests {
		t.Run(test.engine+" "+test.tool, func(t *testing.T) {
			opened, p := indexOnly(t, test.engine)
			folder := t.TempDir()
			for _, f := range test.folder {
				if err := os.WriteFile(filepath.Join(folder, f), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 { // planned again, it takes the same number
				files, err := Files(opened, p, Options{Migrations: test.tool, MigrationsDir: folder})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, names(files)); diff != "" {
					t.Fatal(diff)
				}
				if err := plan.Write(opened.Dir, p, files); err != nil {
					t.Fatal(err)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(folder, "*_undo.sql")); len(left) != 0 {
				t.Errorf("a way back lies where a tool would run it: %v", left)
			}
		})
	}
}

func TestMigrationProblems(t *testing.T) {
	opened, p := indexOnly(t, "postgres")
	for code, opts := range map[string]Options{
		plan.CodeUsage:    {Migrations: "rails"},
		plan.CodeNotFound: {MigrationsDir: filepath.Join(t.TempDir(), "none")},
	} {
		_, err := Files(opened, p, opts)
		var problem *plan.Problem
		if !errors.As(err, &problem) || problem.Code != code || problem.Hint == "" {
			t.Errorf("%+v: %v", opts, err)
		}
	}
}

// TestMigrationsRun runs the plain migration up, again, down, and over duplicates.
func TestMigrationsRun(t *testing.T) {
	url, file := pgserver.Database(t), filepath.Join(t.TempDir(), "shop.db")
	clients := map[string]func() *exec.Cmd{
		"postgres": func() *exec.Cmd { return exec.Command("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", url) },
		"sqlite":   func() *exec.Cmd { return exec.Command("sqlite3", "-bail", file) },
		"d1":       func() *exec.Cmd { return exec.Command("sqlite3", "-bail", file+"1") },
	}
	for engine, client := range clients {
		t.Run(engine, func(t *testing.T) {
			run := func(sql string) error {
				cmd := client()
				cmd.Stdin = strings.NewReader(sql)
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Logf("%s", out)
				}
				return err
			}
			opened, p := indexOnly(t, engine)
			files, err := Files(opened, p, Options{Migrations: "plain"})
			if err != nil {
				t.Fatal(err)
			}
			var up, down string
			for _, f := range files {
				switch {
				case strings.HasSuffix(f.Path, "key.sql"):
					up = string(f.Content)
				case strings.HasSuffix(f.Path, "key_undo.sql"):
					down = string(f.Content)
				}
			}
			if transactionWords.MatchString(up) && engine == "d1" {
				t.Error("a word of a transaction is in a migration for D1")
			}
			steps := []struct {
				sql  string
				fine bool
			}{
				{"CREATE TABLE tickets (id integer PRIMARY KEY, k text); INSERT INTO tickets VALUES (1, 'a'), (2, NULL), (3, NULL);", true},
				{up, true}, {up, true}, {"INSERT INTO tickets VALUES (4, 'a');", false},
				{down, true}, {down, true}, {"INSERT INTO tickets VALUES (4, 'a');", true}, {up, false},
				{"CREATE INDEX tickets_k_key ON tickets (k);", true}, {"DELETE FROM tickets WHERE id = 4;", true}, {up, false},
				// An index of that name is looked at by its definition.
				{"DROP INDEX tickets_k_key; CREATE UNIQUE INDEX tickets_k_key ON tickets (id);", true}, {up, false},
				{"DROP INDEX tickets_k_key; CREATE UNIQUE INDEX tickets_k_key ON tickets (k) WHERE id > 100;", true}, {up, false},
			}
			for i, step := range steps {
				if err := run(step.sql); (err == nil) != step.fine {
					t.Fatalf("step %d: %v\n%s", i+1, err, step.sql)
				}
			}
		})
	}
}
