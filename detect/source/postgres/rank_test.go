package postgres

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

func ranked(t *testing.T, s *Source, table *source.Table, ask source.Ranking, ids ...[]source.Value) (map[int]source.Rank, error) {
	t.Helper()
	got := map[int]source.Rank{}
	err := s.Rank(t.Context(), table, ask, ids, func(r source.Rank) error {
		got[r.Row] = r
		return nil
	})
	return got, err
}

func idOf(parts ...string) []source.Value {
	var out []source.Value
	for _, p := range parts {
		out = append(out, source.Value{Text: p})
	}
	return out
}

func TestRank(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `CREATE TABLE "odd ""T""" (id text, number int, k text, seen_at timestamptz, mood text, PRIMARY KEY (id, number)) PARTITION BY RANGE (number);
		CREATE TABLE p1 PARTITION OF "odd ""T""" FOR VALUES FROM (0) TO (3); CREATE TABLE p2 PARTITION OF "odd ""T""" FOR VALUES FROM (3) TO (9);
		INSERT INTO "odd ""T""" VALUES ('a{"\,', 1, 'k', NULL, 'glad'), ('b', 2, 'k', '2026-01-01', 'sad'), ('b', 4, 'k', '2026-01-02', NULL)`)
	s := open(t, url, Options{})
	table := inspect(t, s, source.Request{Table: `odd "T"`, Key: []string{"k"}})
	ids := [][]source.Value{idOf(`a{"\,`, "1"), idOf("b", "2"), idOf("b", "4"), idOf("gone", "4"), {{Text: "b"}, {Null: true}}}
	for item, want := range map[string][]int64{
		"seen_at DESC NULLS LAST":  {3, 2, 1},
		"seen_at DESC":             {1, 3, 2}, // NULLs are the greatest to Postgres
		"lower(id) || '-- x' DESC": {3, 1, 1},
		`"mood" = 'sad' DESC`:      {3, 2, 1},
	} {
		order, err := key.ParseOrder([]string{item})
		if item == "lower(id) || '-- x' DESC" {
			order, err = []key.Term{{Text: "lower(id) || '-- x'", Descending: true}}, nil
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := ranked(t, s, table, source.Ranking{Order: order, Predicates: []string{"mood = 'glad' -- so", "number > 1"}}, ids...)
		if err != nil {
			t.Fatal(err)
		}
		ranks := map[int]source.Rank{}
		for i, place := range want {
			ranks[i] = source.Rank{Row: i, Place: place, Holds: []bool{i == 0, i > 0}}
		}
		if diff := cmp.Diff(ranks, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", item, diff)
		}
	}
}

func TestRankOfRowsWithoutAnID(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `CREATE TABLE t (k text, v int); INSERT INTO t VALUES ('a', 30), ('a', 4)`)
	s := open(t, url, Options{})
	table := inspect(t, s, source.Request{Table: "t", Key: []string{"k"}})
	ids := [][]source.Value{}
	for place := range locatorsByID(t, s, table) {
		ids = append(ids, idOf(place))
	}
	got, err := ranked(t, s, table, source.Ranking{Order: []key.Term{{Text: "v"}}}, ids...)
	if err != nil || len(got) != 2 || got[0].Place+got[1].Place != 3 {
		t.Errorf("by %v: %+v, %v", table.ID, got, err)
	}
}

func TestRankRefusesWhatIsNoExpression(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `CREATE TABLE t (id int PRIMARY KEY, k text); INSERT INTO t VALUES (1, 'a'), (2, 'a');
		CREATE FUNCTION sneak(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM t; RETURN 1; END'`)
	s := open(t, url, Options{})
	table := inspect(t, s, source.Request{Table: "t", Key: []string{"k"}})
	for _, text := range []string{"nope + 1", "id), (k", "id; DELETE FROM t", "count(*)", "$1", "id) FROM t; DROP TABLE t; SELECT (1", "1 / (id - 1) > 0"} {
		for _, ask := range []source.Ranking{{Order: []key.Term{{Text: text}}}, {Predicates: []string{text}}} {
			_, err := ranked(t, s, table, ask, idOf("1"), idOf("2"))
			if p, ok := errors.AsType[*key.Problem](err); !ok || p.Code != key.CodeUsage && p.Code != key.CodeNotFound || p.Hint == "" {
				t.Errorf("%+v: %v", ask, err)
			}
		}
	}
	if _, err := ranked(t, s, table, source.Ranking{Order: []key.Term{{Text: "sneak(id)"}}}, idOf("1")); err == nil {
		t.Error("a function that deletes was let do so")
	}
	// The snapshot outlives all of it.
	got, err := ranked(t, s, table, source.Ranking{Order: []key.Term{{Text: "id", Descending: true}}}, idOf("1"), idOf("2"))
	if err != nil || len(got) != 2 || got[0].Place != 2 || got[1].Place != 1 {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
}
