package survivor

import (
	"errors"
	"testing"

	"twinrow/detect/casefile"
	"twinrow/detect/key"

	"github.com/google/go-cmp/cmp"
)

func row(id, at string) casefile.Row {
	r := casefile.Row{ID: casefile.Fields{{Name: "id", Value: new(id)}}}
	if at != "" {
		r.Time = new(at)
	}
	return r
}

func TestChoose(t *testing.T) {
	timed := &casefile.Table{ID: []string{"id"}, Time: "created_at"}
	bare := &casefile.Table{ID: []string{"id"}}
	const early, late = "2025-12-24T03:20:37.914Z", "2025-12-24T03:20:37.993Z"
	tests := []struct {
		name, rule string
		table      *casefile.Table
		rows       []casefile.Row
		keep       string
		remove     []string
		reason     string
	}{
		{"first by time", "first", timed, []casefile.Row{row("9", early), row("10", late)}, "9", []string{"10"}, "earliest created_at"},
		{"first though the id is higher", "first", timed, []casefile.Row{row("10", early), row("9", late)}, "10", []string{"9"}, "earliest created_at"},
		{"last by time", "last", timed, []casefile.Row{row("9", early), row("10", late)}, "10", []string{"9"}, "latest created_at"},
		{"fractions compare by value", "first", timed, []casefile.Row{row("1", "2025-12-24T03:20:37.9Z"), row("2", "2025-12-24T03:20:37.12Z")}, "2", []string{"1"}, "earliest created_at"},
		{"tie by numeric id", "first", timed, []casefile.Row{row("10", early), row("9", early), row("11", late)}, "9", []string{"10", "11"}, "earliest created_at, shared with another row; of these the lowest id"},
		{"tie under last", "last", timed, []casefile.Row{row("9", late), row("10", late)}, "10", []string{"9"}, "latest created_at, shared with another row; of these the highest id"},
		{"one row untimed", "first", timed, []casefile.Row{row("8", ""), row("7", early)}, "7", []string{"8"}, "lowest id; created_at has no usable time in every row of the group"},
		{"infinity is no time", "last", timed, []casefile.Row{row("7", "infinity"), row("8", early)}, "8", []string{"7"}, "highest id; created_at has no usable time in every row of the group"},
		{"no time column", "first", bare, []casefile.Row{row("b", ""), row("a", "")}, "a", []string{"b"}, "lowest id; no time column was named"},
		{"physical address", "first", bare, []casefile.Row{row("(0,10)", ""), row("(0,9)", "")}, "(0,9)", []string{"(0,10)"}, "lowest id; no time column was named"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Choose(test.rule, test.table, &casefile.Group{Number: 1, Rows: test.rows})
			if err != nil {
				t.Fatal(err)
			}
			want := Choice{Keep: row(test.keep, "").ID, Reason: test.reason}
			for _, id := range test.remove {
				want.Remove = append(want.Remove, row(id, "").ID)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnknownRule(t *testing.T) {
	_, err := Rule("oldest")
	var problem *key.Problem
	if !errors.As(err, &problem) || problem.Code != key.CodeUsage || problem.Hint != "the rules are: first, last, most-referenced" {
		t.Fatalf("got %v", err)
	}
}

func TestRuleDefaultsToFirst(t *testing.T) {
	decide, err := Rule("")
	if err != nil {
		t.Fatal(err)
	}
	keep, remove, reason, err := decide(&casefile.Table{ID: []string{"id"}}, &casefile.Group{Rows: []casefile.Row{row("2", ""), row("1", "")}})
	if err != nil || *keep[0].Value != "1" || len(remove) != 1 || reason == "" {
		t.Fatalf("got %v %v %q %v", keep, remove, reason, err)
	}
}

func TestEmptyGroup(t *testing.T) {
	if _, err := Choose("first", &casefile.Table{}, &casefile.Group{Number: 4}); err == nil {
		t.Fatal("a group without rows was decided")
	}
}
