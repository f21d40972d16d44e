// Package source is what the rest of twinrow knows of the place where rows
// are: a database, or a file that was exported from one. It owns the Source
// interface and the values that cross it; the adapters below it own everything
// that is particular to one engine.
//
// A Source only reads. It sees one snapshot from Open to Close.
package source

import (
	"context"
	"errors"
	"time"

	"twinrow/detect/key"
)

// Source is one snapshot of one database or file.
//
// Methods may be called one after another, not at once. Every error that a
// person can act on is a *key.Problem.
type Source interface {
	// Info says what the source is.
	Info() Info
	// Inspect resolves a request against the catalogue, reading no row of the
	// table: names that do not exist are errors with the nearest names.
	Inspect(ctx context.Context, req Request) (*Table, error)
	// Capabilities says how the table's repeated keys can be found here.
	Capabilities(t *Table) Capabilities
	// Prints reads every row of the table that the key speaks of once and
	// hands on a fingerprint and a locator for each, in batches that are only
	// valid during the call of visit. It stops at visit's error. ErrAgain says
	// that what was handed on counts for nothing and Prints must be called again.
	Prints(ctx context.Context, t *Table, pass Pass, visit func([]Print) error) (Count, error)
	// Fetch reads the rows at the locators, which are all rows of one or more
	// whole clusters, and hands them on so that rows the database calls equal
	// under the key come one after another with the same Row.Group. A row
	// without an equal among them may be handed on or left out.
	Fetch(ctx context.Context, t *Table, locators []uint64, visit func(Row) error) error
	// Close ends the snapshot and leaves nothing behind.
	Close() error
}

// ErrAgain says that a reading must begin again from its start: what it read in
// is gone, and another snapshot was taken.
var ErrAgain = errors.New("the reading must begin again in a new snapshot")

// Finder is a Source that can find repeated keys more cheaply by itself than
// through Prints, for some tables at least.
type Finder interface {
	Source
	// Repeats hands on the locators of all rows of each repeated key, a
	// cluster a key. A cluster may hold more rows than are equal; Fetch settles it.
	Repeats(ctx context.Context, t *Table, visit func(cluster []uint64) error) (Count, error)
}

// Placer is a Source whose Prints does not say yet where a row is: it reads
// the rows of repeated fingerprints, or what is about them, a second time.
type Placer interface {
	Source
	// Place exchanges locators that Prints handed out for those of the rows with
	// these fingerprints, a cluster a fingerprint of two rows and more. They
	// are what every other method takes.
	Place(ctx context.Context, t *Table, locators []uint64) (clusters [][]uint64, err error)
}

// Querier is a Source that runs a person's own SQL, read-only. Arguments go
// to the engine's own placeholders.
type Querier interface {
	// Query returns the rows of a SELECT as text. It sees what is committed
	// when it is called, not the snapshot.
	Query(ctx context.Context, sql string, args []string) ([][]Value, error)
}

// Remarker is a Source that knows of limits of all that it read.
type Remarker interface {
	// Caveats says them in plain words, after the reading; nil for none.
	Caveats() []string
}

// Trier is a Source that can say how long a table's reading will take.
type Trier interface {
	// Try reads a little of the table in the way that it will be read, and
	// works out what one reading of all of it costs.
	Try(ctx context.Context, t *Table) (Trial, error)
}

// Trial is what a trial of a table's reading shows.
type Trial struct {
	// Told is false where nothing can be told beforehand.
	Told bool
	// Took is how long one reading takes; 0 for a table too small to be tried.
	Took time.Duration
	// Again is about how many bytes are read once more for the rows' times if a
	// key repeats, because the rows do not lie in their order.
	Again int64
	// Each is how many bytes every pass reads besides, and Why what for; 0 and
	// "" where it reads the table once.
	Each int64
	Why  string
	// Unsized is true where no size of all that is read is known, Unpaced where
	// the server reads in statements that cannot be held back.
	Unsized, Unpaced bool
}

// Info says what a source is. It holds no password.
type Info struct {
	// Engine is "postgres", "sqlite", "d1", "dynamodb" or "csv".
	Engine string
	// Version is the server's or library's own version, "" for a file.
	Version string
	// Database is the database's name, or the file's base name.
	Database string
	// Location finds the source again: a connection URL without its password,
	// or an absolute path. "-" is standard input.
	Location string
	// Identity tells this database from its copies and namesakes where the
	// engine can (Postgres: system identifier and database OID), else "".
	Identity string
	// Unknown names in plain words what this source can never tell, as
	// "transaction times were not kept by the server".
	Unknown []string
}

// Request names what to look for in one table, as the user wrote it.
type Request struct {
	// Table may be empty where the source is one table, as a CSV file is.
	Table string
	// Key holds column names or SQL expressions.
	Key []string
	// NullsEqual is NULLS NOT DISTINCT.
	NullsEqual bool
	// Where is a SQL predicate, or empty.
	Where string
	// ID names the columns that identify a row; empty means the primary key.
	ID []string
	// Time, Email, Name and Amount each name a column, or are empty.
	Time, Email, Name, Amount string
	// Ignore names columns that are not compared between copies.
	Ignore []string
	// References are references to the table that no constraint declares.
	References []Declared
}

// Declared is a reference to the table that a person knows of.
type Declared struct {
	// Table has Columns that hold the id of a row of the scanned table, in the
	// order of Table.ID.
	Table   string
	Columns []string
	// Where is a SQL predicate over Table, or empty: only its rows refer, as in
	// pairs of a type and an id.
	Where string
	// Array is true where the one column is an array of ids.
	Array bool
	// Deletes is true where a clean-up is to delete rows that refer: what hangs
	// on those is to be told then.
	Deletes bool
}

// Table is a request resolved against the catalogue.
type Table struct {
	// Name is the canonical name, with its schema where the engine has schemas.
	Name string
	// Kind says what the table is where it is none of the ordinary ones, as "a
	// view" or "spread over foreign tables"; else "".
	Kind string
	// Columns are all columns in the table's order.
	Columns []Column
	// Key is resolved: every part is a column of Columns or an expression.
	Key key.Key
	// ID names the identifying columns: of Columns, or the engine's own row
	// identity ("ctid", "rowid", "line") where there is no primary key.
	ID []string
	// Rowid is the name under which SQLite's rowid can be read and written, ""
	// where there is none; an undo puts rows back under the rowid they had.
	Rowid string
	// Time, Email, Name and Amount are columns of Columns, or empty.
	Time, Email, NameColumn, Amount string
	// Ignore are columns of Columns.
	Ignore []string
	// EstimatedRows and Bytes are the catalogue's guess; 0 where it has none.
	EstimatedRows, Bytes int64
	// UniqueBy names valid unique indexes or constraints that already forbid
	// a second row with this key.
	UniqueBy []string
	// IncomingKeys are the foreign keys that refer to this table, and after
	// them the references that were declared.
	IncomingKeys []ForeignKey
	// Triggers names the triggers that a DELETE or INSERT here would fire,
	// UpdateTriggers those that an UPDATE would.
	Triggers, UpdateTriggers []string
	// Facts is nil where the engine has no such catalogue.
	Facts *Facts
}

// Column is one column as the catalogue has it.
type Column struct {
	Name string
	// Type is the engine's name of the type, "text" for a file.
	Type string
	// NotNull is true where the column refuses NULL.
	NotNull bool
	// Generated is true for a column that the engine computes and that cannot be written.
	Generated bool
	// Identity is "always" or "by-default" for an identity column of Postgres, else "".
	Identity string
}

// ForeignKey is a reference to the table from another.
type ForeignKey struct {
	Name, Table string
	// Columns of Table refer to References of the scanned table, pairwise.
	Columns, References []string
	// OnDelete is "no action", "restrict", "cascade", "set null" or "set
	// default"; "" where no constraint declares the reference.
	OnDelete string
	// Where and Array are those of a Declared reference.
	Where string
	Array bool
	// Deletes is that of a Declared reference, also where a constraint says the same.
	Deletes bool
}

// ColumnNames returns the names of all columns in order.
func (t *Table) ColumnNames() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// Capabilities says how a source finds repeated keys in one table.
type Capabilities struct {
	// Vague is true where locators of Prints are not those of single rows, so
	// that several may have the same one; the source is a Placer then.
	Vague bool
	// FindsRepeats is true where Repeats is the way to take; the source is a Finder then.
	FindsRepeats bool
	// Way names the way in one or two words, as "packed" or "file order".
	Way string
	// Reason says in one sentence why this way and no other.
	Reason string
}

// Print is what is carried away of a row: enough to see that its key was
// there before and to find the row again.
type Print struct {
	// Hash is equal for keys that the database calls equal.
	Hash uint64
	// Locator finds the row again in this snapshot, by Place where the
	// source's locators are vague. It is below 1<<48.
	Locator uint64
}

// Pass is one of several readings of a table, each for a share of the
// fingerprints, so that memory stays bounded. A row belongs to the pass
// Hash % Of == Index. The zero Pass has all rows.
type Pass struct{ Index, Of uint64 }

// Holds tells whether a fingerprint belongs to the pass.
func (p Pass) Holds(hash uint64) bool { return p.Of <= 1 || hash%p.Of == p.Index }

// Count is what one reading of a table saw.
type Count struct {
	// Rows is the number of rows read that the predicate holds for, those of other passes included.
	Rows int64
	// NullKeys of them were left out because their key holds a NULL.
	NullKeys int64
	// BadLines is the number of lines of a file that were skipped as unreadable.
	BadLines int64
}

// Value is one value as the database prints it. Bytes that are not UTF-8 are
// written \xNN.
type Value struct {
	Text string
	Null bool
}

// Row is one candidate row.
type Row struct {
	// Group is the same for rows of one Fetch that are equal under the key.
	Group int
	// Locator is the one it was fetched by.
	Locator uint64
	// ID and Key are in the order of Table.ID and Table.Key.Parts, Values in
	// that of Table.Columns.
	ID, Key, Values []Value
	// Image is the whole row in the engine's own lossless writing, or a digest
	// of it: what a later clean-up compares before it touches the row.
	// Postgres: "sha256:" and hex of the row's text. SQLite: "quote:" and the
	// columns' quote() values joined by commas. Files: "sha256:" and hex of the record's bytes.
	Image string
}
