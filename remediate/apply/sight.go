package apply

import (
	"encoding/hex"
	"slices"
	"strings"

	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// version names one version of a row: where it lies, and who wrote it.
type version struct {
	place  string // as Postgres prints a ctid
	heap   uint32 // the table or partition
	writer string // the transaction's number
}

// looked is what a look at some groups came to.
type looked struct {
	groups []plan.WorkGroup
	// seen are those of which every row is as the evidence has it, in portions of
	// the pace; odd are the others.
	seen []*sight
	odd  []plan.WorkGroup
	pace pace
	// tried is false where there was no look.
	tried bool
}

// sight are groups of which every row is as the evidence has it.
type sight struct {
	groups     []plan.WorkGroup
	gone, kept versions
	// rows are the numbers of those that go in their groups; rowIDs and
	// survivors are the ids as the quarantine keeps them.
	rows              []int32
	rowIDs, survivors []string
}

// versions are versions of rows as the statements take them.
type versions struct {
	places, writers []string
	heaps           []uint32
	groups          []int64
}

func (v *versions) add(group int, one version) {
	v.places, v.writers = append(v.places, one.place), append(v.writers, one.writer)
	v.heaps, v.groups = append(v.heaps, one.heap), append(v.groups, int64(group))
}

func (v *versions) args() []any { return []any{v.places, v.heaps, v.writers, v.groups} }

func (s *sight) goneArgs() []any { return append(s.gone.args(), s.rows, s.rowIDs, s.survivors) }

// lookArgs are the images and ids of all rows of the groups, each group's
// survivor first, and how many rows those are.
func lookArgs(groups []plan.WorkGroup, idParts int) (args []any, n int, err error) {
	var images [][]byte
	ids := make([][]*string, idParts)
	for _, g := range groups {
		for i := range 1 + len(g.Remove) {
			r := g.Keep
			if i > 0 {
				r = g.Remove[i-1]
			}
			digits, found := strings.CutPrefix(r.Image, "sha256:")
			image, err := hex.DecodeString(digits)
			if !found || err != nil || len(r.ID) != idParts {
				return nil, 0, errAtOnce
			}
			images = append(images, image)
			for k := range ids {
				ids[k] = append(ids[k], r.ID[k].Value)
			}
		}
	}
	args = []any{images}
	for _, part := range ids {
		args = append(args, part)
	}
	return args, len(images), nil
}

// sort tells the groups of which every row was seen once from the others; seen
// are the rows of lookArgs, in their order.
func (l *looked) sort(groups []plan.WorkGroup, seen []version) {
	s := &sight{}
	for _, g := range groups {
		rows := seen[:1+len(g.Remove)]
		seen = seen[len(rows):]
		if slices.Contains(rows, version{}) {
			l.odd = append(l.odd, g)
		} else {
			s.add(g, rows)
		}
	}
	if len(s.groups) > 0 {
		l.seen = append(l.seen, s)
	}
}

// groupsOf are the groups of some portions.
func groupsOf(portions []*sight) []plan.WorkGroup {
	var groups []plan.WorkGroup
	for _, s := range portions {
		groups = append(groups, s.groups...)
	}
	return groups
}

func (s *sight) add(g plan.WorkGroup, rows []version) {
	s.groups = append(s.groups, g)
	s.kept.add(g.Number, rows[0])
	survivor := dialect.IDJSON(g.Keep.ID)
	for i, r := range g.Remove {
		s.gone.add(g.Number, rows[1+i])
		s.rows, s.rowIDs, s.survivors = append(s.rows, int32(i+1)), append(s.rowIDs, dialect.IDJSON(r.ID)), append(s.survivors, survivor)
	}
}
