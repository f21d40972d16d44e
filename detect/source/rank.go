package source

import (
	"context"

	"twinrow/detect/key"
)

// Ranker is a Source that evaluates a person's own SQL over single rows.
type Ranker interface {
	Source
	// Rank finds the rows with these ids, each in the order of Table.ID and as
	// text, and hands on where each stands. Places of rows handed on by one call
	// can be compared. A row that is not there, or that has a NULL in its id, is
	// left out. SQL that the database refuses is a usage Problem.
	Rank(ctx context.Context, t *Table, ask Ranking, ids [][]Value, visit func(Rank) error) error
}

// Ranking is what is asked of each row.
type Ranking struct {
	// Order are the terms of an ordering; empty gives every row the same place.
	Order []key.Term
	// Predicates are SQL conditions over the table's row.
	Predicates []string
}

// Rank is where one row stands.
type Rank struct {
	// Row is its place in the ids that were asked for.
	Row int
	// Place is 1 for the row that is first by the ordering, the same for rows
	// between which the ordering does not tell.
	Place int64
	// Holds tells for each predicate whether it is true of the row.
	Holds []bool
}

// RankBatch is how many rows a call of Rank is best asked about, so that no
// statement grows too large.
const RankBatch = 2000
