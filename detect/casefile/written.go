package casefile

// Written is what the database still knows of the transaction that wrote the
// version of a row that was seen.
type Written struct {
	// XID is the transaction's number (xmin) as the server prints it; a
	// savepoint has one of its own.
	XID string `json:"xid,omitempty"`
	// Committed is when it committed by the server's clock, RFC 3339 in UTC
	// with microseconds; nil where the server kept no such time.
	Committed *string `json:"committed,omitempty"`
	// Began is when it began, in the same form, where the time column says
	// that (see Clock.Writes); nil otherwise.
	Began *string `json:"began,omitempty"`
	// By says what the transaction did to the row.
	By WrittenBy `json:"by"`
	// How says in plain words how By was told, or why it could not be.
	How string `json:"how"`
}

// WrittenBy says what the last transaction that wrote a row did to it.
type WrittenBy string

const (
	// ByInsert says that it inserted the row, so its times are the insert's.
	ByInsert WrittenBy = "insert"
	// ByUpdate says that it changed the row later; nothing is known of the insert.
	ByUpdate WrittenBy = "update"
	// ByBulk says that it wrote rows of many other times too, as a restore, CREATE
	// TABLE AS, an import or an UPDATE of a whole table does.
	ByBulk WrittenBy = "bulk"
	// ByUnknown says that it may have inserted or changed the row.
	ByUnknown WrittenBy = "unknown"
)

// Reference says that rows of another table refer to a row of a group.
type Reference struct {
	// ForeignKey is the Name of one of the table's IncomingKeys, Table its table.
	ForeignKey string `json:"foreign_key"`
	Table      string `json:"table"`
	// Number is the reference's place among the IncomingKeys.
	Number int `json:"number,omitempty"`
	// Rows of that table refer to this row.
	Rows int64 `json:"rows"`
}

// Collision says that rows of another table which refer to a group would have
// the same unique key if they referred to one row.
type Collision struct {
	// Reference is the place of the reference among the table's IncomingKeys.
	Reference int `json:"reference"`
	// Unique is the name of the child's unique key.
	Unique string `json:"unique"`
	// Keys are the keys that several rows would have, Rows those too many.
	Keys int64 `json:"keys"`
	Rows int64 `json:"rows"`
}

// List says in how many rows of another table an array of ids names just these
// rows of a group.
type List struct {
	// Reference is the place of the reference among the table's IncomingKeys.
	Reference int `json:"reference"`
	// Named are places among the group's rows, ascending, each as often as the
	// array names it.
	Named []int `json:"named"`
	// Deep is true for an array of several dimensions.
	Deep bool  `json:"deep,omitempty"`
	Rows int64 `json:"rows"`
	// Shared is not 0 where the same arrays name rows of other groups too, whose
	// lists then have the same number.
	Shared int `json:"shared,omitempty"`
}

// Difference is one column, or one place in a column's JSON, in which the
// rows of a group are not all the same.
type Difference struct {
	Column string `json:"column"`
	// Path is the place in a JSON value, as $.items[0].price; "" for the whole value.
	Path string `json:"path,omitempty"`
	// Kind is "number", "time", "text", "bytes", "boolean" or "json": how the values were compared.
	Kind string `json:"kind"`
	// Values are the different values, most rows first, at most ten.
	Values []Variant `json:"values"`
	// MoreValues counts the different values left out of Values.
	MoreValues int `json:"more_values,omitempty"`
	// Says tells the difference in one clause, as "by 500" or "NULL in 1 of 2 rows".
	Says string `json:"says"`
}

// Variant is one of the values that a column has within a group.
type Variant struct {
	// Value is as the database prints it, cut after 200 characters with "…"; nil is NULL.
	Value *string `json:"value"`
	// Missing is true where the JSON has no such member at all; Value is nil then.
	Missing bool `json:"missing,omitempty"`
	Rows    int  `json:"rows"`
}

// Fit is a provider's retry schedule that the gaps of a group fit.
type Fit struct {
	// Provider is the schedule's short name, Name the one for people.
	Provider string `json:"provider"`
	Name     string `json:"name"`
	// Attempts are the numbers of the attempts that made the rows, in the
	// rows' order, 1 for the first delivery; 0 for a row that is none of them.
	// It is absent where the provider publishes no intervals, so that no
	// attempt can be claimed.
	Attempts []int `json:"attempts,omitempty"`
	// WaitsUS are the waits that the schedule sets for each gap, in
	// microseconds, summed over the attempts between; 0 where the gap is none of them.
	WaitsUS []int64 `json:"waits_us,omitempty"`
	// Gaps counts the gaps that fit.
	Gaps     int      `json:"gaps"`
	Strength Strength `json:"strength"`
	// Says is the sentence for people: "fits the Svix family, attempts 3 and 4".
	Says string `json:"says"`
}
