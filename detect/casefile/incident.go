package casefile

// Clock says whose time stands in the time column, and how far it can be
// trusted.
type Clock struct {
	// Writes is "transaction-start" (the column's default is now()),
	// "statement" (it is clock_timestamp() or statement_timestamp()),
	// "application" (no default writes it, or the values show that none did)
	// or "unknown".
	Writes string `json:"writes"`
	// Default is the column's default as the catalogue prints it.
	Default string `json:"default,omitempty"`
	// StepUS is the measured resolution in microseconds.
	StepUS int64 `json:"step_us"`
	// Pairs counts the neighbours by time whose ids are numbers; OutOfOrder of
	// them have the smaller id later, which points to several clocks.
	Pairs      int `json:"pairs,omitempty"`
	OutOfOrder int `json:"out_of_order,omitempty"`
	// Each of the following counts rows of groups. Formats is the number of
	// different ways in which times are written.
	Formats    int   `json:"formats,omitempty"`
	Zoneless   int64 `json:"zoneless,omitempty"`
	Zoned      int64 `json:"zoned,omitempty"`
	Future     int64 `json:"future,omitempty"`
	Before1970 int64 `json:"before_1970,omitempty"`
	Infinite   int64 `json:"infinite,omitempty"`
	Null       int64 `json:"null,omitempty"`
	// Says are sentences for people, the first about whose clock it is.
	Says []string `json:"says"`
}

// Impact says who and what is affected. Surplus rows are counted as if the
// first row of each group stayed; the plan may choose another.
type Impact struct {
	// Customers are distinct addresses; 0 where no column of addresses was named.
	Customers int `json:"customers"`
	Rows      int `json:"rows"`
	Surplus   int `json:"surplus"`
	// Differing groups have copies that differ: not safe to delete unread.
	Differing int `json:"differing"`
	// DifferingColumns counts those groups by column, most first.
	DifferingColumns []ColumnCount `json:"differing_columns,omitempty"`
	// Amount is the exact sum of the amount column over the surplus rows, in
	// the column's own unit; nil where no such column was named.
	Amount *string `json:"amount,omitempty"`
	// AmountUnread counts surplus rows whose amount is NULL or no number.
	AmountUnread int `json:"amount_unread,omitempty"`
	// Referred surplus rows have rows of other tables that refer to them;
	// References says which tables. nil where that was not counted (see Unknown).
	Referred   *int             `json:"referred,omitempty"`
	References []ReferenceCount `json:"references,omitempty"`
	// Used surplus rows were used since they were written: referred to,
	// changed, or marked with a later time. UsedBy says by what, most first.
	Used   int           `json:"used"`
	UsedBy []ColumnCount `json:"used_by,omitempty"`
	// Unknown says what could not be counted, and why.
	Unknown []string `json:"unknown,omitempty"`
}

// ColumnCount counts groups or rows by the name of a column, or of what else
// told them.
type ColumnCount struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// ReferenceCount sums up one foreign key from another table.
type ReferenceCount struct {
	ForeignKey string `json:"foreign_key"`
	Table      string `json:"table"`
	// Surplus rows are referred to by Rows rows of the table.
	Surplus int   `json:"surplus"`
	Rows    int64 `json:"rows"`
}

// Incident says since when, how much, and whether it goes on. All times are
// RFC 3339 in UTC. A duplicate is a row that is not the first of its group.
type Incident struct {
	FirstDuplicate string `json:"first_duplicate"`
	LastDuplicate  string `json:"last_duplicate"`
	// Onset and End are the change-points of the share of duplicates among
	// all rows written; nil where they cannot be told, which Says explains.
	Onset *ChangePoint `json:"onset,omitempty"`
	End   *ChangePoint `json:"end,omitempty"`
	// State is "going-on", "ended" or "cannot-tell".
	State string `json:"state"`
	// LastRow is the time of the newest row of the table that is not in the
	// future; nil where it was not read. RowsSince is the least number of
	// rows written after LastDuplicate: those of its own bucket are not
	// counted, and 0 says that there is none.
	LastRow   *string `json:"last_row,omitempty"`
	RowsSince *int64  `json:"rows_since,omitempty"`
	// Share is of duplicates among all rows written from onset to end (from
	// the first duplicate to the last where those cannot be told), 0 to 1.
	Share *float64 `json:"share,omitempty"`
	// PerHour is duplicates an hour over the same time; nil where it is no time at all.
	PerHour *float64 `json:"per_hour,omitempty"`
	// Method names how the change-points were found, and who published it.
	Method string `json:"method,omitempty"`
	// BucketUS is the width of a Bucket in microseconds.
	BucketUS int64 `json:"bucket_us,omitempty"`
	// Buckets run without a break over the incident and some time around it.
	Buckets []Bucket `json:"buckets,omitempty"`
	// Says are sentences for people: since when, whether it goes on, how much.
	Says []string `json:"says"`
}

// ChangePoint is a time with its interval at 95 %.
type ChangePoint struct {
	At string `json:"at"`
	// Earliest and Latest are the ends of the interval; nil where it reaches
	// the end of what was looked at.
	Earliest *string `json:"earliest,omitempty"`
	Latest   *string `json:"latest,omitempty"`
}

// Bucket counts the rows of a stretch of time.
type Bucket struct {
	Start string `json:"start"`
	// Rows is all rows written then; nil where they were not counted.
	Rows *int64 `json:"rows,omitempty"`
	// Duplicates is the rows of Rows that are not the first of their group.
	Duplicates int64 `json:"duplicates"`
}

// Retries says which providers' schedules the gaps of all groups fit.
type Retries struct {
	// Providers that fit, the best first. Several may, and no one is chosen.
	Providers []ProviderFit `json:"providers,omitempty"`
	// Tried counts the schedules that were tried.
	Tried int `json:"tried"`
	// Gaps counts the gaps beyond the resubmit window that were looked at.
	Gaps int `json:"gaps"`
	// Says is the sentence for people, also where nothing fits.
	Says string `json:"says"`
}

// ProviderFit is one provider's schedule against all groups.
type ProviderFit struct {
	Provider string `json:"provider"`
	Name     string `json:"name"`
	// WaitsUS are the schedule's waits between attempts in microseconds, in
	// order, and CumulativeUS those since the first delivery; both empty for
	// a provider that publishes a window only.
	WaitsUS      []int64 `json:"waits_us,omitempty"`
	CumulativeUS []int64 `json:"cumulative_us,omitempty"`
	// WindowUS is how long the provider goes on, in microseconds; 0 where not known.
	WindowUS int64 `json:"window_us,omitempty"`
	// Groups fit it; Gaps of their gaps do; Chains of them fit over three rows and more.
	Groups int `json:"groups"`
	Gaps   int `json:"gaps"`
	Chains int `json:"chains"`
	// ValidFrom, Source and Confidence are those of the schedule: since when
	// it holds ("" where not known), who says so, and "high", "medium" or "low".
	ValidFrom  string `json:"valid_from,omitempty"`
	Source     string `json:"source"`
	Confidence string `json:"confidence"`
	Says       string `json:"says"`
}

// KeyLab says what other keys would have found, so that a wrong key is noticed.
type KeyLab struct {
	Trials []KeyTrial `json:"trials,omitempty"`
	// Rows were looked at. Exact is false where Trials are estimated from a
	// share of the keys.
	Rows  int64 `json:"rows"`
	Exact bool  `json:"exact"`
	// Says are sentences for people: what stands out, or why it was not done.
	Says []string `json:"says"`
}

// KeyTrial is what one key would have found. Values are compared as text, not
// by the database.
type KeyTrial struct {
	// Variant is "as-given", "nulls-equal", "case-folded", "trimmed",
	// "folded-and-trimmed" or "subset".
	Variant string   `json:"variant"`
	Key     []string `json:"key"`
	Groups  int64    `json:"groups"`
	// Surplus rows are all but one of each group.
	Surplus int64 `json:"surplus"`
}
