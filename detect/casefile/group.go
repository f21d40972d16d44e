package casefile

// Class says what made a gap: the words are those of the design.
type Class string

// The classes, from the nearest gap to the widest.
const (
	SameTransaction Class = "same-transaction"
	Race            Class = "race"
	Resubmit        Class = "resubmit"
	Retry           Class = "retry"
	Replay          Class = "replay"
	UntimedClass    Class = "untimed"
)

// Classes lists all classes in the order reports use.
var Classes = []Class{SameTransaction, Race, Resubmit, Retry, Replay, UntimedClass}

// Strength says how sure a class is.
type Strength string

// The strengths, from the surest.
const (
	Proven   Strength = "proven"
	Likely   Strength = "likely"
	Possible Strength = "possible"
)

// Group is one line of evidence.jsonl: rows with one key, in order of time,
// then id.
type Group struct {
	// Number is 1 for the first group of the case.
	Number int `json:"number"`
	// Table is the Name of the case's table that it is of.
	Table string `json:"table"`
	Key   Fields `json:"key"`
	// Class is that of the smallest gap.
	Class    Class    `json:"class"`
	Strength Strength `json:"strength"`
	// Mixed is true where other gaps have other classes.
	Mixed bool `json:"mixed"`
	// SpanUS is from the first row to the last in microseconds; nil where a time is missing.
	SpanUS *int64 `json:"span_us"`
	// Identical is true where every column but the id, the time and those ignored is the same.
	Identical bool `json:"identical"`
	// Differs names the others.
	Differs []string `json:"differs"`
	Reasons []string `json:"reasons"`
	Unknown []string `json:"unknown"`
	// Differences say how the columns of Differs do so, column by column.
	Differences []Difference `json:"differences,omitempty"`
	// Fits are all retry schedules that the gaps fit, the best first; empty
	// where none does or none was tried.
	Fits []Fit `json:"fits,omitempty"`
	// Collisions are unique keys of other tables that stand in the way of
	// making all that refers to the group refer to one row.
	Collisions []Collision `json:"collisions,omitempty"`
	// Lists are arrays of ids in other tables that name rows of the group.
	Lists []List `json:"lists,omitempty"`
	Rows  []Row  `json:"rows"`
}

// Row is one row of a group.
type Row struct {
	ID Fields `json:"id"`
	// Time is RFC 3339 in UTC with the column's own resolution; nil where there is none.
	Time *string `json:"time"`
	// GapUS is the time since the row before in microseconds, nil for the
	// first row and where a time is missing.
	GapUS *int64 `json:"gap_us"`
	// Class is that of the gap, nil for the first row; Strength says how sure it is.
	Class    *Class   `json:"class"`
	Strength Strength `json:"strength,omitempty"`
	// Written is the evidence of the row's transaction, nil where the source keeps none.
	Written *Written `json:"written,omitempty"`
	// References are the rows of other tables that refer to this one.
	References []Reference `json:"references,omitempty"`
	// Beneath are the rows that hang on those which refer to this one, over all
	// levels of cascades: what would be changed or deleted too, or refuse, if
	// those were deleted.
	Beneath []Beneath `json:"beneath,omitempty"`
	// UsedSince says in plain words what tells that the row was used after it was written.
	UsedSince []string `json:"used_since,omitempty"`
	// Values are all columns, in the table's order.
	Values Fields `json:"values"`
	// Image is what a clean-up compares before it touches the row; see source.Row.
	Image string `json:"image"`
}

// Beneath counts the rows that hang, by one foreign key, on the rows that
// refer to a row of a group.
type Beneath struct {
	// Number is the reference's, among the table's IncomingKeys, by which those
	// rows refer to the row of the group.
	Number     int    `json:"number"`
	ForeignKey string `json:"foreign_key"`
	Table      string `json:"table"`
	OnDelete   string `json:"on_delete"`
	Rows       int64  `json:"rows"`
}
