package plan

import (
	"strings"
	"testing"

	"twinrow/detect/casefile"
)

func TestWhatCannotBeAConstraint(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*casefile.Case)
		want   string // "" where it can be one
	}{
		"plain":       {func(*casefile.Case) {}, ""},
		"sqlite":      {func(c *casefile.Case) { c.Source.Engine = "sqlite" }, "SQLite adds no constraint"},
		"predicate":   {func(c *casefile.Case) { c.Tables[0].Where = "id > 1" }, "an index with a predicate (where)"},
		"expression":  {func(c *casefile.Case) { c.Tables[0].Key = []KeyPart{{Text: "lower(k)", Expression: true}} }, "an index over expressions"},
		"partitioned": {func(c *casefile.Case) { c.Tables[0].Facts = &casefile.Facts{PartitionKey: []string{"k"}} }, "the table is partitioned"},
	} {
		t.Run(name, func(t *testing.T) {
			opened := tickets(t, c.change)
			o := options
			o.Differing, o.Strategy = KeepSurvivor, Atomic
			o.Rules = map[string]Rules{opened.Tables[0].Name: {Index: IndexRule{Constraint: true}}}
			p, err := Make(opened, o)
			if c.want == "" {
				if err != nil || !p.Tables[0].Operation(OpUniqueIndex).Index.Constraint {
					t.Fatalf("%+v %v", p, err)
				}
				return
			}
			wantCode(t, err, CodeUnsupported)
			if !strings.Contains(err.Error(), c.want) {
				t.Error(err)
			}
		})
	}
}
