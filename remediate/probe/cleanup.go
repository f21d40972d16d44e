package probe

import (
	"fmt"
	"hash/maphash"
	"slices"
)

// maxMade is how many lists of arguments are remembered for each check.
const maxMade = 10_000

// madeRows remembers by which arguments the rows that a run made can be found.
type madeRows struct {
	checks []*rowCheck
	args   map[*rowCheck][][]string
	known  map[uint64]bool
	// left counts those that are not remembered.
	left map[*rowCheck]int
}

func (m *madeRows) note(c *rowCheck, args []string) {
	if c.location == byCommand {
		return // no SQL finds what a command counts
	}
	if m.args == nil {
		m.args, m.left, m.known = map[*rowCheck][][]string{}, map[*rowCheck]int{}, map[uint64]bool{}
	}
	if !slices.Contains(m.checks, c) {
		m.checks = append(m.checks, c)
	}
	digest := maphash.String(madeSeed, fmt.Sprintf("%p %q", c, args))
	switch {
	case m.known[digest]:
	case len(m.args[c]) < maxMade:
		m.args[c], m.known[digest] = append(m.args[c], args), true
	default:
		m.left[c]++
	}
}

// noteControl remembers the rows that control requests make.
func (r *runner) noteControl(v *volley) {
	for _, rows := range [][]rowCheck{r.spec.rows, r.spec.whole.rows} {
		for i := range rows {
			for k := range v.cells {
				if rows[i].perRun {
					continue
				}
				if args, err := filledIn(rows[i].args, v.cells[k].moment.data(v.cells[k].vars)); err == nil {
					r.made.note(&rows[i], args)
				}
			}
		}
	}
}

func (m *madeRows) result() []Made {
	out := []Made{}
	for _, c := range m.checks {
		out = append(out, Made{Check: c.name, SQL: c.shown, Args: m.args[c], LeftOff: m.left[c]})
	}
	return out
}
