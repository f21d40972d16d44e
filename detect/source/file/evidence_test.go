package file

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/source"
)

func TestTimelineAndKeys(t *testing.T) {
	path := write(t, "t.csv", "id,k,at\n1,a,2025-01-01T00:10:00Z\n2,,2025-01-01 01:10:00\nbad\n3,\"\",never\n4,b,2999-01-01\n")
	src := openFile(t, path, Options{SkipBadLines: true})
	table := inspect(t, src, source.Request{Key: []string{"k"}, Time: "at"})
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	line, err := src.Timeline(t.Context(), table, source.Window{From: from, Width: time.Hour, Buckets: 1, Now: from.Add(100 * time.Hour)})
	want := source.Timeline{Counts: []int64{1}, After: 1, Last: from.Add(70 * time.Minute)}
	if diff := cmp.Diff(want, line); diff != "" || err != nil {
		t.Errorf("timeline %v (-want +got):\n%s", err, diff)
	}
	var keys []source.Value
	if err := src.Keys(t.Context(), table, func(v []source.Value) error { keys = append(keys, v[0]); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]source.Value{{Text: "a"}, {Null: true}, {Text: ""}, {Text: "b"}}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}
