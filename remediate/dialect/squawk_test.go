//go:build migrations

package dialect

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"twinrow/detect/casefile"
	"twinrow/remediate/plan"
)

// TestSquawk gives every file that is generated for Postgres to the linter.
// A finding that is meant stands in the file itself, with the reason.
func TestSquawk(t *testing.T) {
	dir := t.TempDir()
	if keep := os.Getenv("TWINROW_KEEP"); keep != "" {
		dir = keep
	}
	var paths []string
	for _, strategy := range []string{"atomic", "online"} {
		for _, tool := range MigrationKinds() {
			if tool == "wrangler" {
				continue
			}
			opened := surplusCase(t)
			rules := map[string]plan.Rules{opened.Tables[0].Name: {Keep: "first", Choose: keepFirst, Index: plan.IndexRule{Constraint: tool == "goose"}}}
			if tool == "plain" {
				opened.Tables[0].Facts = &casefile.Facts{Indexes: map[string]string{"old_idx": oldIndex}}
				rules[opened.Tables[0].Name] = plan.Rules{Keep: "first", Choose: keepFirst, Index: plan.IndexRule{Replaces: "old_idx"}}
			}
			p, err := plan.Make(opened, plan.Options{Keep: "first", Choose: keepFirst, Strategy: strategy, Rules: rules})
			if err != nil {
				t.Fatal(err)
			}
			files, err := Files(opened, p, Options{Migrations: tool})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if !strings.HasSuffix(f.Path, ".sql") {
					continue
				}
				path := filepath.Join(dir, fmt.Sprintf("%s-%s-%s", strategy, tool, filepath.Base(f.Path)))
				writeTo(t, path, withoutClient(string(f.Content)))
				paths = append(paths, path)
			}
		}
	}
	out, err := exec.Command(program("node_modules/.bin/squawk"), append([]string{"--pg-version", "15"}, paths...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%d files: %s", len(paths), strings.TrimSpace(string(out)))
}

// withoutClient writes psql's own words, which the linter does not know, as plain SQL.
func withoutClient(sql string) string {
	sql = regexp.MustCompile(`(?m) \\g(exec|set \w+)$`).ReplaceAllString(sql, ";")
	return strings.ReplaceAll(sql, ":'twinrow_standing'", "'none'")
}

func keepFirst(_ *casefile.Table, g *casefile.Group) (plan.Fields, []plan.Fields, string, error) {
	return g.Rows[0].ID, []plan.Fields{g.Rows[1].ID}, "earliest", nil
}

// surplusCase is a case of one group in a table with an incoming key and a trigger.
func surplusCase(t *testing.T) *plan.Case {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "case")
	w, err := casefile.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	id := func(v string) plan.Fields { return plan.Fields{{Name: "id", Value: &v}} }
	g := &casefile.Group{Table: "public.tickets", Key: plan.Fields{{Name: "k", Value: new("a")}}, Identical: true, Rows: []casefile.Row{{ID: id("1"), Image: "sha256:00"}, {ID: id("2"), Image: "sha256:00"}}}
	if err := w.Add(g); err != nil {
		t.Fatal(err)
	}
	err = w.Commit(&casefile.Case{CreatedAt: "2025-12-26T10:11:12Z", Source: casefile.Source{Engine: "postgres", Version: "15.1"}, Tables: []casefile.Table{{
		Name: "public.tickets", Table: "public.tickets", ID: []string{"id"}, Nulls: "distinct",
		IncomingKeys: []casefile.ForeignKey{{Name: "scans_ticket_fkey", Table: "public.scans", Columns: []string{"ticket_id"}, References: []string{"id"}, OnDelete: "cascade"}}, Triggers: []string{"audit"},
		Columns: []casefile.Column{{Name: "id", Type: "integer"}, {Name: "k", Type: "text"}}, Key: []casefile.KeyPart{{Text: "k"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := casefile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}
