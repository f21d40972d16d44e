package source

// Facts are what the catalogue says of a table that a clean-up must know
// before its first change.
type Facts struct {
	// PartitionKey names the columns that the table and its parts are
	// partitioned by; "an expression" stands for one.
	PartitionKey []string
	// RefusesDelete names publications under which a DELETE is refused, because
	// the table has no replica identity.
	RefusesDelete []string
	// Rules names the rules of the table that do something instead of a change, or
	// at an INSERT: rows could not be deleted and put back exactly.
	Rules []string
	// RowSecurity is "on", "forced" (for the owner too), or "".
	RowSecurity string
	// Inert and Enforcing name unique indexes whose build failed: the first
	// refuse nothing, the others refuse writes all the same.
	Inert, Enforcing []string
	// Names are relations of the table's schema that are called as an index of
	// it would be.
	Names []string
	// Indexes are the definitions of indexes that can be dropped and built again
	// exactly as they are, by their names; of each other one Bound says why not.
	Indexes, Bound map[string]string
}
