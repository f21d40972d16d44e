package casefile

// Facts are what the catalogue said of a table that a clean-up must know
// before its first change. Only Postgres has them.
type Facts struct {
	// PartitionKey names the columns that a partitioned table and its parts are
	// partitioned by; "an expression" stands for one.
	PartitionKey []string `json:"partition_key,omitempty"`
	// RefusesDelete names publications under which a DELETE is refused, because
	// the table has no replica identity.
	RefusesDelete []string `json:"refuses_delete,omitempty"`
	// Rules names the rules of the table that do something instead of a change, or
	// at an INSERT: rows could not be deleted and put back exactly.
	Rules []string `json:"rules,omitempty"`
	// RowSecurity is "on", "forced" (for the owner too), or "".
	RowSecurity string `json:"row_security,omitempty"`
	// Inert and Enforcing name unique indexes whose build failed: the first
	// refuse nothing, the others refuse writes all the same.
	Inert     []string `json:"inert_indexes,omitempty"`
	Enforcing []string `json:"enforcing_indexes,omitempty"`
	// Names are relations of the table's schema that are called as an index of
	// it would be.
	Names []string `json:"names,omitempty"`
	// Indexes are the definitions of indexes that can be dropped and built again
	// exactly as they are, by their names; of each other one Bound says why not.
	Indexes map[string]string `json:"indexes,omitempty"`
	Bound   map[string]string `json:"bound_indexes,omitempty"`
}
