package sqlite

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

func ranked(t *testing.T, src *Source, table *source.Table, ask source.Ranking, ids ...[]source.Value) (map[int]source.Rank, error) {
	t.Helper()
	got := map[int]source.Rank{}
	err := src.Rank(t.Context(), table, ask, ids, func(r source.Rank) error {
		got[r.Row] = r
		return nil
	})
	return got, err
}

func id(parts ...string) []source.Value {
	var out []source.Value
	for _, p := range parts {
		out = append(out, source.Value{Text: p})
	}
	return out
}

func TestRank(t *testing.T) {
	path, _ := database(t, "shop.db",
		`CREATE TABLE "odd ""T""" (id PRIMARY KEY, k TEXT, number INT, seen TEXT COLLATE NOCASE)`,
		`INSERT INTO "odd ""T""" VALUES (5, 'a', 10, 'B'), ('5', 'a', 9, 'b'), (x'0A', 'a', NULL, NULL), (1.5, 'a', 2, 'a'), ('it''s', 'a', 3, 'z')`)
	src := openSource(t, path)
	table := inspect(t, src, source.Request{Table: `odd "T"`, Key: []string{"k"}})
	order, err := key.ParseOrder([]string{"seen DESC NULLS LAST"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ranked(t, src, table, source.Ranking{Order: order, Predicates: []string{"number > 2 -- two", "number IS NULL"}},
		id("X'0A'"), id("1.5"), id("it's"), id("gone"), []source.Value{{Null: true}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]source.Rank{
		0: {Row: 0, Place: 3, Holds: []bool{false, true}}, 1: {Row: 1, Place: 2, Holds: []bool{false, false}}, 2: {Row: 2, Place: 1, Holds: []bool{true, false}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ranks (-want +got):\n%s", diff)
	}
	// The number 5 and the text 5 are two rows with one printed id.
	if _, err := ranked(t, src, table, source.Ranking{Order: order}, id("5")); err == nil {
		t.Error("two rows were taken for one")
	}
}

func TestRankOfTypedAndHiddenIDs(t *testing.T) {
	path, _ := database(t, "shop.db",
		`CREATE TABLE w (a TEXT, b INT, k TEXT, v INT, PRIMARY KEY (a, b)) WITHOUT ROWID`,
		`INSERT INTO w VALUES ('1', 2, 'x', 30), ('01', 2, 'x', 20), ('1', 3, 'x', 20)`,
		`CREATE TABLE r (k TEXT, v INT)`,
		`INSERT INTO r VALUES ('x', 30), ('x', 4)`)
	src := openSource(t, path)
	order, err := key.ParseOrder([]string{"v + 0"})
	if err != nil {
		t.Fatal(err)
	}
	for name, ids := range map[string][][]source.Value{"w": {id("1", "2"), id("01", "2"), id("1", "3")}, "r": {id("1"), id("2")}} {
		got, err := ranked(t, src, inspect(t, src, source.Request{Table: name, Key: []string{"k"}}), source.Ranking{Order: order}, ids...)
		if err != nil {
			t.Fatal(err)
		}
		places := make([]int64, len(ids))
		for i, r := range got {
			places[i] = r.Place
		}
		want := map[string][]int64{"w": {3, 1, 1}, "r": {2, 1}}[name]
		if diff := cmp.Diff(want, places); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRankRefusesWhatIsNoExpression(t *testing.T) {
	path, _ := database(t, "shop.db", `CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT)`, `INSERT INTO t VALUES (1, 'a'), (2, 'a')`)
	src := openSource(t, path)
	table := inspect(t, src, source.Request{Table: "t", Key: []string{"k"}})
	for _, text := range []string{"nope + 1", "id), (k", "id; DELETE FROM t", "count(*)", "?1", "id) FROM t; DROP TABLE t; SELECT (1"} {
		for _, ask := range []source.Ranking{{Order: []key.Term{{Text: text}}}, {Predicates: []string{text}}} {
			_, err := ranked(t, src, table, ask, id("1"), id("2"))
			if p, ok := errors.AsType[*key.Problem](err); !ok || p.Code != key.CodeUsage || p.Hint == "" {
				t.Errorf("%+v: %v", ask, err)
			}
		}
	}
	if got, err := ranked(t, src, table, source.Ranking{Order: []key.Term{{Text: "id", Descending: true}}}, id("1"), id("2")); err != nil || got[0].Place != 2 || got[1].Place != 1 {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
}
