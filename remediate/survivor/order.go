package survivor

import (
	"math"
	"strings"

	"twinrow/detect/casefile"
)

// Standing is what is known of one row beside the evidence of its group.
type Standing struct {
	// Place is lower for a row that comes first by the ordering, and the same
	// for rows between which the ordering does not tell.
	Place int64
	// Holds tells for each invariant whether it is true of the row.
	Holds []bool
}

// Standings are those of the rows of one table's groups. A row that is no
// longer there has none.
type Standings struct{ of map[string]Standing }

// Put notes the standing of the row with this id.
func (s *Standings) Put(id casefile.Fields, standing Standing) {
	if s.of == nil {
		s.of = map[string]Standing{}
	}
	s.of[rowName(id)] = standing
}

// Get is the standing of a row; ok is false where it was not found.
func (s *Standings) Get(id casefile.Fields) (standing Standing, ok bool) {
	standing, ok = s.of[rowName(id)]
	return standing, ok
}

// rowName is an id as one text that no other id has.
func rowName(id casefile.Fields) string {
	var b strings.Builder
	for _, part := range id {
		if part.Value == nil {
			b.WriteString("\x00n")
		} else {
			b.WriteString("\x00v" + strings.ReplaceAll(*part.Value, "\x00", "\x00\x00"))
		}
	}
	return b.String()
}

// ByOrder keeps the row that is first by an ordering, of several such the one
// with the lowest id. order is its text, for the reasons. Rows that are no
// longer there come last.
func ByOrder(order string, standings *Standings) Decide {
	return func(table *casefile.Table, group *casefile.Group) (casefile.Fields, []casefile.Fields, string, error) {
		if len(group.Rows) == 0 {
			return nil, nil, "", noRows(group)
		}
		places := make([]int64, len(group.Rows))
		best := 0
		for i, row := range group.Rows {
			places[i] = math.MaxInt64
			if standing, ok := standings.Get(row.ID); ok {
				places[i] = standing.Place
			}
			if places[i] < places[best] || places[i] == places[best] && compareIDs(row.ID, group.Rows[best].ID) < 0 {
				best = i
			}
		}
		tied := false
		for i := range places {
			tied = tied || i != best && places[i] == places[best]
		}
		keep, remove := parted(group, best)
		lowest := "lowest " + strings.Join(table.ID, ", ")
		switch {
		case places[best] == math.MaxInt64:
			return keep, remove, lowest + "; its rows are no longer there to be ordered", nil
		case tied:
			return keep, remove, "first by " + order + ", level with another row; of these the " + lowest, nil
		}
		return keep, remove, "first by " + order, nil
	}
}

// parted are the ids of the row that stays and of the others, in the evidence's order.
func parted(group *casefile.Group, best int) (keep casefile.Fields, remove []casefile.Fields) {
	for i, row := range group.Rows {
		if i != best {
			remove = append(remove, row.ID)
		}
	}
	return group.Rows[best].ID, remove
}
