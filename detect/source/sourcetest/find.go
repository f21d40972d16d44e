package sourcetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/source"
)

// group is a repeated key and the ids of its rows in ascending order of text.
type group struct {
	Key []source.Value
	IDs []string
}

// expected groups the rows of a dataset by equal text of the key's columns.
func expected(d Dataset, nullsEqual bool, columns ...string) []group {
	byKey := map[string]*group{}
	for _, row := range d.Rows {
		var name strings.Builder
		var values []source.Value
		null := false
		for _, c := range columns {
			v := value(row[d.index(c)])
			null = null || v.Null
			values = append(values, v)
			name.WriteString(v.Text + "\x00" + map[bool]string{true: "null"}[v.Null] + "\x00")
		}
		if null && !nullsEqual {
			continue
		}
		g := byKey[name.String()]
		if g == nil {
			g = &group{Key: values}
			byKey[name.String()] = g
		}
		g.IDs = append(g.IDs, *row[d.index("id")])
	}
	return repeated(byKey)
}

func repeated[K comparable](byKey map[K]*group) []group {
	var out []group
	for _, g := range byKey {
		if len(g.IDs) > 1 {
			slices.Sort(g.IDs)
			out = append(out, *g)
		}
	}
	slices.SortFunc(out, func(a, b group) int { return strings.Compare(a.IDs[0], b.IDs[0]) })
	return out
}

func (d Dataset) index(column string) int {
	return slices.IndexFunc(d.Columns, func(c Column) bool { return c.Name == column })
}

func value(text *string) source.Value {
	if text == nil {
		return source.Value{Null: true}
	}
	return source.Value{Text: *text}
}

// found is what a source says of one table.
type found struct {
	groups []group
	rows   []source.Row
	count  source.Count
	// columns are the table's, in the order of the rows' values.
	columns []string
}

// find does what the scan does: clusters of equal fingerprints, or the
// source's own, then Fetch in batches of a few clusters.
func find(t *testing.T, src source.Source, table *source.Table, passes uint64) found {
	t.Helper()
	clusters, count := clusters(t, src, table, passes)
	f := found{count: count, columns: table.ColumnNames()}
	for batch := range slices.Chunk(clusters, 7) {
		f.fetch(t, src, table, slices.Concat(batch...))
	}
	slices.SortFunc(f.groups, func(a, b group) int { return strings.Compare(a.IDs[0], b.IDs[0]) })
	return f
}

// clusters returns the locators of the rows of each repeated fingerprint or key.
func clusters(t *testing.T, src source.Source, table *source.Table, passes uint64) ([][]uint64, source.Count) {
	t.Helper()
	caps := src.Capabilities(table)
	if caps.Way == "" || caps.Reason == "" {
		t.Errorf("capabilities %+v do not say which way and why", caps)
	}
	if caps.FindsRepeats {
		return ownClusters(t, src, table)
	}
	return printedClusters(t, src, table, passes)
}

func ownClusters(t *testing.T, src source.Source, table *source.Table) ([][]uint64, source.Count) {
	t.Helper()
	finder, ok := src.(source.Finder)
	if !ok {
		t.Fatal("capabilities say that the source finds repeats, but it is no Finder")
	}
	var out [][]uint64
	count, err := finder.Repeats(t.Context(), table, func(cluster []uint64) error {
		checkLocators(t, cluster)
		out = append(out, slices.Clone(cluster))
		return nil
	})
	if err != nil {
		t.Fatalf("finding repeats: %v", err)
	}
	return out, count
}

func printedClusters(t *testing.T, src source.Source, table *source.Table, passes uint64) ([][]uint64, source.Count) {
	t.Helper()
	byHash := map[uint64][]uint64{}
	var total source.Count
	for i := range max(passes, 1) {
		pass := source.Pass{}
		if passes > 1 {
			pass = source.Pass{Index: i, Of: passes}
		}
		prints, count := prints(t, src, table, pass)
		for _, p := range prints {
			byHash[p.Hash] = append(byHash[p.Hash], p.Locator)
		}
		total = count
	}
	if src.Capabilities(table).Vague {
		return placed(t, src, table, byHash), total
	}
	var out [][]uint64
	for _, cluster := range byHash {
		checkLocators(t, cluster)
		if len(cluster) > 1 {
			out = append(out, cluster)
		}
	}
	return out, total
}

// placed has the source look again for the rows of fingerprints that repeat.
func placed(t *testing.T, src source.Source, table *source.Table, byHash map[uint64][]uint64) [][]uint64 {
	t.Helper()
	placer, ok := src.(source.Placer)
	if !ok {
		t.Fatal("capabilities say that locators are vague, but the source is no Placer")
	}
	var repeated []uint64
	for _, locators := range byHash {
		if len(locators) > 1 {
			repeated = append(repeated, locators...)
		}
	}
	clusters, err := placer.Place(t.Context(), table, repeated)
	if err != nil {
		t.Fatalf("finding the rows of %d fingerprints: %v", len(repeated), err)
	}
	return clusters
}

func prints(t *testing.T, src source.Source, table *source.Table, pass source.Pass) ([]source.Print, source.Count) {
	t.Helper()
	var all []source.Print
	count, err := src.Prints(t.Context(), table, pass, func(batch []source.Print) error {
		for _, p := range batch {
			if !pass.Holds(p.Hash) {
				t.Fatalf("fingerprint %d is not of pass %+v", p.Hash, pass)
			}
		}
		all = append(all, batch...)
		return nil
	})
	if err != nil {
		t.Fatalf("reading fingerprints: %v", err)
	}
	return all, count
}

func checkLocators(t *testing.T, locators []uint64) {
	t.Helper()
	for _, l := range locators {
		if l >= 1<<48 {
			t.Fatalf("locator %d is not below 1<<48", l)
		}
	}
}

// fetch reads one batch and adds its groups of two rows and more.
func (f *found) fetch(t *testing.T, src source.Source, table *source.Table, locators []uint64) {
	t.Helper()
	asked := map[uint64]bool{}
	for _, l := range locators {
		asked[l] = true
	}
	byGroup := map[int]*group{}
	last := -1
	err := src.Fetch(t.Context(), table, locators, func(row source.Row) error {
		if !asked[row.Locator] {
			t.Errorf("row with locator %d was not asked for, or came twice", row.Locator)
		}
		delete(asked, row.Locator)
		g := byGroup[row.Group]
		switch {
		case g == nil:
			g = &group{Key: row.Key}
			byGroup[row.Group] = g
		case row.Group != last:
			t.Errorf("rows of group %d do not come one after another", row.Group)
		}
		last = row.Group
		g.IDs = append(g.IDs, idOf(row))
		f.rows = append(f.rows, row)
		return nil
	})
	if err != nil {
		t.Fatalf("fetching %d rows: %v", len(locators), err)
	}
	f.groups = append(f.groups, repeated(byGroup)...)
}

func idOf(row source.Row) string {
	if len(row.ID) != 1 {
		return ""
	}
	return row.ID[0].Text
}

// check compares what was found with what ought to be, key values and all
// values of every row included.
func (f found) check(t *testing.T, d Dataset, want []group) {
	t.Helper()
	if diff := cmp.Diff(want, f.groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	byID := map[string][]*string{}
	for _, row := range d.Rows {
		byID[*row[d.index("id")]] = row
	}
	for _, row := range f.rows {
		f.checkValues(t, d, byID[idOf(row)], row)
	}
}

// checkValues goes by the columns' names: a source without a schema orders them itself.
func (f found) checkValues(t *testing.T, d Dataset, want []*string, row source.Row) {
	t.Helper()
	if want == nil || len(row.Values) != len(d.Columns) {
		t.Errorf("row %v has %d values for %d columns", row.ID, len(row.Values), len(d.Columns))
		return
	}
	for i, c := range d.Columns {
		place := slices.Index(f.columns, c.Name)
		if place < 0 {
			t.Errorf("no column %q among %q", c.Name, f.columns)
			continue
		}
		if got := row.Values[place]; !sameValue(c.Kind, value(want[i]), got) {
			t.Errorf("row %v, column %q: got %+v, want %+v", row.ID, c.Name, got, value(want[i]))
		}
	}
}

// sameValue compares text exactly and times by the instant they name, since
// each engine prints them in its own way.
func sameValue(kind Kind, want, got source.Value) bool {
	if kind != Time || want.Null || got.Null {
		return want == got
	}
	a, errA := source.ParseInstant(want.Text)
	b, errB := source.ParseInstant(got.Text)
	return errA == nil && errB == nil && a.Time.Equal(b.Time)
}
