// Package sourcetest is the one conformance suite that every source passes.
// It owns the datasets, what ought to be found in them, and the checks; it
// must not know any engine: the adapter's own test loads a dataset into its
// real engine and opens it.
package sourcetest

import (
	"testing"

	"twinrow/detect/source"
)

// Kind says what a column of a dataset holds, so that the adapter can choose a type.
type Kind int

// The kinds. An adapter without types stores all of them as text.
const (
	// Integer is a whole number that fits 64 bits.
	Integer Kind = iota
	// Text is UTF-8 without NUL, of any length.
	Text
	// Time is RFC 3339 in UTC with up to microseconds.
	Time
)

// Column is one column of a dataset.
type Column struct {
	Name string
	Kind Kind
}

// Dataset is one table to be loaded: its rows are in the order of Columns,
// nil is NULL, and everything else is text as RFC 3339, decimal or itself.
type Dataset struct {
	// Table is a plain lower-case name.
	Table   string
	Columns []Column
	// PrimaryKey names columns; every dataset has one.
	PrimaryKey []string
	Rows       [][]*string
}

// Adapter is what one engine's test gives to Run.
type Adapter struct {
	// Engine is what Info.Engine must say.
	Engine string
	// ImagePrefix is what every Row.Image must begin with, as "sha256:".
	ImagePrefix string
	// Open loads the dataset into a fresh database or file and opens it. Run
	// closes the source. table is the name to ask for.
	Open func(t *testing.T, data Dataset) (src source.Source, table string)
	// Append adds rows to what the last Open loaded, from outside and
	// committed. Nil where the engine cannot keep a snapshot against writers.
	Append func(t *testing.T, data Dataset, rows [][]*string)
	// NoSQL is true where the source evaluates no expressions and predicates:
	// it must refuse them with CodeUnsupported and a hint.
	NoSQL bool
	// NoOrder is true where the source keeps no order of columns, as where every
	// row brings its own.
	NoOrder bool
	// NeverUnique is true where the source knows no unique index, as over a view.
	NeverUnique bool
}

// Run puts an adapter through every case of the suite.
func Run(t *testing.T, a Adapter) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Adapter)
	}{
		{"info", testInfo},
		{"names that do not exist", testUnknownNames},
		{"names are resolved", testResolvedNames},
		{"the identity can be chosen", testChosenID},
		{"groups", testGroups},
		{"composite key", testComposite},
		{"NULLs are distinct", testNullsDistinct},
		{"NULLs are not distinct", testNullsEqual},
		{"empty table", testEmpty},
		{"no repeated key", testUniqueKey},
		{"times", testTimes},
		{"hostile values", testHostileValues},
		{"hostile column names", testHostileColumns},
		{"two hundred columns", testWide},
		{"many rows", testManyRows},
		{"one large group", testLargeGroup},
		{"passes share the rows", testPasses},
		{"fetched again", testRefetch},
		{"images tell rows apart", testImages},
		{"expressions and predicates", testSQL},
		{"visit stops the reading", testVisitError},
		{"cancelled", testCancelled},
		{"closed", testClosed},
		{"one snapshot", testSnapshot},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, a) })
	}
}

// open loads the dataset and closes the source at the end of the test.
func open(t *testing.T, a Adapter, data Dataset) (source.Source, string) {
	t.Helper()
	src, table := a.Open(t, data)
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Errorf("closing the source: %v", err)
		}
	})
	return src, table
}

// inspect resolves a request that must be right.
func inspect(t *testing.T, src source.Source, req source.Request) *source.Table {
	t.Helper()
	table, err := src.Inspect(t.Context(), req)
	if err != nil {
		t.Fatalf("inspecting %q: %v", req.Table, err)
	}
	return table
}
