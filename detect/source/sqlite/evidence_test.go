package sqlite

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/source"
)

func TestQuestionsBesideTheGroups(t *testing.T) {
	path, _ := database(t, "shop.db",
		`CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT COLLATE NOCASE, v, at)`,
		`INSERT INTO t VALUES (-5, 'a', 1, '2025-01-01 00:10:00'), (7, 'A', 1.0, 1735693200), (9, 'b', x'61', NULL), (11, NULL, 'a', '2999-01-01')`,
		`CREATE TABLE "ch ild" (t_id REFERENCES t)`,
		`INSERT INTO "ch ild" VALUES (7), (7), (NULL)`)
	src := openSource(t, path)
	table := inspect(t, src, source.Request{Table: "t", Key: []string{"k"}, Time: "at"})
	locators := map[string]uint64{}
	for _, r := range rowsOf(t, src, table) {
		locators[r.ID[0].Text] = r.Locator
	}
	got := map[uint64]int64{}
	if err := src.References(t.Context(), table, table.IncomingKeys[0], []uint64{locators["-5"], locators["7"]}, func(l uint64, n int64) error {
		got[l] = n
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[uint64]int64{locators["7"]: 2}, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	var same [][]bool
	if err := src.Compare(t.Context(), table, [][2]uint64{{locators["-5"], locators["7"]}}, func(s []bool) error {
		same = append(same, s)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]bool{{false, true, true, false}}, same); diff != "" {
		t.Errorf("same (-want +got):\n%s", diff)
	}
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	line, err := src.Timeline(t.Context(), table, source.Window{From: from, Width: time.Hour, Buckets: 3, Now: from.Add(100 * time.Hour)})
	if diff := cmp.Diff(source.Timeline{Counts: []int64{1, 1, 0}, Last: from.Add(time.Hour)}, line); diff != "" || err != nil {
		t.Errorf("timeline %v (-want +got):\n%s", err, diff)
	}
	var keys []source.Value
	if err := src.Keys(t.Context(), table, func(v []source.Value) error { keys = append(keys, v[0]); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]source.Value{{Text: "a"}, {Text: "A"}, {Text: "b"}, {Null: true}}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestRowsWithoutARowidHaveNoAnswers(t *testing.T) {
	path, _ := database(t, "shop.db", `CREATE TABLE t (id TEXT PRIMARY KEY, k) WITHOUT ROWID`, `INSERT INTO t VALUES ('a', 1), ('b', 1)`)
	src := openSource(t, path)
	table := inspect(t, src, source.Request{Table: "t", Key: []string{"k"}})
	if err := src.Compare(t.Context(), table, [][2]uint64{{0, 1}}, func([]bool) error { return nil }); err == nil {
		t.Error("compared rows that cannot be found by a rowid")
	}
	n := 0
	if err := src.Keys(t.Context(), table, func([]source.Value) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("%d keys, %v", n, err)
	}
}
