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
	// Replaces names an index that is dropped once the new one stands.
	Replaces string
	// Columns are parts of the key, nil for all; Where is another predicate than
	// the key's, and Everywhere none where the key has one.
	Columns    []string
	Where      string
	Everywhere bool
}

// check refuses what no table could be given.
func (r IndexRule) check() error {
	if len(r.Name) > maxName {
		return &Problem{Code: CodeUsage, Message: fmt.Sprintf("the index name has %d bytes, and %d is the longest", len(r.Name), maxName), Hint: "give a shorter name"}
	}
	return nil
}

// without says what does not happen where no index is built.
func (r IndexRule) without() string {
	text := ""
	if r.Constraint {
		text += "; no constraint is made"
	}
	if r.Replaces != "" {
		text += "; " + r.Replaces + " stays"
	}
	return text
}

// wanted is the index on the key, under the name given or one of its own.
func (t *Table) wanted(engine string, table *CaseTable, rule IndexRule, taken map[string]bool) (*Index, error) {
	name := rule.Name
	index := &Index{Name: name, Parts: table.Key, Where: table.Where, NullsNotDistinct: table.Nulls == "not-distinct", Constraint: rule.Constraint}
	if err := t.otherwise(index, table, rule); err != nil {
		return nil, err
	}
	if why := index.noConstraint(engine, table); why != "" {
		return nil, &Problem{Code: CodeUnsupported, Message: t.Name + ": `index: {constraint: true}` cannot be, because " + why, Hint: "take constraint: out of twinrow.yaml; the unique index alone refuses the same rows"}
	}
	if err := index.replace(engine, t.Name, table, rule.Replaces); err != nil {
		return nil, err
	}
	if name == "" {
		_, bare := SplitName(engine, t.Table)
		index.Name = indexName(bare, table, index.Parts, taken)
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

// replace takes the old index's definition from the case; refused is one that
// could not be built again exactly as it is.
func (i *Index) replace(engine, entry string, table *CaseTable, old string) error {
	if old == "" {
		return nil
	}
	refuse := func(code, why, hint string) error {
		return &Problem{Code: code, Message: entry + ": `index: {replaces: " + old + "}` cannot be, because " + why, Hint: hint}
	}
	const leave = "take replaces: out of twinrow.yaml, and drop the index by hand where nothing needs it"
	switch f := table.Facts; {
	case engine != "postgres":
		return refuse(CodeUnsupported, "only an index of Postgres is replaced", leave)
	case old == i.Name:
		return refuse(CodeUsage, "it is the name of the new index", "give the new one another name")
	case f != nil && f.Bound[old] != "":
		return refuse(CodeUnsupported, f.Bound[old], leave)
	case f == nil || f.Indexes[old] == "":
		return refuse(CodeNotFound, "the scan saw no index of that name on "+table.Table, "look at the name, which is written as in the catalogue and without its schema; if the index was made since, scan again")
	default:
		i.Replaces = &Replaced{Name: old, Definition: f.Indexes[old]}
	}
	return nil
}

// otherwise takes the columns and the predicate that were declared. What the
// case has cleaned must stay clean under them: an index on fewer columns
// refuses all that one on the key does, and one on others may not.
func (t *Table) otherwise(index *Index, table *CaseTable, rule IndexRule) error {
	if rule.Columns != nil {
		index.Parts = nil
	}
	for _, column := range rule.Columns {
		i := slices.IndexFunc(table.Key, func(p KeyPart) bool { return p.Text == column })
		if i < 0 {
			return &Problem{Code: CodeUsage, Message: t.Name + ": `index: {columns: …}` names " + column + ", which is not in the key (" + strings.Join(t.Key, ", ") + "), so the index would let rows with the same key in", Hint: "name columns of the key, or scan again by the key that the index is to have"}
		}
		if slices.Contains(index.Parts, table.Key[i]) {
			return &Problem{Code: CodeUsage, Message: t.Name + ": `index: {columns: …}` names " + column + " twice", Hint: "take one of them out"}
		}
		index.Parts = append(index.Parts, table.Key[i])
	}
	if rule.Where != "" && rule.Where != table.Where {
		index.Where = rule.Where
		t.Notes = append(t.Notes, "the index has another `where` than the key: rows that it leaves out may come to have the same key again")
	}
	if rule.Everywhere {
		index.Where = ""
	}
	if !index.OnKey(table) {
		t.Notes = append(t.Notes, "the index is not on just the key: where rows that the case did not look for are the same under it, its build fails and is rolled back")
	}
	return nil
}

// OnKey tells whether the index is on just the key, by which the case looked for duplicates.
func (i *Index) OnKey(table *CaseTable) bool {
	return i.Where == table.Where && len(i.Parts) == len(table.Key)
}
