package source

import "context"

// Cataloguer is a Source that tells of all its tables from its catalogue and
// its statistics, reading no table.
type Cataloguer interface {
	Source
	// Catalogue returns the tables that hold a person's rows, without those of
	// the engine itself and without the partitions of others.
	Catalogue(ctx context.Context) ([]CatalogueTable, error)
}

// CatalogueTable is one table as the catalogue has it.
type CatalogueTable struct {
	// Name is written as a Request takes it.
	Name string
	// Bare is the name alone, without schema and quotes.
	Bare string
	// Rows is the engine's estimate; -1 where it has none.
	Rows    int64
	Columns []CatalogueColumn
	Indexes []CatalogueIndex
}

// CatalogueColumn is one column and what statistics know of it.
type CatalogueColumn struct {
	Name, Type string
	NotNull    bool
	// Refers names the table that a foreign key of this column alone or with
	// others refers to, else "".
	Refers string
	// Distinct is the share of distinct values among those that are not NULL,
	// 0 to 1; -1 where there are no statistics.
	Distinct float64
	// Nulls is the share of NULLs, 0 to 1; -1 where there are no statistics.
	Nulls float64
	// Width is the average size of a value in bytes, 0 where it is not known.
	Width int
	// Prefix is what the ids of another system begin with, as "pi_", where the
	// statistics' samples look like such; "uuid" for UUIDs kept as text.
	Prefix string
}

// CatalogueIndex is one unique index.
type CatalogueIndex struct {
	Name string
	// Parts are the key columns, or expressions as the catalogue prints them.
	Parts []CataloguePart
	// Where is the predicate of a partial index, else "".
	Where string
	// Primary is true for the primary key. Valid is false for an index whose
	// build failed, and Enforces is false where it does not even stop new rows.
	Primary, Valid, Enforces bool
	// NullsEqual is NULLS NOT DISTINCT.
	NullsEqual bool
	// Stale are collations that changed since the index was built.
	Stale []StaleCollation
}

// CataloguePart is one key column of an index.
type CataloguePart struct {
	Text       string
	Expression bool
}

// StaleCollation is a collation whose version is not the one recorded.
type StaleCollation struct{ Name, Recorded, Actual string }
