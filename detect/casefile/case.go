// Package casefile owns the documents of a case that detect writes and every
// other stage reads: case.json and evidence.jsonl, how they are written so
// that nothing half-done is ever seen, and how they are read so that nothing
// edited by hand is ever believed.
//
// It must not know how a fact was found, nor what is done about it.
package casefile

import "twinrow/detect/key"

// Problem is an error that a person can act on.
type Problem = key.Problem

// Schemas of the documents. The number grows when a reader of the old one
// would misread the new one.
const (
	CaseSchema     = "twinrow/case/v1"
	EvidenceSchema = "twinrow/evidence/v1"
)

// Names of the documents in a case directory.
const (
	CaseName     = "case.json"
	EvidenceName = "evidence.jsonl"
	ConfigName   = "twinrow.yaml"
	PlanName     = "plan.json"
	JournalName  = "journal.jsonl"
)

// Case is case.json.
type Case struct {
	Schema string `json:"schema"`
	Tool   Tool   `json:"tool"`
	// ID is 12 hexadecimal digits, random; it names the case in a database's
	// quarantine, in mails and in probes.
	ID string `json:"id"`
	// CreatedAt is RFC 3339 in UTC.
	CreatedAt string   `json:"created_at"`
	Source    Source   `json:"source"`
	Tables    []Table  `json:"tables"`
	Evidence  Evidence `json:"evidence"`
	// Config is absent where the scan was told everything by flags.
	Config *Config `json:"config,omitempty"`
}

// Config says by which configuration a case was scanned; its text, with the
// variables unexpanded, stands beside the case as ConfigName.
type Config struct {
	// SHA256 is lower-case hexadecimal, over the file as it was scanned by.
	SHA256 string `json:"sha256"`
	// Source is true where the file said where to scan, false where that was
	// said on the command line or by the environment.
	Source bool `json:"source"`
}

// Tool is the program that wrote a document.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Source says where the rows were. It never holds a password.
type Source struct {
	Engine   string `json:"engine"`
	Version  string `json:"version"`
	Database string `json:"database"`
	// Location is a connection URL without password, or an absolute path.
	Location string `json:"location"`
	// Identity tells the database from its copies; "" where the engine cannot.
	Identity string `json:"identity"`
}

// Evidence names the evidence file and holds its digest.
type Evidence struct {
	File   string `json:"file"`
	Schema string `json:"schema"`
	// SHA256 is lower-case hexadecimal, over the whole file.
	SHA256 string `json:"sha256"`
	Groups int    `json:"groups"`
}

// Table is one table of a case: what was asked, and what was seen.
type Table struct {
	// Name tells the entries of a configuration apart; by default it is Table.
	Name string `json:"name"`
	// Table is the canonical name, with its schema where there is one.
	Table string `json:"table"`
	// Kind says what the table is where it is none of the ordinary ones, as "a
	// view", "a foreign table" or "spread over foreign tables".
	Kind    string    `json:"kind,omitempty"`
	Columns []Column  `json:"columns"`
	Key     []KeyPart `json:"key"`
	// Nulls is "distinct" or "not-distinct".
	Nulls string   `json:"nulls"`
	Where string   `json:"where,omitempty"`
	Time  string   `json:"time,omitempty"`
	ID    []string `json:"id"`
	// Rowid is the name under which SQLite's rowid can be read and written, "" where
	// there is none or it is not known.
	Rowid  string   `json:"rowid,omitempty"`
	Email  string   `json:"email,omitempty"`
	Person string   `json:"person,omitempty"`
	Amount string   `json:"amount,omitempty"`
	Ignore []string `json:"ignore,omitempty"`

	Windows Windows `json:"windows"`
	// Way and WayReason say how the repeated keys were found, and why so.
	Way       string `json:"way"`
	WayReason string `json:"way_reason"`
	// UniqueBy names unique indexes that already held for the key.
	UniqueBy []string `json:"unique_by,omitempty"`
	// IncomingKeys and Triggers are what a clean-up must reckon with.
	IncomingKeys []ForeignKey `json:"incoming_keys,omitempty"`
	Triggers     []string     `json:"triggers,omitempty"`
	// UpdateTriggers are those that an UPDATE of the table fires.
	UpdateTriggers []string `json:"update_triggers,omitempty"`
	// Facts is nil where the source has no such catalogue.
	Facts *Facts `json:"facts,omitempty"`

	// Caveats say what the whole reading cannot have seen, as on a standby.
	Caveats []string `json:"caveats,omitempty"`

	ScannedRows int64 `json:"scanned_rows"`
	// NullKeyRows of them equal no other row, because their key holds a NULL.
	NullKeyRows int64 `json:"null_key_rows"`
	// BadLines of a file were skipped on request.
	BadLines int64 `json:"bad_lines,omitempty"`
	// Untimed counts the rows of groups whose time could not be read.
	Untimed *Untimed `json:"untimed,omitempty"`
	Totals  Totals   `json:"totals"`
	// What follows is absent where the table has no groups. Clock is absent
	// too where no time column was named, Incident where no duplicate has a time.
	Clock    *Clock    `json:"clock,omitempty"`
	Impact   *Impact   `json:"impact,omitempty"`
	Incident *Incident `json:"incident,omitempty"`
	Retries  *Retries  `json:"retries,omitempty"`
	// KeyLab stands for an empty result too: the key may be the wrong one.
	KeyLab *KeyLab `json:"key_lab,omitempty"`
}

// Column is one column as the catalogue had it.
type Column struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	NotNull   bool   `json:"not_null,omitempty"`
	Generated bool   `json:"generated,omitempty"`
	Identity  string `json:"identity,omitempty"`
}

// KeyPart is one column or expression of the key.
type KeyPart struct {
	Text       string `json:"text"`
	Expression bool   `json:"expression,omitempty"`
}

// ForeignKey is a reference to the table from another.
type ForeignKey struct {
	Name       string   `json:"name"`
	Table      string   `json:"table"`
	Columns    []string `json:"columns"`
	References []string `json:"references"`
	// OnDelete is "" where a person declared the reference and no constraint does.
	OnDelete string `json:"on_delete"`
	// Where limits a declared reference to the rows that it holds for; Array is
	// true where the column is an array.
	Where string `json:"where,omitempty"`
	Array bool   `json:"array,omitempty"`
	// Deletes is true where a person declared that rows which refer may be
	// deleted: Row.Beneath says what hangs on them then.
	Deletes bool `json:"deletes,omitempty"`
	// Counted is true where Row.References and Group.Collisions say all of it.
	Counted bool `json:"counted,omitempty"`
	// Child is what was seen of Table, nil where the case has no groups.
	Child *Child `json:"child,omitempty"`
}

// Child is a table that refers to another; see source.Child.
type Child struct {
	Columns  []Column     `json:"columns"`
	ID       []string     `json:"id,omitempty"`
	Rowid    string       `json:"rowid,omitempty"`
	Unique   []UniqueKey  `json:"unique,omitempty"`
	Triggers []string     `json:"triggers,omitempty"`
	Incoming []ForeignKey `json:"incoming_keys,omitempty"`
}

// UniqueKey is a unique key of a child that holds a column which refers.
type UniqueKey struct {
	Name       string    `json:"name"`
	Rest       []KeyPart `json:"rest,omitempty"`
	Columns    []string  `json:"columns"`
	Where      string    `json:"where,omitempty"`
	NullsEqual bool      `json:"nulls_equal,omitempty"`
	// Entry is the entry of the same case whose key it is, "" for a unique index
	// that was there.
	Entry string `json:"entry,omitempty"`
	// Unclear is true where collisions on it are not foretold.
	Unclear bool `json:"unclear,omitempty"`
}

// Windows are the limits between the classes, in microseconds.
type Windows struct {
	RaceUS     int64 `json:"race_us"`
	ResubmitUS int64 `json:"resubmit_us"`
	HorizonUS  int64 `json:"retry_horizon_us"`
}

// Untimed says how many rows had no usable time, and shows the first such value.
type Untimed struct {
	Rows int64 `json:"rows"`
	// First is the first value that is no time, nil where it was NULL.
	First *string `json:"first"`
}

// Totals are the figures of a table.
type Totals struct {
	Groups  int `json:"groups"`
	Rows    int `json:"rows"`
	Surplus int `json:"surplus"`
	// Customers counts distinct addresses, case-folded and trimmed; 0 where no
	// column of addresses was named.
	Customers int           `json:"customers"`
	ByClass   map[Class]int `json:"by_class"`
	// ByStrength counts the groups by how sure their class is.
	ByStrength map[Strength]int `json:"by_strength,omitempty"`
	// Differing counts the groups whose copies differ: not safe to delete unread.
	Differing int `json:"differing,omitempty"`
	// FirstDuplicate and LastDuplicate are the earliest and the latest time of
	// a row that is not the first of its group, RFC 3339 in UTC; nil where no
	// such row has a time.
	FirstDuplicate *string `json:"first_duplicate,omitempty"`
	LastDuplicate  *string `json:"last_duplicate,omitempty"`
}

// KeyNames returns the texts of the key's parts.
func (t *Table) KeyNames() []string {
	names := make([]string, len(t.Key))
	for i, p := range t.Key {
		names[i] = p.Text
	}
	return names
}
