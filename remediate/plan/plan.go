package plan

import "slices"

// Plan is plan.json.
type Plan struct {
	Schema string `json:"schema"`
	Tool   Tool   `json:"tool"`
	CaseID string `json:"case_id"`
	// CaseSHA256 is the digest of the case.json that the plan was made from.
	CaseSHA256 string `json:"case_sha256"`
	// Engine is the source's: "postgres", "sqlite", "d1", or "csv", which has
	// survivors and no operations.
	Engine string `json:"engine"`
	// Differing is what becomes of groups whose copies differ: "hold" or "keep-survivor".
	Differing string `json:"differing"`
	// Decided is nil where no person's decisions were read.
	Decided *Decided `json:"decided,omitempty"`
	Tables  []Table  `json:"tables"`
	// Hazards are those of all tables.
	Hazards []Hazard `json:"hazards"`
	// Files are the SQL files made from the plan.
	Files []FileRef `json:"files"`
	// SHA256 is the digest of this document with zeros in place of this value.
	SHA256 string `json:"sha256"`
}

// Table is what is planned for one entry of the case.
type Table struct {
	Table string `json:"table"`
	// Name is the entry's name in the case.
	Name string   `json:"name"`
	Key  []string `json:"key"`
	// Keep is the survivor rule.
	Keep           string `json:"keep"`
	Strategy       string `json:"strategy"`
	StrategyReason string `json:"strategy_reason"`
	// Groups are those that are cleaned, in the order of the evidence.
	Groups []Group `json:"groups"`
	// Held are those that are left alone.
	Held []Held `json:"held"`
	// References are the ways in which rows refer to the table's; nil in plans
	// of versions that did not look.
	References []Reference `json:"references,omitempty"`
	// Merge are the rules by which the survivor takes values of the others.
	Merge []ColumnRule `json:"merge,omitempty"`
	// Set are the columns with which surplus rows stay; nil where they go.
	Set []Assignment `json:"set,omitempty"`
	// NoIndex is true where a person wants none.
	NoIndex bool `json:"no_index,omitempty"`
	// Operations stand in the order they are done.
	Operations []Operation `json:"operations"`
	// Effects are the changes foretold, by table; twinrow's own quarantine is not among them.
	Effects map[string]Effect `json:"effects"`
	Hazards []Hazard          `json:"hazards"`
	// Inward is true where rows that go refer to rows of other groups that go; it
	// is of use while the plan is made.
	Inward bool `json:"-"`
	// Shared is true where arrays name rows of several groups that go; likewise.
	Shared bool `json:"-"`
	// Hanging is what hangs at most on rows that are deleted beside the planned
	// ones, by reference; nil for nothing.
	Hanging map[int][]hanging `json:"-"`
	// Notes are what a reader must know beside the hazards.
	Notes []string `json:"notes"`
}

// Group is one group that is cleaned.
type Group struct {
	// Number is the group's in the evidence.
	Number int    `json:"number"`
	Key    Fields `json:"key"`
	Keep   Fields `json:"keep"`
	// Remove are the rows that go; Set those that stay and are made unique.
	Remove []Fields `json:"remove"`
	Set    []Fields `json:"set,omitempty"`
	Reason string   `json:"reason"`
	// References are what refers to the rows that go.
	References []GroupReference `json:"references,omitempty"`
}

// Assignment sets a column to the value of a SQL expression over the row.
type Assignment struct {
	Column string `json:"column"`
	Value  string `json:"value"`
}

// Held is one group that takes no part.
type Held struct {
	Number int      `json:"number"`
	Key    Fields   `json:"key"`
	Rows   []Fields `json:"rows"`
	// Differs names the columns in which the copies differ.
	Differs []string `json:"differs"`
	Reason  string   `json:"reason"`
}

// Effect counts the rows of one table that change.
type Effect struct {
	Inserted int64 `json:"inserted,omitempty"`
	Updated  int64 `json:"updated,omitempty"`
	Deleted  int64 `json:"deleted,omitempty"`
}

// File is a file made from the plan. Path is relative to the case directory,
// or absolute where it lies in a team's own migrations folder.
type File struct {
	Path    string
	Content []byte
}

// FileRef names a file and its digest.
type FileRef struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// Operation returns the table's operation of that name, or nil.
func (t *Table) Operation(op string) *Operation {
	for i := range t.Operations {
		if t.Operations[i].Op == op {
			return &t.Operations[i]
		}
	}
	return nil
}

// ChangesRows tells whether rows change beside those that go.
func (t *Table) ChangesRows() bool {
	return t.Operation(OpRepoint) != nil || t.Operation(OpMerge) != nil || t.Operation(OpSet) != nil
}

// FiresTriggers tells whether triggers were foretold to fire.
func (t *Table) FiresTriggers() bool { return slices.Contains(t.Hazards, FiresTriggers) }

// Removed counts the rows that the table's groups lose.
func (t *Table) Removed() int {
	n := 0
	for _, g := range t.Groups {
		n += len(g.Remove)
	}
	return n
}
