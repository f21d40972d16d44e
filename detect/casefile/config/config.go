// Package config owns twinrow.yaml: what it may say, how it is read, and its
// copy in a case, which later stages read again.
//
// It must not know any database: columns and tables are as they were written,
// and what a rule does is decided by the stage that it is for.
package config

// File is a twinrow.yaml that was read.
type File struct {
	// Name is the file's as it was given, for messages.
	Name string
	// Text is the file itself, its variables not expanded.
	Text []byte
	// Tables are the entries in the order in which they are worked; there is one at least.
	Tables []Table

	source    string
	sourceErr error
}

// Source is `source:` with the environment put in, "" where the file names
// none. The error says which variable is not set; it comes only here, so that
// a stage that needs no source runs without it.
func (f *File) Source() (string, error) { return f.source, f.sourceErr }

// Table is one entry of `tables:`. A text that was not given is "", a list nil.
type Table struct {
	// At is where the entry begins, as twinrow.yaml:3:5.
	At string

	// Table is written as --table is; Key, Where, Time, ID, Email, Amount and
	// Ignore are as their flags, "none" for no column included.
	Table  string
	Key    []string
	Where  string
	Time   string
	ID     []string
	Email  string
	Amount string
	Ignore []string
	// Name is the column of customers' names or, where the table stands in
	// several entries and has no such column, the name of this entry.
	Name string
	// NullsEqual is `nulls: not-distinct`.
	NullsEqual bool
	// Provider names one retry schedule; "" tries all.
	Provider string

	Keep Keep
	// Invariants are SQL predicates: a group with rows for which one holds
	// keeps one of them.
	Invariants []string
	// Surplus are the columns that surplus rows are kept with after a change,
	// in the file's order; nil says that surplus rows are deleted.
	Surplus []Assignment
	// Differing is Hold, KeepSurvivor, Merge, or "" where it was not given.
	Differing string
	// Merge are the rules for single columns, in the file's order.
	Merge      []MergeRule
	References []Reference
	// Index is nil where it was not given: the index is then made of the key.
	Index *Index
}

// Keep is which row of a group stays. At most one of its fields is set.
type Keep struct {
	// Rule is one word, or a SQL expression: the row that is first by it.
	Rule string
	// Order is a list of expressions as in ORDER BY.
	Order []string
}

// Rules of `keep:`.
const (
	KeepFirst          = "first"
	KeepLast           = "last"
	KeepMostReferenced = "most-referenced"
)

// Rules of `differing:`.
const (
	Hold         = "hold"
	KeepSurvivor = "keep-survivor"
	Merge        = "merge"
)

// Assignment sets a column to the value of a SQL expression over the row.
type Assignment struct{ Column, Value string }

// MergeRule says how a column's values become one: by one of MergeRules.
type MergeRule struct{ Column, Rule string }

// MergeRules are the words of `merge:`.
var MergeRules = []string{"sum", "min", "max", "and", "or", "first-non-null", "concat", "keep"}

// Reference is one of `references:`: rows of another table that refer to rows
// of this one, whether or not a foreign key says so.
type Reference struct {
	// At is where it stands, as twinrow.yaml:9:7.
	At string
	// Table is written as --table is.
	Table string
	// Columns refer to the columns of the key that is referred to, pairwise;
	// one column refers to the id.
	Columns []string
	// Where is a SQL predicate for the rows that are meant, "" for all.
	Where string
	// Array is true where the column holds a list of ids.
	Array bool
	// Action is Repoint, the default, or DeleteRow, SetNull or Stop.
	Action string
	// OnConflict is Stop, the default, or Drop or Merge: what becomes of a row
	// that would collide with another once it is repointed. Of an Array it is
	// Stop, Drop or KeepRepeats: what becomes of an id that would stand in it twice.
	OnConflict string
	// Merge are the rules for OnConflict Merge, in the file's order.
	Merge []MergeRule
}

// Words of a reference's `action:` and `on_conflict:`; Merge is one too.
const (
	Repoint     = "repoint"
	DeleteRow   = "delete"
	SetNull     = "set-null"
	Stop        = "stop"
	Drop        = "drop"
	KeepRepeats = "keep"
)

// Index is `index:`.
type Index struct {
	// None is true for `index: false`; nothing else is set then.
	None bool
	// Name is "" for one made of the table and the key.
	Name string
	// Constraint asks for a UNIQUE constraint that stands on the index.
	Constraint bool
	// Replaces names an index that is dropped once the new one stands.
	Replaces string
	// Columns and Where are nil and "" where they are those of the key. An
	// explicit empty where: "" is given as Everywhere.
	Columns []string
	Where   string
	// Everywhere is true for an index over all rows though the key has a predicate.
	Everywhere bool
}
