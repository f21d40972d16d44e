package dialect

// Step changes rows beside those that are deleted: rows that refer to them,
// survivors that take their values, surplus rows that stay.
type Step struct {
	// Doing is a gerund for people: "pointing rows of public.scans at the survivors".
	Doing string
	// Table is the canonical name of the table whose rows change.
	Table string
	// Prepare are statements that change nothing but twinrow's own tables.
	Prepare []string
	// Want counts the rows that the step must change.
	Want string
	// SQL changes them, and in Postgres keeps each as it was; it reports as many rows.
	SQL string
	// Keep writes down, in SQLite, what the rows are now; Sure is a condition
	// under which the change is seen to be made. Both are empty for Postgres.
	Keep []string
	Sure string
	// Deletes is true where rows go, false where they are updated.
	Deletes bool
	// number is the step's own, by which the way back finds its rows.
	number int
}

// Steps of one reference have numbers of their own, by which an undo takes
// them back in the reverse order; those of survivors and surplus rows come after all.
const (
	stepsAReference = 10
	stepDrop        = 1
	stepMerge       = 2
	stepMove        = 3
	stepSurvivors   = 1_000_000
	stepSet         = 1_000_001
)
