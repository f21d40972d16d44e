package notify

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"twinrow/detect/casefile"
)

var testNow = time.Date(2025, 12, 28, 9, 30, 0, 0, time.UTC)

var testTool = casefile.Tool{Name: "twinrow", Version: "test"}

// testRow is one row of the tickets table.
type testRow struct{ id, intent, number, name, email, at string }

func (r testRow) row() casefile.Row {
	columns := casefile.Fields{{Name: "id", Value: &r.id}, {Name: "payment_intent_id", Value: &r.intent}, {Name: "ticket_number", Value: &r.number},
		{Name: "customer_name", Value: &r.name}, {Name: "customer_email", Value: &r.email}, {Name: "created_at", Value: &r.at}}
	row := casefile.Row{ID: casefile.Fields{{Name: "id", Value: &r.id}}, Values: columns}
	if r.at != "" {
		row.Time = &r.at
	}
	return row
}

func ticketsTable() casefile.Table {
	table := casefile.Table{Name: "public.tickets", Table: "public.tickets", Key: []casefile.KeyPart{{Text: "payment_intent_id"}, {Text: "ticket_number"}},
		Time: "created_at", ID: []string{"id"}, Email: "customer_email", Person: "customer_name"}
	for _, name := range []string{"id", "payment_intent_id", "ticket_number", "customer_name", "customer_email", "created_at"} {
		table.Columns = append(table.Columns, casefile.Column{Name: name, Type: "text"})
	}
	return table
}

func group(rows ...testRow) *casefile.Group {
	g := &casefile.Group{Table: "public.tickets", Class: casefile.Race, Strength: casefile.Likely, Identical: true,
		Key: casefile.Fields{{Name: "payment_intent_id", Value: new(rows[0].intent)}, {Name: "ticket_number", Value: new(rows[0].number)}}}
	for _, r := range rows {
		g.Rows = append(g.Rows, r.row())
	}
	return g
}

// incident is the four duplicate groups of the duplicate tickets.
func incident() []*casefile.Group {
	return []*casefile.Group{
		group(testRow{"102", "pi_3SgCE5KI6MirOIdS0XRkjx1k", "1", "Jax Example", "jax@example.com", "2025-12-19T22:32:47Z"},
			testRow{"107", "pi_3SgCE5KI6MirOIdS0XRkjx1k", "1", "Jax Example", "jax@example.com", "2025-12-21T17:48:05Z"}),
		group(testRow{"103", "pi_3SgIfuKI6MirOIdS1VWP7BA6", "1", "Trinity Example", "trinity@example.com", "2025-12-20T05:25:56Z"},
			testRow{"106", "pi_3SgIfuKI6MirOIdS1VWP7BA6", "1", "Trinity Example", "trinity@example.com", "2025-12-21T00:40:55Z"}),
		group(testRow{"108", "pi_3ShicpKI6MirOIdS1vKqmZyR", "1", "Saul Example", "saul@example.com", "2025-12-24T03:20:37.914Z"},
			testRow{"109", "pi_3ShicpKI6MirOIdS1vKqmZyR", "1", "Saul Example", "saul@example.com", "2025-12-24T03:20:37.993Z"}),
		group(testRow{"111", "pi_3Si5ebKI6MirOIdS0hviVDSq", "1", "Tess Example", "tess@example.com", "2025-12-25T03:55:59.186Z"},
			testRow{"112", "pi_3Si5ebKI6MirOIdS0hviVDSq", "1", "Tess Example", "tess@example.com", "2025-12-25T03:55:59.200Z"}),
	}
}

// many makes n groups, each of its own customer.
func many(n int) []*casefile.Group {
	groups := make([]*casefile.Group, n)
	for i := range groups {
		r := testRow{fmt.Sprint(1000 + 2*i), fmt.Sprintf("pi_%07d", i), "1", fmt.Sprintf("Person %07d", i), fmt.Sprintf("p%07d@example.com", i), "2025-12-24T03:20:37.914Z"}
		s := r
		s.id, s.at = fmt.Sprint(1001+2*i), "2025-12-24T03:20:37.993Z"
		groups[i] = group(r, s)
	}
	return groups
}

// makeCase writes a case with the groups and opens it.
func makeCase(t testing.TB, groups []*casefile.Group, tables ...casefile.Table) *casefile.Opened {
	t.Helper()
	if len(tables) == 0 {
		tables = []casefile.Table{ticketsTable()}
	}
	dir := filepath.Join(t.TempDir(), "case")
	w, err := casefile.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if err := w.Add(g); err != nil {
			t.Fatal(err)
		}
	}
	c := &casefile.Case{Tool: testTool, CreatedAt: "2025-12-27T00:00:00Z", Source: casefile.Source{Engine: "postgres", Database: "shop"}, Tables: tables}
	if err := w.Commit(c); err != nil {
		t.Fatal(err)
	}
	opened, err := casefile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// keepFirst chooses the first row of every group.
func keepFirst(groups []*casefile.Group) []Choice {
	var choices []Choice
	for _, g := range groups {
		c := Choice{Group: g.Number, Keep: g.Rows[0].ID}
		for _, r := range g.Rows[1:] {
			c.Remove = append(c.Remove, r.ID)
		}
		choices = append(choices, c)
	}
	return choices
}

func testOptions() Options {
	return Options{Tool: testTool, From: "Box Office <tickets@example.com>", ReplyTo: "help@example.com", Now: testNow}
}

// mustDraft makes a case with drafts.
func mustDraft(t testing.TB, groups []*casefile.Group, tables ...casefile.Table) (*casefile.Opened, *Drafts) {
	t.Helper()
	opened := makeCase(t, groups, tables...)
	d, err := Draft(t.Context(), opened, groups, keepFirst(groups), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	return opened, d
}
