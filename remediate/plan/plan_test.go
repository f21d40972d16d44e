package plan

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"twinrow/detect/casefile"

	"github.com/google/go-cmp/cmp"
)

func id(value string) Fields { return Fields{{Name: "id", Value: new(value)}} }

func keepFirst(_ *casefile.Table, g *casefile.Group) (Fields, []Fields, string, error) {
	var rest []Fields
	for _, r := range g.Rows[1:] {
		rest = append(rest, r.ID)
	}
	return g.Rows[0].ID, rest, "earliest created_at", nil
}

var options = Options{Keep: "first", Choose: keepFirst, Tool: Tool{Name: "twinrow", Version: "test"}, Strategy: Atomic}

// tickets is a case of two groups, the second with copies that differ.
func tickets(t *testing.T, change func(*casefile.Case)) *Case {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "case")
	w, err := casefile.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	key := Fields{{Name: "k", Value: new("a")}}
	groups := []*casefile.Group{
		{Table: "public.tickets", Key: key, Identical: true, Rows: []casefile.Row{{ID: id("1"), Image: "i1"}, {ID: id("2"), Image: "i2"}, {ID: id("3"), Image: "i3"}}},
		{Table: "public.tickets", Key: key, Differs: []string{"note"}, Rows: []casefile.Row{{ID: id("4"), Image: "i4"}, {ID: id("5"), Image: "i5"}}},
	}
	for _, g := range groups {
		if err := w.Add(g); err != nil {
			t.Fatal(err)
		}
	}
	c := &casefile.Case{Source: casefile.Source{Engine: "postgres", Version: "15.18"}, Tables: []casefile.Table{{
		Name: "public.tickets", Table: "public.tickets", Nulls: "distinct", ScannedRows: longLock, ID: []string{"id"}, Key: []KeyPart{{Text: "k"}},
		Columns: []Column{{Name: "id", Type: "bigint"}, {Name: "k", Type: "text"}, {Name: "note", Type: "text"}}}}}
	if change != nil {
		change(c)
	}
	if err := w.Commit(c); err != nil {
		t.Fatal(err)
	}
	opened, err := casefile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func made(t *testing.T, opened *Case, differing string) *Plan {
	t.Helper()
	o := options
	o.Differing = differing
	p, err := Make(opened, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func ops(p *Plan) []string {
	out := []string{}
	for _, o := range p.Tables[0].Operations {
		out = append(out, o.Op)
	}
	return out
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var p *Problem
	if !errors.As(err, &p) || p.Code != code || p.Hint == "" {
		t.Fatalf("got %v, want %s with a hint", err, code)
	}
}

func TestMake(t *testing.T) {
	held := made(t, tickets(t, nil), "")
	if diff := cmp.Diff([]string{OpQuarantine, OpDelete}, ops(held)); diff != "" {
		t.Error(diff)
	}
	if h := held.Tables[0].Held; len(h) != 1 || h[0].Number != 2 || h[0].Reason != "the copies differ in note" || len(h[0].Rows) != 2 {
		t.Errorf("%+v", h)
	}
	whole := made(t, tickets(t, nil), KeepSurvivor)
	if diff := cmp.Diff([]string{OpQuarantine, OpDelete, OpUniqueIndex}, ops(whole)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Hazard{DeletesRows, DifferingRows, TakesLock, BuildsIndex}, whole.Hazards); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]Effect{"public.tickets": {Deleted: 3}}, whole.Tables[0].Effects); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&Index{Name: "tickets_k_key", Parts: []KeyPart{{Text: "k"}}}, whole.Tables[0].Operation(OpUniqueIndex).Index); diff != "" {
		t.Error(diff)
	}
}

func TestHazardsOfTheSurroundings(t *testing.T) {
	p := made(t, tickets(t, func(c *casefile.Case) {
		c.Tables[0].IncomingKeys = []ForeignKey{{Name: "fk", Table: "public.scans", OnDelete: "set null"}}
		c.Tables[0].Triggers = []string{"audit"}
	}), KeepSurvivor)
	if diff := cmp.Diff([]Hazard{DeletesRows, DifferingRows, Cascades, FiresTriggers, TakesLock, BuildsIndex}, p.Hazards); diff != "" {
		t.Error(diff)
	}
	if notes := strings.Join(p.Tables[0].Notes, "\n"); !strings.Contains(notes, "public.scans") || !strings.Contains(notes, "audit") {
		t.Error(notes)
	}
}

func TestAnIndexThatHoldsAlready(t *testing.T) {
	p := made(t, tickets(t, func(c *casefile.Case) { c.Tables[0].UniqueBy = []string{"tickets_key"} }), KeepSurvivor)
	if p.Tables[0].Operation(OpUniqueIndex) != nil || !strings.Contains(strings.Join(p.Tables[0].Notes, ""), "damaged") {
		t.Errorf("%+v", p.Tables[0])
	}
}

func TestWhatHoldsNoRowsOfItsOwnIsRefused(t *testing.T) {
	for kind, hint := range map[string]string{"a view": "made of", "spread over foreign tables": "at the server"} {
		_, err := Make(tickets(t, func(c *casefile.Case) { c.Tables[0].Kind = kind }), options)
		if p, ok := errors.AsType[*Problem](err); !ok || p.Code != CodeUnsupported || !strings.Contains(p.Message, kind) || !strings.Contains(p.Hint, hint) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestNullsNotDistinct(t *testing.T) {
	for source, fine := range map[casefile.Source]bool{
		{Engine: "postgres", Version: "15.18"}: true, {Engine: "postgres", Version: "14.2 (Debian)"}: false,
		{Engine: "postgres", Version: "18beta1"}: true, {Engine: "sqlite", Version: "3.49"}: false,
	} {
		o := options
		o.Differing = KeepSurvivor
		_, err := Make(tickets(t, func(c *casefile.Case) { c.Source = source; c.Tables[0].Nulls = "not-distinct" }), o)
		if fine && err != nil || !fine && err == nil {
			t.Errorf("%+v: %v", source, err)
		}
	}
}

func TestUsage(t *testing.T) {
	opened := tickets(t, nil)
	o := options
	o.Differing = "guess"
	_, err := Make(opened, o)
	wantCode(t, err, CodeUsage)
	wantCode(t, made(t, opened, "").Consent([]string{"eats-rows"}), CodeUsage)
	wantCode(t, made(t, opened, "").Consent(nil), CodeRefused)
	if err := made(t, opened, "").Consent([]string{"deletes-rows, takes-lock"}); err != nil {
		t.Error(err)
	}
}

func TestDuplicateIDs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	w, err := casefile.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(&casefile.Group{Table: "t", Identical: true, Rows: []casefile.Row{{ID: id("1")}, {ID: id("1")}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(&casefile.Case{Tables: []casefile.Table{{Name: "t", Table: "t"}}}); err != nil {
		t.Fatal(err)
	}
	opened, err := casefile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Make(opened, options)
	wantCode(t, err, CodeUnsupported)
}

func TestWriteAndRead(t *testing.T) {
	opened := tickets(t, nil)
	p := made(t, opened, KeepSurvivor)
	if err := Write(opened.Dir, p, []File{{Path: "sql/a.sql", Content: []byte("1")}, {Path: "sql/b.sql", Content: []byte("2")}}); err != nil {
		t.Fatal(err)
	}
	back, err := Read(opened.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, back); diff != "" {
		t.Error(diff)
	}
	if err := Write(opened.Dir, p, []File{{Path: "sql/b.sql", Content: []byte("3")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(opened.Dir, "sql/a.sql")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a stale file is still there")
	}
	if err := os.WriteFile(filepath.Join(opened.Dir, "sql/b.sql"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantCode(t, Write(opened.Dir, p, []File{{Path: "sql/b.sql", Content: []byte("4")}}), CodeExists)
}

func TestEveryEditIsNoticed(t *testing.T) {
	opened := tickets(t, nil)
	if err := Write(opened.Dir, made(t, opened, ""), nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(opened.Dir, Name)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		edited := append([]byte(nil), raw...)
		edited[i] ^= 1
		if _, err := decode(edited); err == nil {
			t.Fatalf("an edit of byte %d, %q to %q, was not noticed", i, raw[i], edited[i])
		}
	}
	if _, err := decode(append(append([]byte(nil), raw...), ' ')); err == nil {
		t.Error("an added space was not noticed")
	}
	if err := os.WriteFile(filepath.Join(opened.Dir, casefile.CaseName), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Read(opened.Dir)
	wantCode(t, err, CodeTampered)
	_, err = Read(t.TempDir())
	wantCode(t, err, CodeNotFound)
	_, err = decode([]byte(`{"schema":"twinrow/plan/v2"}`))
	wantCode(t, err, casefileNewer)
}

const casefileNewer = "newer"
