package sourcetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

func testPasses(t *testing.T, a Adapter) {
	d := many(1_000, 10)
	src, table := open(t, a, d)
	tab := inspect(t, src, source.Request{Table: table, Key: []string{"event"}})
	want := expected(d, false, "event")
	find(t, src, tab, 3).check(t, d, want)
	find(t, src, tab, 1).check(t, d, want)
	if src.Capabilities(tab).FindsRepeats {
		return // such a source reads without passes
	}
	whole, _ := prints(t, src, tab, source.Pass{})
	left := map[source.Print]int{}
	for _, p := range whole {
		left[p]++
	}
	for i := range uint64(3) {
		part, count := prints(t, src, tab, source.Pass{Index: i, Of: 3})
		if count.Rows != int64(len(d.Rows)) {
			t.Errorf("pass %d counted %d rows, want all %d", i, count.Rows, len(d.Rows))
		}
		for _, p := range part {
			if left[p] == 0 {
				t.Fatalf("pass %d has %+v, which the whole has not, or another pass had", i, p)
			}
			if left[p]--; left[p] == 0 {
				delete(left, p)
			}
		}
	}
	if len(left) > 0 {
		t.Errorf("%d rows are in no pass", len(left))
	}
}

func testRefetch(t *testing.T, a Adapter) {
	d := tickets()
	src, table := open(t, a, d)
	tab := inspect(t, src, source.Request{Table: table, Key: []string{"payment"}, NullsEqual: true})
	clusters, _ := clusters(t, src, tab, 1)
	var first, second, reversed found
	for _, cluster := range clusters {
		first.fetch(t, src, tab, cluster)
	}
	all := slices.Concat(clusters...)
	second.fetch(t, src, tab, all)
	slices.Reverse(all)
	reversed.fetch(t, src, tab, all)
	if diff := cmp.Diff(images(first), images(second)); diff != "" {
		t.Errorf("rows fetched by cluster and at once differ:\n%s", diff)
	}
	if diff := cmp.Diff(images(first), images(reversed)); diff != "" {
		t.Errorf("rows fetched in reverse differ:\n%s", diff)
	}
	if err := src.Fetch(t.Context(), tab, nil, func(row source.Row) error {
		t.Errorf("fetching nothing gave row %v", row.ID)
		return nil
	}); err != nil {
		t.Errorf("fetching nothing: %v", err)
	}
}

// images maps the id of each row to its image and values.
func images(f found) map[string]string {
	out := map[string]string{}
	for _, row := range f.rows {
		out[idOf(row)] = row.Image
	}
	return out
}

func testImages(t *testing.T, a Adapter) {
	values := append(hostileTexts(), null)
	d := single("images", "v", values...)
	d.Columns = append(d.Columns, Column{"same", Text})
	for i := range d.Rows {
		d.Rows[i] = append(d.Rows[i], new("s"))
	}
	d.Columns[0].Name = "number" // so that rows differ in v alone
	d.Columns = append(d.Columns, Column{"id", Integer})
	d.PrimaryKey = []string{"id"}
	for i := range d.Rows {
		d.Rows[i] = append(d.Rows[i], d.Rows[i][0])
		d.Rows[i][0] = new("7")
	}
	src, table := open(t, a, d)
	tab := inspect(t, src, source.Request{Table: table, Key: []string{"same"}})
	byImage := images(find(t, src, tab, 1))
	if len(byImage) != len(values) {
		t.Fatalf("fetched %d rows, want %d", len(byImage), len(values))
	}
	seen := map[string]bool{}
	for image := range maps.Values(byImage) {
		if !strings.HasPrefix(image, a.ImagePrefix) || seen[image] {
			t.Errorf("image %q lacks the prefix %q or is another row's too", image, a.ImagePrefix)
		}
		seen[image] = true
	}
}

func testSQL(t *testing.T, a Adapter) {
	d := tickets()
	src, table := open(t, a, d)
	expression := source.Request{Table: table, Key: []string{"upper(payment)", "number"}}
	predicate := source.Request{Table: table, Key: []string{"payment"}, Where: "amount = 4500 -- a comment"}
	if a.NoSQL {
		for _, req := range []source.Request{expression, predicate} {
			_, err := src.Inspect(t.Context(), req)
			wantProblem(t, err, key.CodeUnsupported, "")
		}
		return
	}
	tab := inspect(t, src, expression)
	if want := []key.Part{{Text: "upper(payment)", Expression: true}, {Text: "number"}}; !cmp.Equal(want, tab.Key.Parts) {
		t.Errorf("key parts are %+v", tab.Key.Parts)
	}
	find(t, src, tab, 1).check(t, d, []group{{Key: []source.Value{{Text: "PI_B"}, {Text: "1"}}, IDs: []string{"102", "105", "112"}}})
	tab = inspect(t, src, predicate)
	f := find(t, src, tab, 1)
	f.check(t, d, []group{{Key: []source.Value{{Text: "pi_b"}}, IDs: []string{"102", "105"}}})
	if want := (source.Count{Rows: 4, NullKeys: 1}); f.count != want {
		t.Errorf("count is %+v, want %+v", f.count, want)
	}
	for _, bad := range []source.Request{
		{Table: table, Key: []string{"payment"}, Where: "no_such_column = 1"},
		{Table: table, Key: []string{"payment"}, Where: "amount = "},
		{Table: table, Key: []string{"payment"}, Where: "1=1); DROP TABLE tickets; --"},
		{Table: table, Key: []string{"nonsense(payment)"}},
		{Table: table, Key: []string{"count(*)"}},
	} {
		var p *key.Problem
		if _, err := src.Inspect(t.Context(), bad); !errors.As(err, &p) || p.Hint == "" {
			t.Errorf("key %q where %q: got %v, want a problem with a hint", bad.Key, bad.Where, err)
		}
	}
}

func testVisitError(t *testing.T, a Adapter) {
	d := many(5_000, 10)
	src, table := open(t, a, d)
	tab := inspect(t, src, source.Request{Table: table, Key: []string{"event"}})
	stop := errors.New("stop here")
	calls := 0
	var err error
	if finder, ok := src.(source.Finder); ok && src.Capabilities(tab).FindsRepeats {
		_, err = finder.Repeats(t.Context(), tab, func([]uint64) error { calls++; return stop })
	} else {
		_, err = src.Prints(t.Context(), tab, source.Pass{}, func([]source.Print) error { calls++; return stop })
	}
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("got %v after %d calls, want the visitor's error after one", err, calls)
	}
	f := find(t, src, tab, 1) // the source is still usable
	f.check(t, d, expected(d, false, "event"))
	calls = 0
	all, _ := clusters(t, src, tab, 1)
	err = src.Fetch(t.Context(), tab, slices.Concat(all...), func(source.Row) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("fetch: got %v after %d calls, want the visitor's error after one", err, calls)
	}
}

func testCancelled(t *testing.T, a Adapter) {
	src, table := open(t, a, many(5_000, 10))
	req := source.Request{Table: table, Key: []string{"event"}}
	tab := inspect(t, src, req)
	locators, _ := clusters(t, src, tab, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := src.Inspect(ctx, req); !errors.Is(err, context.Canceled) {
		t.Errorf("inspect: got %v, want context.Canceled", err)
	}
	var err error
	if finder, ok := src.(source.Finder); ok && src.Capabilities(tab).FindsRepeats {
		_, err = finder.Repeats(ctx, tab, func([]uint64) error { return nil })
	} else {
		_, err = src.Prints(ctx, tab, source.Pass{}, func([]source.Print) error { return nil })
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("reading: got %v, want context.Canceled", err)
	}
	err = src.Fetch(ctx, tab, slices.Concat(locators...), func(source.Row) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("fetch: got %v, want context.Canceled", err)
	}
}

func testClosed(t *testing.T, a Adapter) {
	src, table := a.Open(t, tickets())
	tab := inspect(t, src, source.Request{Table: table, Key: []string{"payment"}})
	if err := src.Close(); err != nil {
		t.Fatalf("closing: %v", err)
	}
	if err := src.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if _, err := src.Inspect(t.Context(), source.Request{Table: table, Key: []string{"payment"}}); err == nil {
		t.Error("inspect after Close gave no error")
	}
	if _, err := src.Prints(t.Context(), tab, source.Pass{}, func([]source.Print) error { return nil }); err == nil {
		t.Error("prints after Close gave no error")
	}
}

func testSnapshot(t *testing.T, a Adapter) {
	d := tickets()
	src, table := open(t, a, d)
	tab := inspect(t, src, source.Request{Table: table, Key: []string{"payment", "number"}})
	if a.Append == nil {
		find(t, src, tab, 1).check(t, d, expected(d, false, "payment", "number"))
		return
	}
	late := slices.Clone(d.Rows[0])
	late[0] = new("999")
	a.Append(t, d, [][]*string{late})
	f := find(t, src, tab, 1)
	f.check(t, d, expected(d, false, "payment", "number"))
	if f.count.Rows != int64(len(d.Rows)) {
		t.Errorf("counted %d rows, want the %d of the snapshot", f.count.Rows, len(d.Rows))
	}
}
