package dialect

import (
	"strings"
	"testing"

	"twinrow/remediate/plan"
)

// runbookOf is the page of a plan of the index alone.
func runbookOf(t *testing.T, engine, strategy string, opts Options) string {
	t.Helper()
	opened, p := indexPlanned(t, engine, strategy)
	opened.Tables[0].Totals.Customers = 1
	p.Tables[0].Held = []plan.Held{{Number: 7, Rows: []plan.Fields{{{Name: "id", Value: new("a|b`c")}}}, Reason: "the copies differ in note"}}
	files, err := Files(opened, p, opts)
	if err != nil {
		t.Fatal(err)
	}
	page := files[len(files)-1]
	if page.Path != "runbook.md" {
		t.Fatalf("the last file is %s", page.Path)
	}
	return strings.ReplaceAll(string(page.Content), opened.Dir, "CASE")
}

func TestRunbook(t *testing.T) {
	for name, c := range map[string]struct {
		engine, strategy string
		opts             Options
		want             []string
	}{
		"postgres": {"postgres", plan.Online, Options{Migrations: "goose"}, []string{
			"- [ ] **Code deployed.**", "- [ ] **Duplicates deleted.**", "- [ ] **Constraint applied.**", "- [ ] **Customers contacted.** 1 customer:", "- [ ] **Logs watched.**", "- [ ] **Fix proven.**",
			`duplicate key value violates unique constraint "tickets_k_key" (SQLSTATE 23505)`,
			"twinrow apply CASE --allow builds-index\n",
			"      twinrow apply CASE --allow builds-index --until fence\n", "      touch CASE/stop\n",
			`      psql -v ON_ERROR_STOP=1 -f CASE/sql/10_fence.sql "$DATABASE_URL"` + "\n" + `      psql -v ON_ERROR_STOP=1 -f CASE/sql/30_index.sql "$DATABASE_URL"` + "\n" + `      psql -v ON_ERROR_STOP=1 -f CASE/sql/40_unfence.sql "$DATABASE_URL"` + "\n" + `      psql -v ON_ERROR_STOP=1 -f CASE/sql/50_verify.sql "$DATABASE_URL"` + "\n",
			`      psql -v ON_ERROR_STOP=1 -f CASE/sql/40_unfence_undo.sql "$DATABASE_URL"` + "\n" + `      psql -v ON_ERROR_STOP=1 -f CASE/sql/30_index_undo.sql "$DATABASE_URL"` + "\n",
			`goose -dir DIR postgres "$DATABASE_URL" up`,
			"| group 7 of `public.tickets` (id=a\\|b`c): the copies differ in note | who knows the customers |",
			"twinrow plan CASE --decisions decisions.csv",
		}},
		"d1": {"d1", "", Options{}, []string{
			"UNIQUE constraint failed: tickets.k", "wrangler d1 time-travel info NAME", "wrangler d1 execute NAME --remote --file=CASE/sql/20_clean_and_index.sql", "wrangler d1 migrations apply NAME --remote", "wrangler d1 time-travel restore NAME --bookmark=BOOKMARK",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			page := runbookOf(t, c.engine, c.strategy, c.opts)
			for _, want := range c.want {
				if !strings.Contains(page, want) {
					t.Errorf("no %q in\n%s", want, page)
				}
			}
		})
	}
}
