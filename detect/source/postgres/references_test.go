package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

func TestChildAndItsCollisions(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, `CREATE TABLE t (id int PRIMARY KEY, k text); INSERT INTO t VALUES (1, 'x'), (2, 'x'), (3, 'x'), (4, 'y'), (5, 'y');
		CREATE TABLE tags (t_id int REFERENCES t ON DELETE CASCADE, tag text, gone boolean DEFAULT false, ids int[], kind text, PRIMARY KEY (t_id, tag));
		CREATE UNIQUE INDEX once ON tags (t_id, lower(tag)) WHERE NOT gone; CREATE UNIQUE INDEX odd ON tags ((t_id + 1)); DROP INDEX odd;
		CREATE TABLE under (t_id int, tag text, FOREIGN KEY (t_id, tag) REFERENCES tags);
		INSERT INTO tags (t_id, tag) VALUES (1, 'a'), (2, 'a'), (2, 'b'), (3, 'b'), (3, 'a'), (4, 'a'); INSERT INTO tags VALUES (5, 'A', false, '{4,5}', 'k'), (5, 'z', true, '{5,9}', 'k')`)
	s := open(t, url, Options{})
	table := inspect(t, s, source.Request{Table: "t", Key: []string{"k"}, References: []source.Declared{
		{Table: "tags", Columns: []string{"ids"}, Array: true, Where: "kind = 'k'"}, {Table: "tags", Columns: []string{"t_id"}},
	}})
	if len(table.IncomingKeys) != 2 || table.IncomingKeys[1].Name != "public.tags(ids)" {
		t.Fatalf("%+v", table.IncomingKeys)
	}
	ctx := context.Background()
	child, err := s.Child(ctx, table, table.IncomingKeys[0])
	if err != nil {
		t.Fatal(err)
	}
	want := []source.UniqueKey{
		{Name: "once", Columns: []string{"t_id"}, Rest: []key.Part{{Text: "lower(tag)", Expression: true}}, Where: "(NOT gone)"},
		{Name: "tags_pkey", Columns: []string{"t_id"}, Rest: []key.Part{{Text: "tag"}}},
	}
	if diff := cmp.Diff(want, child.Unique); diff != "" {
		t.Errorf("unique keys (-want +got):\n%s", diff)
	}
	if len(child.Columns) != 5 || len(child.ID) != 2 || len(child.Incoming) != 1 || child.Incoming[0].Table != "public.under" {
		t.Errorf("%+v", child)
	}
	ids := locatorsByID(t, s, table)
	groups := [][]uint64{{ids["1"], ids["2"], ids["3"]}, {ids["4"], ids["5"]}}
	got := map[string][2]int64{}
	for _, u := range child.Unique {
		if err := s.Collisions(ctx, table, table.IncomingKeys[0], u, groups, func(group int, keys, rows int64) error {
			got[u.Name+map[int]string{0: " x", 1: " y"}[group]] = [2]int64{keys, rows}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string][2]int64{"once x": {2, 3}, "once y": {1, 1}, "tags_pkey x": {2, 3}}, got); diff != "" {
		t.Errorf("collisions (-want +got):\n%s", diff)
	}
	run(t, url, "INSERT INTO tags VALUES (1, 'q', true, '{{9,4},{4,1}}', 'k'), (1, 'r', true, '{5,4,NULL}', 'k'), (1, 's', true, '{5}', 'other')")
	s = open(t, url, Options{})
	table = inspect(t, s, source.Request{Table: "t", Key: []string{"k"}, References: []source.Declared{{Table: "tags", Columns: []string{"ids"}, Array: true, Where: "kind = 'k' -- those"}}})
	ids = locatorsByID(t, s, table)
	var lists []string
	if err := s.Lists(ctx, table, table.IncomingKeys[1], []uint64{ids["4"], ids["5"], ids["1"]}, func(named []int, deep bool, rows int64) error {
		lists = append(lists, fmt.Sprint(named, deep, rows))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"[0 0 2] true 1", "[0 1] false 2", "[1] false 1"}, lists); diff != "" {
		t.Errorf("arrays (-want +got):\n%s", diff)
	}
	_, err = s.Inspect(ctx, source.Request{Table: "t", Key: []string{"k"}, References: []source.Declared{{Table: "tags", Columns: []string{"kind"}, Array: true}}})
	if _, ok := errors.AsType[*key.Problem](err); !ok {
		t.Errorf("a column that is no array: %v", err)
	}
}
