package plan

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/detect/key"
)

// What becomes of rows that refer to a row that goes.
const (
	Repoint   = "repoint"  // they refer to the survivor
	DeleteRow = "delete"   // they go too
	SetNull   = "set-null" // they refer to nothing
	Stop      = "stop"     // their group is held
)

// What becomes of a row that would collide with another under a unique key of
// its table once it refers to the survivor; Stop is one of them.
const (
	Drop  = "drop"  // it goes
	Merge = "merge" // it goes, after its values went into the row that is there
)

// Reference is one way in which rows refer to the table's, and what becomes of
// those that refer to a row that goes.
type Reference struct {
	// Number is its place among the IncomingKeys of the case.
	Number int    `json:"number"`
	Name   string `json:"name"`
	Table  string `json:"table"`
	// Columns of Table refer to References of the planned table, pairwise.
	Columns    []string `json:"columns"`
	References []string `json:"references"`
	// Where limits the rows that refer; Array says that the column is an array.
	Where string `json:"where,omitempty"`
	Array bool   `json:"array,omitempty"`
	// Declared is true where no constraint says so.
	Declared   bool         `json:"declared,omitempty"`
	Action     string       `json:"action"`
	OnConflict string       `json:"on_conflict"`
	Merge      []ColumnRule `json:"merge,omitempty"`
	// Rows refer to rows that go, in all groups together; Dropped of them
	// collide, on Merged keys.
	// Of an Array, Dropped are those that would name a row more often than once.
	Rows    int64 `json:"rows"`
	Dropped int64 `json:"dropped,omitempty"`
	Merged  int64 `json:"merged,omitempty"`
}

// ColumnRule says how several values of a column become one.
type ColumnRule struct {
	Column string `json:"column"`
	// Rule is one of MergeRules.
	Rule string `json:"rule"`
}

// MergeRules are the rules there are. "first-non-null" looks at the survivor
// first, then at the others in order of time; "concat" joins the different
// values in that order; "keep" is the survivor's value.
var MergeRules = []string{"sum", "min", "max", "and", "or", "first-non-null", "concat", "keep"}

// ReferenceRule is what a person declares about a reference.
type ReferenceRule struct {
	// Table and Columns find it among those of the case.
	Table      string
	Columns    []string
	Where      string
	Action     string
	OnConflict string
	Merge      []ColumnRule
}

// GroupReference is what is foretold of one reference for one group.
type GroupReference struct {
	Number int `json:"number"`
	// Rows refer to rows of the group that go, without those that go themselves.
	Rows    int64 `json:"rows"`
	Dropped int64 `json:"dropped,omitempty"`
	Merged  int64 `json:"merged,omitempty"`
}

// references lists the references of a table with what was declared of each.
func references(engine string, table *CaseTable, rules []ReferenceRule) ([]Reference, error) {
	var all []Reference
	used := make([]bool, len(rules))
	for n, k := range table.IncomingKeys {
		r := Reference{
			Number: n, Name: k.Name, Table: k.Table, Columns: k.Columns, References: k.References, Where: k.Where, Array: k.Array,
			Declared: k.OnDelete == "", Action: Repoint, OnConflict: Stop,
		}
		for i, rule := range rules {
			if !names(engine, rule.Table, k.Table) || !slices.EqualFunc(rule.Columns, k.Columns, means) || rule.Where != k.Where {
				continue
			}
			used[i] = true
			if rule.Action != "" {
				r.Action = rule.Action
			}
			if rule.OnConflict != "" {
				r.OnConflict = rule.OnConflict
			}
			r.Merge = rule.Merge
		}
		all = append(all, r)
	}
	if i := slices.Index(used, false); i >= 0 {
		return nil, &Problem{
			Code:    CodeUsage,
			Message: fmt.Sprintf("the case knows no reference %s (%s) to %s", rules[i].Table, strings.Join(rules[i].Columns, ", "), table.Table),
			Hint:    "the references are read at the scan: scan again with the same twinrow.yaml",
		}
	}
	return all, nil
}

// names tells whether a table's name as a person writes it means a canonical one.
func names(engine, written, canonical string) bool {
	if strings.EqualFold(written, canonical) {
		return true
	}
	schema, name := SplitName(engine, canonical)
	writtenSchema, writtenName := SplitName(engine, written)
	return strings.EqualFold(writtenName, name) && (writtenSchema == "" || strings.EqualFold(writtenSchema, schema))
}

// means tells whether a column as a person writes it is a canonical one.
func means(written, canonical string) bool {
	_, err := key.ResolveColumn("column", written, []string{canonical})
	return err == nil
}

// describes writes a reference for people: "public.scans (ticket_id)".
func (r *Reference) describes() string {
	return r.Table + " (" + strings.Join(r.Columns, ", ") + ")"
}

// Effect is what carrying the reference out does to its table.
func (r *Reference) Effect() Effect {
	switch r.Action {
	case DeleteRow:
		return Effect{Deleted: r.Rows}
	case Repoint:
		if r.Array {
			break
		}
		e := Effect{Updated: r.Rows - r.Dropped, Deleted: r.Dropped}
		if r.OnConflict == Merge {
			e.Updated += r.Merged
		}
		return e
	}
	return Effect{Updated: r.Rows}
}
