package key

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseOrder(t *testing.T) {
	for item, want := range map[string]Term{
		"id":                          {Text: "id"},
		" seen_at desc nulls last ":   {Text: "seen_at", Descending: true, Nulls: "LAST"},
		"lower(a) ASC":                {Text: "lower(a)"},
		"(status = 'paid')DESC":       {Text: "(status = 'paid')", Descending: true},
		`"desc" desc`:                 {Text: `"desc"`, Descending: true},
		"a IS NULL NULLS\tFIRST":      {Text: "a IS NULL", Nulls: "FIRST"},
		"first":                       {Text: "first"},
		"x last":                      {Text: "x last"}, // for the database to refuse
		"name COLLATE \"C\" DESC":     {Text: `name COLLATE "C"`, Descending: true},
		"CASE WHEN a THEN 1 END desc": {Text: "CASE WHEN a THEN 1 END", Descending: true},
	} {
		got, err := ParseOrder([]string{item})
		if err != nil {
			t.Errorf("%q: %v", item, err)
			continue
		}
		if diff := cmp.Diff([]Term{want}, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", item, diff)
		}
	}
	for _, item := range []string{"", " ", "2", "2 DESC", "a -- b DESC", "a /* b", "1 NULLS FIRST"} {
		if got, err := ParseOrder([]string{item}); err == nil {
			t.Errorf("%q was taken as %+v", item, got)
		} else if p, ok := errors.AsType[*Problem](err); !ok || p.Code != CodeUsage || p.Hint == "" {
			t.Errorf("%q: %v", item, err)
		}
	}
}

func FuzzParseOrder(f *testing.F) {
	for _, seed := range []string{"seen_at DESC NULLS LAST", "id", "2 asc", "a)desc", `"x" nulls first`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, item string) {
		terms, err := ParseOrder([]string{item})
		if err != nil {
			return
		}
		if !strings.Contains(item, terms[0].Text) || terms[0].Text == "" {
			t.Fatalf("%q became %+v", item, terms[0])
		}
		again, err := ParseOrder([]string{terms[0].Text + terms[0].Tail()})
		if err != nil || again[0] != terms[0] {
			t.Fatalf("%q: %+v became %+v (%v)", item, terms[0], again, err)
		}
	})
}
