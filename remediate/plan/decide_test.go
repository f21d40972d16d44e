package plan

import (
	"testing"

	"twinrow/detect/casefile"
)

// TestWhatMustNotBeLost: a rule may choose nobody, and what somebody else chose
// may be forbidden; either way the group is held, no row goes and no index is built.
func TestWhatMustNotBeLost(t *testing.T) {
	opened := tickets(t, nil)
	o := options
	o.Differing = KeepSurvivor
	none := func(*casefile.Table, *casefile.Group) (Fields, []Fields, string, error) {
		return nil, nil, "no one row", nil
	}
	forbid := func(g *casefile.Group, keep Fields) string { return "row " + IDText(keep) + " loses the seat" }
	for want, rules := range map[string]Rules{
		"no one row": {Choose: none},
		"earliest created_at, but row id=1 loses the seat": {Choose: o.Choose, Broken: forbid},
	} {
		o.Rules = map[string]Rules{"public.tickets": rules}
		p, err := Make(opened, o)
		if err != nil {
			t.Fatal(err)
		}
		table := p.Tables[0]
		if len(table.Groups) != 0 || len(table.Held) != 2 || table.Held[0].Reason != want || table.Removed() != 0 || table.Operation(OpUniqueIndex) != nil {
			t.Errorf("%s: %+v", want, table)
		}
	}
}
