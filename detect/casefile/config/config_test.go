package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
)

// whole has every key that a file can have.
const whole = `source: ${DATABASE_URL}
tables:
  - table: public.tickets
    key: [payment_intent_id, "lower(email)"]
    where: deleted_at IS NULL
    nulls: not-distinct
    time: created_at
    id: [id]
    email: customer_email
    name: customer_name
    amount: ${AMOUNT:-amount_cents}
    ignore: [updated_at]
    provider: stripe
    keep: ["seen_at DESC NULLS LAST", "id DESC"]
    invariants: ["status = 'checked_in'"]
    surplus: {set: {username: "username || '_' || id"}}
    differing: merge
    merge: {value: sum, note: first-non-null}
    references:
      - {table: scans, column: ticket_id, on_conflict: drop}
      - {table: tallies, column: ticket_id, on_conflict: merge, merge: {n: sum}}
      - {table: sessions, columns: [a, b], action: delete}
      - {table: comments, column: subject_id, where: "subject_type = 'ticket'"}
      - {table: playlists, column: ticket_ids, array: true, on_conflict: keep}
    index: {name: k, constraint: true, replaces: old, columns: [a, b], where: ""}
  - {table: orders, key: id, keep: last, surplus: delete, index: false}
`

func environment(set map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := set[name]
		return value, ok
	}
}

func TestWholeFileIsRead(t *testing.T) {
	f, err := Parse("twinrow.yaml", []byte(whole), environment(map[string]string{"DATABASE_URL": "postgres://db/shop"}))
	if err != nil {
		t.Fatal(err)
	}
	want := []Table{{
		At: "twinrow.yaml:3:5", Table: "public.tickets", Key: []string{"payment_intent_id", "lower(email)"}, Where: "deleted_at IS NULL",
		NullsEqual: true, Time: "created_at", ID: []string{"id"}, Email: "customer_email", Name: "customer_name",
		Amount: "amount_cents", Ignore: []string{"updated_at"}, Provider: "stripe",
		Keep:       Keep{Order: []string{"seen_at DESC NULLS LAST", "id DESC"}},
		Invariants: []string{"status = 'checked_in'"},
		Surplus:    []Assignment{{"username", "username || '_' || id"}},
		Differing:  Merge,
		Merge:      []MergeRule{{"value", "sum"}, {"note", "first-non-null"}},
		References: []Reference{
			{At: "twinrow.yaml:20:9", Table: "scans", Columns: []string{"ticket_id"}, Action: Repoint, OnConflict: Drop},
			{At: "twinrow.yaml:21:9", Table: "tallies", Columns: []string{"ticket_id"}, Action: Repoint, OnConflict: Merge, Merge: []MergeRule{{"n", "sum"}}},
			{At: "twinrow.yaml:22:9", Table: "sessions", Columns: []string{"a", "b"}, Action: DeleteRow, OnConflict: Stop},
			{At: "twinrow.yaml:23:9", Table: "comments", Columns: []string{"subject_id"}, Where: "subject_type = 'ticket'", Action: Repoint, OnConflict: Stop},
			{At: "twinrow.yaml:24:9", Table: "playlists", Columns: []string{"ticket_ids"}, Array: true, Action: Repoint, OnConflict: KeepRepeats},
		},
		Index: &Index{Name: "k", Constraint: true, Replaces: "old", Columns: []string{"a", "b"}, Everywhere: true},
	}, {
		At: "twinrow.yaml:26:5", Table: "orders", Key: []string{"id"}, Keep: Keep{Rule: KeepLast}, Index: &Index{None: true},
	}}
	if diff := cmp.Diff(want, f.Tables); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	if at, err := f.Source(); err != nil || at != "postgres://db/shop" {
		t.Errorf("source %q, %v", at, err)
	}
	if string(f.Text) != whole {
		t.Error("the text is not the file as it stands")
	}
}

func TestMistakesNameTheirPlace(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":           {"tables:\n  - table: t\n    key: a\n    emial: x\n", `t.yaml:4:5: unknown key "emial" (did you mean email?)`},
		"unknown key on top":    {"table: t\n", `t.yaml:1:1: unknown key "table" (did you mean tables?)`},
		"doubled key":           {"tables:\n  - table: t\n    key: a\n    key: b\n", "t.yaml:4:5: "},
		"wrong type":            {"tables:\n  - table: t\n    key: a\n    email: [x]\n", "t.yaml:4:12: plain text is needed here"},
		"mapping for list":      {"tables:\n  - table: t\n    key: {a: b}\n", "t.yaml:3:"},
		"wrong word":            {"tables:\n  - table: t\n    key: a\n    differing: holds\n", `t.yaml:4:16: unknown word "holds" (did you mean hold?)`},
		"wrong nulls":           {"tables:\n  - table: t\n    key: a\n    nulls: notdistinct\n", "t.yaml:4:12: "},
		"wrong merge":           {"tables:\n  - table: t\n    key: a\n    merge: {v: sun}\n", `unknown word "sun" (did you mean sum?)`},
		"empty":                 {"tables:\n  - table: t\n    key: a\n    where: ''\n", "t.yaml:4:12: this is empty"},
		"nothing":               {"tables:\n  - table: t\n    key: a\n    where:\n", "t.yaml:4:"},
		"no key":                {"tables:\n  - table: t\n", "t.yaml:2:5: the entry of t needs a key"},
		"no table":              {"tables:\n  - key: a\n", "t.yaml:2:5: an entry needs a table"},
		"no tables":             {"source: x\n", "no tables"},
		"nothing at all":        {"", "one document is needed, there are 0"},
		"part twice":            {"tables: [{table: t, key: [a, a]}]", `"a" stands here twice`},
		"surplus word":          {"tables: [{table: t, key: a, surplus: keep}]", `unknown word "keep"`},
		"surplus of nothing":    {"tables: [{table: t, key: a, surplus: {set: {}}}]", "`delete` is needed here"},
		"index true":            {"tables: [{table: t, key: a, index: true}]", `unknown word "true"; here can stand false`},
		"index constraint":      {"tables: [{table: t, key: a, index: {constraint: yes}}]", `unknown word "yes"; here can stand true, false`},
		"reference":             {"tables: [{table: t, key: a, references: [{column: x}]}]", "a reference needs a table"},
		"reference column":      {"tables: [{table: t, key: a, references: [{table: x}]}]", "a reference needs `column:` or `columns:`"},
		"reference columns":     {"tables: [{table: t, key: a, references: [{table: x, column: a, columns: [a]}]}]", "and not both"},
		"reference keep":        {"tables: [{table: t, key: a, references: [{table: x, column: a, on_conflict: keep}]}]", "a column has stop, drop or merge"},
		"array merge":           {"tables: [{table: t, key: a, references: [{table: x, column: a, array: true, on_conflict: merge, merge: {n: sum}}]}]", "an array has stop, drop or keep"},
		"reference merge":       {"tables: [{table: t, key: a, references: [{table: x, column: a, merge: {n: sum}}]}]", "go together"},
		"reference action":      {"tables: [{table: t, key: a, references: [{table: x, column: a, action: delete, on_conflict: drop}]}]", "is for rows that are repointed"},
		"variable not set":      {"tables:\n  - table: ${TABLE}\n    key: a\n", "t.yaml:2:12: the environment variable TABLE is not set"},
		"no variable's name":    {"tables: [{table: \"${a b}\", key: a}]", "is not the name of an environment variable"},
		"alias that is missing": {"tables: [{table: *t, key: a}]", "no anchor of that name"},
		"aliases in a circle":   {"tables: &a [*a]", "keys and values are needed here"},
		"list of lists":         {"tables: [[{table: t, key: a}]]", "keys and values are needed here"},
		"source no text":        {"source: [a]\ntables: [{table: t, key: a}]", "plain text is needed here"},
		"two documents":         {"tables: []\n---\ntables: []\n", "one document is needed, there are 2"},
	} {
		_, err := Parse("t.yaml", []byte(c.text), environment(nil))
		problem, ok := errors.AsType[*key.Problem](err)
		if !ok || problem.Code != key.CodeBadInput || !strings.HasPrefix(problem.Message, "t.yaml") || !strings.Contains(problem.Message, c.want) || problem.Hint == "" {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestSourceThatIsNotSetIsNamedWhenAsked(t *testing.T) {
	f, err := Parse("t.yaml", []byte("tables: [{table: t, key: a}]\nsource: ${DATABASE_URL}\n"), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Source(); err == nil || !strings.Contains(err.Error(), "t.yaml:2:9: the environment variable DATABASE_URL is not set") {
		t.Errorf("the source: %v", err)
	}
}

func TestCopyInTheCase(t *testing.T) {
	const text = "tables: [{table: t, key: [A, lower(b)], where: c > 0, keep: first}]"
	opened := &casefile.Opened{Dir: t.TempDir()}
	opened.Tables = []casefile.Table{{
		Columns: []casefile.Column{{Name: "a"}, {Name: "b"}}, Key: []casefile.KeyPart{{Text: "a"}, {Text: "lower(b)", Expression: true}},
		Where: "c > 0", Nulls: "distinct",
	}}
	if f, err := OfCase(opened, environment(nil)); f != nil || err != nil {
		t.Fatalf("a case without a configuration has %v, %v", f, err)
	}
	opened.Config = &casefile.Config{}
	for name, c := range map[string]struct{ from, to, want string }{
		"unchanged":    {"", "", ""},
		"another rule": {"first", "last", ""},
		"another key":  {"lower(b)", "b", "`key:` is not what was scanned by"},
		"no predicate": {"where: c > 0, ", "", "`where:` is not"},
		"nulls":        {"keep:", "nulls: not-distinct, keep:", "`nulls:` is not"},
		"more tables":  {"[{", "[{table: u, key: a}, {", "it has 2 entries, and the case has 1"},
	} {
		changed := strings.Replace(text, c.from, c.to, 1)
		if err := os.WriteFile(filepath.Join(opened.Dir, casefile.ConfigName), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := OfCase(opened, environment(nil))
		switch {
		case c.want == "" && (err != nil || len(f.Tables) != 1):
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := os.Remove(filepath.Join(opened.Dir, casefile.ConfigName)); err != nil {
		t.Fatal(err)
	}
	if _, err := OfCase(opened, environment(nil)); err == nil {
		t.Error("a copy that is missing was not missed")
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{whole, "tables: &a [*a]", "? [a]\n: b", "tables: [{<<: {a: 1}}]", "!!str a: b", "- - -", "\t", "a: |\n b", "source: ${A:-${B}}"} {
		f.Add([]byte(seed))
	}
	env := func(name string) (string, bool) { return "x", len(name) > 2 }
	f.Fuzz(func(t *testing.T, content []byte) {
		parsed, err := Parse("fuzz.yaml", content, env)
		if err != nil {
			if problem, ok := errors.AsType[*key.Problem](err); !ok || problem.Code == "" || parsed != nil {
				t.Fatalf("not a problem: %v", err)
			}
			return
		}
		for _, table := range parsed.Tables {
			if table.Table == "" || len(table.Key) == 0 || table.At == "" {
				t.Fatalf("an entry without table, key or place: %+v", table)
			}
		}
	})
}
