package survivor

import (
	"errors"
	"testing"

	"twinrow/detect/casefile"
	"twinrow/detect/key"

	"github.com/google/go-cmp/cmp"
)

// standing makes a group of rows with these places and invariants; a place of
// 0 stands for a row that is no longer there.
func standing(ids []string, places []int64, holds [][]bool) (*casefile.Group, *Standings) {
	g, s := &casefile.Group{Number: 1}, &Standings{}
	for i, id := range ids {
		r := row(id, "")
		g.Rows = append(g.Rows, r)
		if places[i] > 0 {
			one := Standing{Place: places[i]}
			if holds != nil {
				one.Holds = holds[i]
			}
			s.Put(r.ID, one)
		}
	}
	return g, s
}

func TestByOrder(t *testing.T) {
	for _, c := range []struct {
		places       []int64
		keep, reason string
	}{
		{[]int64{3, 1, 2}, "9", "first by v DESC"},
		{[]int64{1, 1, 2}, "9", "first by v DESC, level with another row; of these the lowest id"},
		{[]int64{0, 0, 2}, "11", "first by v DESC"},
		{[]int64{0, 0, 0}, "9", "lowest id; its rows are no longer there to be ordered"},
	} {
		g, s := standing([]string{"10", "9", "11"}, c.places, nil)
		keep, remove, reason, err := ByOrder("v DESC", s)(&casefile.Table{ID: []string{"id"}}, g)
		if err != nil || *keep[0].Value != c.keep || len(remove) != 2 || reason != c.reason {
			t.Errorf("%v: kept %v, removed %v (%s), %v", c.places, *keep[0].Value, remove, reason, err)
		}
	}
	if _, _, _, err := ByOrder("v", &Standings{})(&casefile.Table{}, &casefile.Group{}); err == nil {
		t.Error("a group without rows was decided")
	}
}

func TestKeeping(t *testing.T) {
	table := &casefile.Table{ID: []string{"id"}}
	first, err := Rule("first")
	if err != nil {
		t.Fatal(err)
	}
	no, a, b, both := []bool{false, false}, []bool{true, false}, []bool{false, true}, []bool{true, true}
	for _, c := range []struct {
		holds        [][]bool
		keep, reason string
	}{
		{[][]bool{no, no, no}, "1", "lowest id; no time column was named"},
		{[][]bool{a, a, a}, "1", "lowest id; no time column was named"},
		{[][]bool{no, no, a}, "3", "the only row with A"},
		{[][]bool{no, a, a}, "2", "lowest id; no time column was named, of the rows with A"},
		{[][]bool{a, b, both}, "3", "the only row with A and B"},
		{[][]bool{a, b, no}, "", "no one row of the group keeps all of: A, B"},
	} {
		g, s := standing([]string{"1", "2", "3"}, []int64{1, 1, 1}, c.holds)
		must := Invariants{Texts: []string{"A", "B"}, Standings: s}
		keep, remove, reason, err := must.Keeping(first)(table, g)
		if err != nil || reason != c.reason {
			t.Errorf("%v: %q, %v", c.holds, reason, err)
			continue
		}
		if c.keep == "" {
			if keep != nil || remove != nil {
				t.Errorf("%v: kept %v", c.holds, keep)
			}
			continue
		}
		if *keep[0].Value != c.keep || len(remove) != 2 || must.Broken(g, keep) != "" {
			t.Errorf("%v: kept %s and removed %d; %s", c.holds, *keep[0].Value, len(remove), must.Broken(g, keep))
		}
	}
	g, s := standing([]string{"1", "2"}, []int64{1, 0}, [][]bool{a, both})
	must := Invariants{Texts: []string{"A", "B"}, Standings: s}
	if got := must.Broken(g, g.Rows[1].ID); got != "no row with A would be left of those in the group" {
		t.Errorf("a row that is gone: %q", got)
	}
}

func TestPutValues(t *testing.T) {
	table := &casefile.Table{Table: "seats", ID: []string{"line"}, Columns: []casefile.Column{{Name: "n"}, {Name: "m"}}}
	values := []*string{new("10"), new("9"), new("-1.50"), new("1e2"), new("b"), new("a"), nil, new("9.0")}
	g := &casefile.Group{Number: 1}
	for i, v := range values {
		r := row(string(rune('a'+i)), "")
		r.Values = casefile.Fields{{Name: "n", Value: v}, {Name: "m", Value: new("same")}}
		g.Rows = append(g.Rows, r)
	}
	for item, want := range map[string][]int64{
		"n":                 {4, 2, 1, 5, 7, 6, 8, 2},
		"N DESC":            {5, 6, 8, 4, 2, 3, 1, 6},
		"n DESC NULLS LAST": {4, 5, 7, 3, 1, 2, 8, 5},
		"n ASC NULLS FIRST": {5, 3, 2, 6, 8, 7, 1, 3},
		`"m" DESC`:          {1, 1, 1, 1, 1, 1, 1, 1},
	} {
		terms, err := key.ParseOrder([]string{item})
		if err != nil {
			t.Fatal(err)
		}
		s := &Standings{}
		if err := s.PutValues(table, g, terms); err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, r := range g.Rows {
			one, _ := s.Get(r.ID)
			got = append(got, one.Place)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", item, diff)
		}
	}
	err := (&Standings{}).PutValues(table, g, []key.Term{{Text: "n + 1"}})
	if p, ok := errors.AsType[*key.Problem](err); !ok || p.Code != key.CodeUnsupported || p.Hint == "" {
		t.Errorf("an expression: %v", err)
	}
}
