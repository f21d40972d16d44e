package plan

import (
	"fmt"
	"slices"
	"strings"
)

// IndexRule is what a person declares about the index of one entry.
type IndexRule struct {
	// None is true where no index is to be built.
	None bool
	// Name is "" for one made of the table and the key.
	Name string
	// Constraint asks for a UNIQUE constraint that stands on the index.
	Constraint bool
}

// check refuses what no table could be given.
func (r IndexRule) check() error {
	if len(r.Name) > maxName {
		return &Problem{Code: CodeUsage, Message: fmt.Sprintf("the index name has %d bytes, and %d is the longest", len(r.Name), maxName), Hint: "give a shorter name"}
	}
	return nil
}

// wanted is the index on the key, under the name given or one of its own.
func (t *Table) wanted(engine string, table *CaseTable, rule IndexRule, taken map[string]bool) (*Index, error) {
	name := rule.Name
	index := &Index{Name: name, Parts: table.Key, Where: table.Where, NullsNotDistinct: table.Nulls == "not-distinct", Constraint: rule.Constraint}
	if why := index.noConstraint(engine, table); why != "" {
		return nil, &Problem{Code: CodeUnsupported, Message: t.Name + ": `index: {constraint: true}` cannot be, because " + why, Hint: "take constraint: out of twinrow.yaml; the unique index alone refuses the same rows"}
	}
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

// noConstraint says why no constraint can stand on the index, "" where one can
// or none is wanted. ADD CONSTRAINT … USING INDEX takes no partial index, no
// expressions and no partitioned table (PostgreSQL, ALTER TABLE).
func (i *Index) noConstraint(engine string, table *CaseTable) string {
	switch {
	case !i.Constraint:
		return ""
	case engine != "postgres":
		return "SQLite adds no constraint to a table that is there"
	case i.Where != "":
		return "no constraint stands on an index with a predicate (where)"
	case slices.ContainsFunc(i.Parts, func(p KeyPart) bool { return p.Expression }):
		return "no constraint stands on an index over expressions"
	case table.Facts != nil && len(table.Facts.PartitionKey) > 0:
		return "the table is partitioned, and its indexes cannot be made constraints"
	}
	return ""
}
