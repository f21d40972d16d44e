package sourcetest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

func testInfo(t *testing.T, a Adapter) {
	src, _ := open(t, a, tickets())
	info := src.Info()
	if info.Engine != a.Engine {
		t.Errorf("engine is %q, want %q", info.Engine, a.Engine)
	}
	if info.Location == "" || info.Database == "" {
		t.Errorf("info %+v lacks its location or database", info)
	}
}

// wantProblem checks code and that the hint names what it should.
func wantProblem(t *testing.T, err error, code, inHint string) {
	t.Helper()
	var p *key.Problem
	if !errors.As(err, &p) {
		t.Errorf("got error %v, want a problem with code %s", err, code)
		return
	}
	if p.Code != code || !strings.Contains(p.Hint, inHint) || p.Hint == "" {
		t.Errorf("got problem %s, hint %q (%v), want %s and a hint with %q", p.Code, p.Hint, p, code, inHint)
	}
}

func testUnknownNames(t *testing.T, a Adapter) {
	src, table := open(t, a, tickets())
	for _, c := range []struct {
		what   string
		req    source.Request
		inHint string
	}{
		{"table", source.Request{Table: table + "x", Key: []string{"payment"}}, "tickets"},
		{"key column", source.Request{Table: table, Key: []string{"paymet"}}, "payment"},
		{"second key column", source.Request{Table: table, Key: []string{"payment", "nmber"}}, "number"},
		{"time column", source.Request{Table: table, Key: []string{"payment"}, Time: "created"}, "created_at"},
		{"id column", source.Request{Table: table, Key: []string{"payment"}, ID: []string{"idd"}}, "id"},
		{"email column", source.Request{Table: table, Key: []string{"payment"}, Email: "emial"}, "email"},
		{"amount column", source.Request{Table: table, Key: []string{"payment"}, Amount: "amont"}, "amount"},
		{"ignored column", source.Request{Table: table, Key: []string{"payment"}, Ignore: []string{"amounts"}}, "amount"},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, err := src.Inspect(t.Context(), c.req)
			wantProblem(t, err, key.CodeNotFound, c.inHint)
		})
	}
	if _, err := src.Inspect(t.Context(), source.Request{Table: table}); err == nil {
		t.Error("a request without a key was accepted")
	}
	inspect(t, src, source.Request{Table: table, Key: []string{"payment"}}) // errors leave the source usable
}

func testResolvedNames(t *testing.T, a Adapter) {
	d := tickets()
	src, table := open(t, a, d)
	got := inspect(t, src, source.Request{
		Table: table, Key: []string{"PAYMENT", `"number"`}, Time: "Created_At", Email: "EMAIL", Amount: "amount", Name: "email",
		Ignore: []string{"Amount"}, NullsEqual: true,
	})
	if !strings.HasSuffix(got.Name, d.Table) {
		t.Errorf("table is named %q, want it to end with %q", got.Name, d.Table)
	}
	var names []string
	for _, c := range d.Columns {
		names = append(names, c.Name)
	}
	want := source.Table{
		Key: key.Key{Parts: []key.Part{{Text: "payment"}, {Text: "number"}}, NullsEqual: true},
		ID:  []string{"id"}, Time: "created_at", Email: "email", NameColumn: "email", Amount: "amount", Ignore: []string{"amount"},
	}
	trimmed := source.Table{
		Key: got.Key, ID: got.ID, Time: got.Time, Email: got.Email, NameColumn: got.NameColumn, Amount: got.Amount, Ignore: got.Ignore,
	}
	if diff := cmp.Diff(want, trimmed); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	columns := got.ColumnNames()
	if a.NoOrder {
		slices.Sort(names)
		slices.Sort(columns)
	}
	if diff := cmp.Diff(names, columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if slices.ContainsFunc(got.Columns, func(c source.Column) bool { return c.Type == "" }) {
		t.Errorf("a column has no type: %+v", got.Columns)
	}
	if len(got.UniqueBy) > 0 {
		t.Errorf("no index holds for the key, but UniqueBy is %q", got.UniqueBy)
	}
}

func testChosenID(t *testing.T, a Adapter) {
	d := tickets()
	src, table := open(t, a, d)
	tab := inspect(t, src, source.Request{Table: table, Key: []string{"payment", "number"}, ID: []string{"email", "ID"}})
	if diff := cmp.Diff([]string{"email", "id"}, tab.ID); diff != "" {
		t.Errorf("id (-want +got):\n%s", diff)
	}
	var ids []string
	for _, row := range find(t, src, tab, 1).rows {
		ids = append(ids, row.ID[0].Text+"/"+row.ID[1].Text)
	}
	slices.Sort(ids)
	want := []string{"jax@example.com/102", "jax@example.com/105", "jax@example.com/112"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}
