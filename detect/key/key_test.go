package key

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitList(t *testing.T) {
	for list, want := range map[string][]string{
		"a":                            {"a"},
		" a , b ":                      {"a", "b"},
		"lower(email), coalesce(a, b)": {"lower(email)", "coalesce(a, b)"},
		`"odd, name",x`:                {`"odd, name"`, "x"},
		"a->>'x,y',tags[1,2]":          {"a->>'x,y'", "tags[1,2]"},
	} {
		got, err := SplitList(list)
		if err != nil {
			t.Errorf("%s: %v", list, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", list, diff)
		}
	}
	for _, list := range []string{"", "a,,b", "a,", "f(a", `"a`} {
		var problem *Problem
		if got, err := SplitList(list); !errors.As(err, &problem) || problem.Code != CodeUsage {
			t.Errorf("%q gave %q, %v", list, got, err)
		}
	}
}

func TestResolve(t *testing.T) {
	columns := []string{"id", "Payment_Intent", "weird (name)", "email", "EMAIL"}
	for _, c := range []struct {
		item string
		want Part
	}{
		{"id", Part{Text: "id"}},
		{"ID", Part{Text: "id"}},
		{"payment_intent", Part{Text: "Payment_Intent"}},
		{"weird (name)", Part{Text: "weird (name)"}},
		{`"EMAIL"`, Part{Text: "EMAIL"}},
		{"lower(email)", Part{Text: "lower(email)", Expression: true}},
		{"data->>'x'", Part{Text: "data->>'x'", Expression: true}},
	} {
		got, err := Resolve([]string{c.item}, columns)
		if err != nil {
			t.Errorf("%s: %v", c.item, err)
			continue
		}
		if diff := cmp.Diff([]Part{c.want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.item, diff)
		}
	}
}

func TestResolveNamesTheNearest(t *testing.T) {
	_, err := Resolve([]string{"payment_intnet"}, []string{"id", "payment_intent", "payment_id"})
	var problem *Problem
	if !errors.As(err, &problem) || problem.Code != CodeNotFound {
		t.Fatalf("got %v", err)
	}
	if want := "did you mean payment_intent?"; problem.Hint != want {
		t.Errorf("hint %q, want %q", problem.Hint, want)
	}
	for _, items := range [][]string{{}, {"id", "ID"}} {
		if _, err := Resolve(items, []string{"id"}); err == nil {
			t.Errorf("%q is taken as a key", items)
		}
	}
}

func FuzzSplitList(f *testing.F) {
	f.Add("a,lower(b),'x,y'")
	f.Fuzz(func(t *testing.T, list string) {
		items, err := SplitList(list)
		if err == nil && len(items) == 0 {
			t.Errorf("%q gave neither items nor an error", list)
		}
	})
}
