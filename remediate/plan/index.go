package plan

import (
	"fmt"
	"strings"
)

// IndexRule is what a person declares about the index of one entry.
type IndexRule struct {
	// None is true where no index is to be built.
	None bool
	// Name is "" for one made of the table and the key.
	Name string
}

// check refuses what no table could be given.
func (r IndexRule) check() error {
	if len(r.Name) > maxName {
		return &Problem{Code: CodeUsage, Message: fmt.Sprintf("the index name has %d bytes, and %d is the longest", len(r.Name), maxName), Hint: "give a shorter name"}
	}
	return nil
}

// wanted is the index on the key, under the name given or one of its own.
func (t *Table) wanted(engine string, table *CaseTable, name string, taken map[string]bool) (*Index, error) {
	index := &Index{Name: name, Parts: table.Key, Where: table.Where, NullsNotDistinct: table.Nulls == "not-distinct"}
	if name == "" {
		_, bare := SplitName(engine, t.Table)
		index.Name = indexName(bare, table, taken)
		return index, nil
	}
	if taken[strings.ToLower(name)] {
		return nil, &Problem{Code: CodeUsage, Message: "the index of " + t.Name + " would have the name " + name + ", which another entry's has", Hint: "give each `index: {name: …}` another name"}
	}
	taken[strings.ToLower(name)] = true
	return index, nil
}
