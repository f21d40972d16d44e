package source

import "context"

// Follower is a Source that can be looked at again and again for what is new.
type Follower interface {
	Source
	// Follow prepares to look at the rows whose column is at or above a mark.
	// The Feed holds no snapshot, sees what is committed when it is asked, and
	// is used after the Source was closed.
	Follow(ctx context.Context, t *Table, column string) (Feed, error)
}

// Feed looks for groups among new rows. After an error that is a *key.Problem
// with CodeConnection or CodeBusy the next call connects anew.
type Feed interface {
	// Newest returns the column's value that lies below rows under the
	// greatest; the zero Mark where there are not so many rows.
	Newest(ctx context.Context, below int) (Mark, error)
	// Groups hands on the rows of every repeated key that a row at or above
	// from has, wherever in the table the others are; equal ones come one after
	// another with the same Row.Group. Of a group of more than MostOfGroup rows
	// so many are handed on. Keys may be left out of which a call before has
	// seen every row. Row.Image and Row.Locator are not set.
	Groups(ctx context.Context, from Mark, visit func(Row) error) error
	// Slow says in plain words which part of each look no index helps with.
	Slow() []string
	// Close ends the connection, if there is one.
	Close() error
}

// MostOfGroup is how many rows of one group a Feed hands on at most.
const MostOfGroup = 1000

// Mark is a value of the column that a Feed goes by. The zero Mark is below
// every value.
type Mark struct {
	// Type is the engine's own name for how Text is compared, "" where the
	// column settles it.
	Type, Text string
}

// Rememberer is a Feed that a memory spares reading the whole table.
type Rememberer interface {
	Feed
	// Forgetful is true where no index helps to find the other rows of a key, so
	// that Groups reads the whole table whenever there are new rows.
	Forgetful() bool
	// Remember reads every row once, in the snapshot of the Source, which is
	// still open, and fills the memory, which Groups goes by from then on.
	// from is the mark that Groups will be called with. seen hears how many rows
	// were read. It returns false where the memory has no room for all.
	Remember(ctx context.Context, from Mark, memory Memory, seen func(rows int64)) (bool, error)
}

// Memory holds the places of rows by the fingerprints of their keys. A place
// is the Feed's own number, below 1<<48-1. Rows may share a slot though their
// fingerprints differ, which then have the same Places.
type Memory interface {
	// Places are those of the rows with a fingerprint, at most MostOfGroup, and
	// the number of their slot; none where there is no such row.
	Places(hash uint64) (slot uint64, places []uint64)
	// Put adds a row. It returns false where there is no room, and then the
	// memory is no good any longer.
	Put(hash, place uint64) bool
	// Set exchanges the places of a fingerprint that is there.
	Set(hash uint64, places []uint64)
}
