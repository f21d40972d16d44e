package survivor

import (
	"errors"
	"testing"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
)

func TestMostReferenced(t *testing.T) {
	table := &casefile.Table{ID: []string{"id"}, IncomingKeys: []casefile.ForeignKey{{Name: "fk", Table: "scans", Counted: true}}}
	for _, c := range []struct {
		counts       []int64
		keep, reason string
	}{
		{[]int64{0, 2, 1}, "9", "2 rows refer to it, more than to any other"},
		{[]int64{1, 1, 0}, "9", "1 row refers to it, as many as to another; of these the lowest id"},
		{[]int64{0, 0, 0}, "9", "lowest id; no row refers to any of them"},
		{[]int64{3, 0, 0}, "10", "3 rows refer to it, more than to any other"},
	} {
		g := &casefile.Group{}
		for i, id := range []string{"10", "9", "11"} {
			row := casefile.Row{ID: casefile.Fields{{Name: "id", Value: &id}}}
			if c.counts[i] > 0 {
				row.References = []casefile.Reference{{ForeignKey: "fk", Rows: c.counts[i]}}
			}
			g.Rows = append(g.Rows, row)
		}
		got, err := Choose(MostReferenced, table, g)
		if err != nil {
			t.Fatal(err)
		}
		if *got.Keep[0].Value != c.keep || got.Reason != c.reason || len(got.Remove) != 2 {
			t.Errorf("%v: kept %s (%s)", c.counts, *got.Keep[0].Value, got.Reason)
		}
	}
	table.IncomingKeys[0].Counted = false
	_, err := Choose(MostReferenced, table, &casefile.Group{Rows: make([]casefile.Row, 1)})
	if p, ok := errors.AsType[*key.Problem](err); !ok || p.Code != key.CodeUnsupported {
		t.Errorf("uncounted references: %v", err)
	}
}
