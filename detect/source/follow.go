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
