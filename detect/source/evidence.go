package source

import (
	"context"
	"time"

	"twinrow/detect/key"
)

// Witness is a Source that keeps evidence of the transactions that wrote rows.
type Witness interface {
	Source
	// Transactions says what can be known of the table's transactions.
	Transactions(ctx context.Context, t *Table) (Transactions, error)
	// Writers hands on what is known of the transaction that wrote the row at
	// each locator. A row may be left out.
	Writers(ctx context.Context, t *Table, locators []uint64, visit func(Writer) error) error
}

// What writes a time column.
const (
	WritesStart       = "transaction-start"
	WritesStatement   = "statement"
	WritesApplication = "application"
)

// Transactions is what a source knows of a table's transactions at large.
type Transactions struct {
	// KeepsTimes is true where the source kept the times of commits.
	KeepsTimes bool
	// Writes is what the time column's default says writes it: one of the
	// constants above, "" where there is no time column.
	Writes string
	// Default is the time column's default as the catalogue prints it.
	Default string
	// Inserted, Updated and Deleted count the table's rows since statistics
	// began; -1 where that is not known.
	Inserted, Updated, Deleted int64
	// Lagging is true where the counts may miss what other sessions did in the
	// last seconds.
	Lagging bool
}

// Writer is what is known of the transaction that wrote a row's version.
type Writer struct {
	Locator uint64
	// XID is the transaction's number as the engine prints it.
	XID string
	// Committed is when it committed by the server's clock; zero where not kept.
	Committed time.Time
	// Updated tells from the row itself whether this version came of an
	// UPDATE; nil where the role may not look.
	Updated *bool
}

// Referrer is a Source that can count the rows which refer to others.
type Referrer interface {
	// References counts, by one of the table's IncomingKeys, the rows that
	// refer to each row at the locators. Rows nobody refers to are left out.
	References(ctx context.Context, t *Table, k ForeignKey, locators []uint64, visit func(locator uint64, rows int64) error) error
	// Child says what is to be known of the table that refers by one of the
	// IncomingKeys before its rows are changed.
	Child(ctx context.Context, t *Table, k ForeignKey) (Child, error)
	// Collisions tells for each group of rows what would happen to a unique key
	// of the child if all that refers to the group referred to one row: how
	// many keys several rows would have, and how many rows would be too many.
	// Groups without a collision are left out.
	Collisions(ctx context.Context, t *Table, k ForeignKey, u UniqueKey, groups [][]uint64, visit func(group int, keys, rows int64) error) error
}

// Lister is a Referrer that can also look into arrays of ids.
type Lister interface {
	Referrer
	// Lists tells, by one of the table's IncomingKeys that is an array, which of
	// the rows at the locators are named together, and in how many rows of the
	// child: by their places among the locators, ascending, each as often as an
	// array names it. deep is true for arrays of several dimensions.
	Lists(ctx context.Context, t *Table, k ForeignKey, locators []uint64, visit func(named []int, deep bool, rows int64) error) error
}

// Child is a table that refers to the scanned one.
type Child struct {
	Columns []Column
	// ID are the columns of the primary key, empty where there is none.
	ID []string
	// Rowid is the name under which SQLite's rowid can be read, "" where there is none.
	Rowid string
	// Unique are the unique keys that hold a column which refers.
	Unique []UniqueKey
	// Triggers are those that an INSERT, UPDATE or DELETE fires.
	Triggers []string
	// Incoming are the foreign keys that refer to the child itself.
	Incoming []ForeignKey
}

// UniqueKey is one unique index of a child, or the key of another entry, on
// which there will be one.
type UniqueKey struct {
	Name string
	// Rest are its parts without the columns that refer.
	Rest []key.Part
	// Columns are those that refer.
	Columns []string
	// Where is the predicate of a partial index, or empty.
	Where string
	// NullsEqual is NULLS NOT DISTINCT.
	NullsEqual bool
	// Entry is the entry of the same scan whose key it is, "" for a unique index
	// that is there.
	Entry string
	// Unclear is true where an expression holds a column that refers, or the
	// source cannot read the index's parts: collisions are not foretold then.
	Unclear bool
}

// Comparer is a Source that compares the columns of two rows as the database
// compares them.
type Comparer interface {
	// Compare hands on, for each pair of locators in order, whether the two
	// rows' values are the same, for each of Table.Columns. NULL is the same as NULL.
	Compare(ctx context.Context, t *Table, pairs [][2]uint64, visit func(same []bool) error) error
}

// Timeliner is a Source that counts rows by the time column.
type Timeliner interface {
	// Timeline reads the time of every row that the predicate holds for once.
	Timeline(ctx context.Context, t *Table, w Window) (Timeline, error)
}

// Window is a stretch of time cut into buckets of one width.
type Window struct {
	From    time.Time
	Width   time.Duration
	Buckets int
	// Now is the time after which a row is in the future and is not counted.
	Now time.Time
}

// Bucket is the bucket that a time lies in, -1 for one before the first and
// Buckets for one behind the last.
func (w Window) Bucket(at time.Time) int {
	if at.Before(w.From) {
		return -1
	}
	return int(min(at.Sub(w.From)/w.Width, time.Duration(w.Buckets)))
}

// Timeline counts rows by time.
type Timeline struct {
	// Counts has a count for each bucket; Before and After lie outside.
	Counts        []int64
	Before, After int64
	// Last is the newest time that is not in the future, zero where there is none.
	Last time.Time
}

// Add counts rows of one time in the window.
func (l *Timeline) Add(w Window, at time.Time) {
	if at.After(w.Now) {
		return
	}
	l.Reach(at)
	l.Put(w.Bucket(at), 1)
}

// Put adds rows to a bucket of Window.Bucket.
func (l *Timeline) Put(bucket int, rows int64) {
	switch {
	case bucket < 0:
		l.Before += rows
	case bucket >= len(l.Counts):
		l.After += rows
	default:
		l.Counts[bucket] += rows
	}
}

// Reach moves Last on to a newer time.
func (l *Timeline) Reach(at time.Time) {
	if at.After(l.Last) {
		l.Last = at
	}
}

// Join adds what another reading counted in the same window.
func (l *Timeline) Join(other Timeline) {
	l.Before += other.Before
	l.After += other.After
	for i, rows := range other.Counts {
		l.Counts[i] += rows
	}
	l.Reach(other.Last)
}

// KeyReader is a Source that reads the keys of all rows as text.
type KeyReader interface {
	// Keys hands on the key of every row that the predicate holds for, those
	// with a NULL too. The values are valid during the call only.
	Keys(ctx context.Context, t *Table, visit func(parts []Value) error) error
}
