package apply

import (
	"encoding/hex"
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

// sight is what a look at some groups saw: all their rows, as the evidence has
// them.
type sight struct {
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

// sightOf sorts what was seen of the rows of lookArgs, in their order.
func sightOf(groups []plan.WorkGroup, seen []version) *sight {
	s := &sight{}
	for _, g := range groups {
		survivor := dialect.IDJSON(g.Keep.ID)
		s.kept.add(g.Number, seen[0])
		for i, r := range g.Remove {
			s.gone.add(g.Number, seen[1+i])
			s.rows, s.rowIDs, s.survivors = append(s.rows, int32(i+1)), append(s.rowIDs, dialect.IDJSON(r.ID)), append(s.survivors, survivor)
		}
		seen = seen[1+len(g.Remove):]
	}
	return s
}
