package plan

import "fmt"

// repoint deals with the rows that refer to a row that goes, as declared: they
// refer to the survivor, or go too, or refer to nothing. Each is kept as it was.
func repoint(r *Reference, hazards []Hazard) Operation {
	return Operation{
		Op: OpRepoint, Hazards: union(hazards), Inverse: OpPutBack, Rows: int(r.Rows), Table: r.Table, Reference: &r.Number,
		Does: r.does() + ", and keeps each as it was",
	}
}

func (r *Reference) does() string {
	rows := fmt.Sprintf("%s of %s", Count(int(r.Rows), "row"), r.describes())
	switch {
	case r.Array:
		return r.doesLists(rows)
	case r.Action == DeleteRow:
		return "deletes " + rows + " with the row that " + Verb(int(r.Rows), "it refers", "they refer") + " to"
	case r.Action == SetNull:
		return "makes " + rows + " refer to nothing"
	case r.Dropped == 0:
		return "points " + rows + " at the survivors"
	}
	what := "deletes %d that would collide with rows that are there"
	if r.OnConflict == Merge {
		what = "merges %d into rows that are there"
	}
	return fmt.Sprintf("of %s, points %d at the survivors and "+what, rows, r.Rows-r.Dropped, r.Dropped)
}

// putBack puts rows that were changed or deleted beside the planned ones back
// as they were. It is the inverse of repoint, merge and set.
func putBack(o Operation) Operation {
	return Operation{
		Op: OpPutBack, Hazards: []Hazard{}, Inverse: o.Op, Rows: o.Rows, Table: o.Table, Reference: o.Reference,
		Does: fmt.Sprintf("puts %s back as %s", Count(o.Rows, "row"), Verb(o.Rows, "it was", "they were")),
	}
}
