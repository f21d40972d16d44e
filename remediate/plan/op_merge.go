package plan

import (
	"fmt"
	"strings"
)

// merge gives the survivors the values that the rules make of all rows of
// their group. Each survivor is kept as it was.
func merge(table string, groups int, rules []ColumnRule) Operation {
	var texts []string
	for _, r := range rules {
		texts = append(texts, r.Column+": "+r.Rule)
	}
	return Operation{
		Op: OpMerge, Hazards: []Hazard{}, Inverse: OpPutBack, Rows: groups, Table: table,
		Does: fmt.Sprintf("merges the values of %s of %s into the %s (%s), and keeps each survivor as it was", Count(groups, "group"), table, Verb(groups, "survivor", "survivors"), strings.Join(texts, ", ")),
	}
}
