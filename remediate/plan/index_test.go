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

func TestANoteSaysWhatAnIndexThatIsNotBuiltDoesNotDo(t *testing.T) {
	opened := tickets(t, func(c *casefile.Case) { c.Tables[0].UniqueBy = []string{"tickets_k"} })
	o := options
	o.Differing, o.Strategy = KeepSurvivor, Atomic
	o.Rules = map[string]Rules{opened.Tables[0].Name: {Index: IndexRule{Constraint: true, Replaces: "old"}}}
	p, err := Make(opened, o)
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(p.Tables[0].Notes, "\n"); !strings.Contains(notes, "; no constraint is made; old stays") {
		t.Errorf("the notes are %q", notes)
	}
}

func TestWhatCannotBeReplaced(t *testing.T) {
	facts := &casefile.Facts{Indexes: map[string]string{"old": "CREATE INDEX old ON tickets (k)"}, Bound: map[string]string{"tickets_pkey": "the constraint tickets_pkey needs it"}}
	for name, c := range map[string]struct {
		engine, old, code, want string
	}{
		"an index":   {"postgres", "old", "", ""},
		"none":       {"postgres", "odl", CodeNotFound, "the scan saw no index of that name on public.tickets"},
		"constraint": {"postgres", "tickets_pkey", CodeUnsupported, "the constraint tickets_pkey needs it"},
		"itself":     {"postgres", "mine", CodeUsage, "it is the name of the new index"},
		"sqlite":     {"sqlite", "old", CodeUnsupported, "only an index of Postgres is replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			opened := tickets(t, func(d *casefile.Case) { d.Source.Engine, d.Tables[0].Facts = c.engine, facts })
			o := options
			o.Differing, o.Strategy = KeepSurvivor, Atomic
			o.Rules = map[string]Rules{opened.Tables[0].Name: {Index: IndexRule{Name: "mine", Replaces: c.old}}}
			p, err := Make(opened, o)
			if c.code == "" {
				if err != nil || p.Tables[0].Operation(OpUniqueIndex).Index.Replaces.Definition != facts.Indexes["old"] {
					t.Fatalf("%+v %v", p, err)
				}
				return
			}
			wantCode(t, err, c.code)
			if !strings.Contains(err.Error(), c.want) {
				t.Error(err)
			}
		})
	}
}

func TestIndexOnOtherColumns(t *testing.T) {
	two := []KeyPart{{Text: "k"}, {Text: "lower(note)", Expression: true}}
	for name, c := range map[string]struct {
		rule       IndexRule
		want, note string // the name of the index, or what the refusal says
		fine       bool
	}{
		"fewer":     {IndexRule{Columns: []string{"k"}, Everywhere: true}, "tickets_k_key", "is not on just the key", true},
		"turned":    {IndexRule{Columns: []string{"lower(note)", "k"}}, "tickets_expr_k_key", "", true},
		"predicate": {IndexRule{Where: "id > 2"}, "tickets_k_expr_key", "another `where` than the key", true},
		"another":   {IndexRule{Columns: []string{"k", "id"}}, "names id, which is not in the key", "", false},
		"twice":     {IndexRule{Columns: []string{"k", "k"}}, "names k twice", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			opened := tickets(t, func(d *casefile.Case) { d.Tables[0].Key, d.Tables[0].Where = two, "id > 1" })
			o := options
			o.Differing, o.Strategy = KeepSurvivor, Atomic
			o.Rules = map[string]Rules{opened.Tables[0].Name: {Index: c.rule}}
			p, err := Make(opened, o)
			if !c.fine {
				wantCode(t, err, CodeUsage)
				if !strings.Contains(err.Error(), c.want) {
					t.Error(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Tables[0].Operation(OpUniqueIndex).Index.Name; got != c.want {
				t.Errorf("the index is %s", got)
			}
			if notes := strings.Join(p.Tables[0].Notes, "\n"); !strings.Contains(notes, c.note) {
				t.Errorf("the notes are %q", notes)
			}
		})
	}
}
