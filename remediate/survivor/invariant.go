package survivor

import (
	"slices"
	"strings"

	"twinrow/detect/casefile"
)

// Invariants are conditions that must not be lost from a group: where one
// holds for any of its rows, the row that stays must be such a row.
type Invariants struct {
	// Texts are the conditions as they were written.
	Texts []string
	// Standings hold for each row which of them are true of it.
	Standings *Standings
}

// Keeping chooses by a rule among the rows that keep every invariant. Where no
// one row does, keep is nil and the reason says why.
func (v Invariants) Keeping(rule Decide) Decide {
	return func(table *casefile.Table, group *casefile.Group) (casefile.Fields, []casefile.Fields, string, error) {
		asked := v.asked(group)
		among := *group
		among.Rows = slices.DeleteFunc(slices.Clone(group.Rows), func(row casefile.Row) bool { return !v.meets(row, asked) })
		if len(asked) > 0 && len(among.Rows) == 0 {
			return nil, nil, "no one row of the group keeps all of: " + v.list(asked, ", "), nil
		}
		keep, _, reason, err := rule(table, &among)
		if err != nil {
			return nil, nil, "", err
		}
		best := slices.IndexFunc(group.Rows, func(row casefile.Row) bool { return rowName(row.ID) == rowName(keep) })
		keep, remove := parted(group, best)
		switch {
		case len(among.Rows) == len(group.Rows):
		case len(among.Rows) == 1:
			reason = "the only row with " + v.list(asked, " and ")
		default:
			reason += ", of the rows with " + v.list(asked, " and ")
		}
		return keep, remove, reason, nil
	}
}

// Broken says which invariants are lost if this row stays, "" for none.
func (v Invariants) Broken(group *casefile.Group, keep casefile.Fields) string {
	var lost []int
	for _, n := range v.asked(group) {
		if !v.meets(casefile.Row{ID: keep}, []int{n}) {
			lost = append(lost, n)
		}
	}
	if len(lost) == 0 {
		return ""
	}
	return "no row with " + v.list(lost, " or ") + " would be left of those in the group"
}

// asked are the numbers of the invariants that hold for any row of the group.
func (v Invariants) asked(group *casefile.Group) []int {
	var asked []int
	for n := range v.Texts {
		if slices.ContainsFunc(group.Rows, func(row casefile.Row) bool { return v.meets(row, []int{n}) }) {
			asked = append(asked, n)
		}
	}
	return asked
}

// meets tells whether each of these invariants is true of a row. A row that is
// no longer there meets none.
func (v Invariants) meets(row casefile.Row, asked []int) bool {
	standing, _ := v.Standings.Get(row.ID)
	return !slices.ContainsFunc(asked, func(n int) bool { return n >= len(standing.Holds) || !standing.Holds[n] })
}

func (v Invariants) list(numbers []int, between string) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = v.Texts[n]
	}
	return strings.Join(texts, between)
}
