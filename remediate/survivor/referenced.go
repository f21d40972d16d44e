package survivor

import (
	"fmt"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
)

// mostReferenced keeps the row that most rows refer to, and of several such
// the one with the lowest id.
func mostReferenced(table *casefile.Table, group *casefile.Group) (Choice, error) {
	for _, k := range table.IncomingKeys {
		if !k.Counted {
			return Choice{}, &key.Problem{
				Code:    key.CodeUnsupported,
				Message: fmt.Sprintf("the survivor rule %s needs to know who refers to the rows, and the scan could not count the rows of %s", MostReferenced, k.Table),
				Hint:    "scan again as a role that may read that table, or choose another --keep",
			}
		}
	}
	counts := make([]int64, len(group.Rows))
	for i, row := range group.Rows {
		for _, r := range row.References {
			counts[i] += r.Rows
		}
	}
	best := 0
	for i := range group.Rows {
		if counts[i] > counts[best] || counts[i] == counts[best] && compareIDs(group.Rows[i].ID, group.Rows[best].ID) < 0 {
			best = i
		}
	}
	choice := Choice{Keep: group.Rows[best].ID}
	tied := false
	for i, row := range group.Rows {
		if i != best {
			choice.Remove = append(choice.Remove, row.ID)
			tied = tied || counts[i] == counts[best]
		}
	}
	lowest := "lowest " + strings.Join(table.ID, ", ")
	switch {
	case counts[best] == 0:
		choice.Reason = lowest + "; no row refers to any of them"
	case tied:
		choice.Reason = fmt.Sprintf("%s to it, as many as to another; of these the %s", casefile.Count(int(counts[best]), "row")+casefile.Verb(int(counts[best]), " refers", " refer"), lowest)
	default:
		choice.Reason = casefile.Count(int(counts[best]), "row") + casefile.Verb(int(counts[best]), " refers", " refer") + " to it, more than to any other"
	}
	return choice, nil
}
