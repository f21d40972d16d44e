package expect

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPaths(t *testing.T) {
	const document = `{"status":"noop","n":1.0,"big":9007199254740993,"none":null,"ok":true,
		"entry":[{"changes":[{"value":{"messages":[{"id":"wamid.1"},{"id":"wamid.2"}]}}]},{"changes":[]}]}`
	for _, test := range []struct {
		path         string
		want         any
		holds, found bool
	}{
		{"status", "noop", true, true},
		{"status", "done", false, true},
		{"state", "noop", false, false},
		{"status.deeper", "noop", false, false},
		{"n", json.Number("1"), true, true},
		{"n", "1", false, true},
		{"big", json.Number("9007199254740992"), false, true},
		{"big", json.Number("9007199254740993"), true, true},
		{"none", nil, true, true},
		{"status", nil, false, true},
		{"ok", true, true, true},
		{"entry[].changes[].value.messages[].id", "wamid.2", true, true},
		{"entry[0].changes[0].value.messages[0].id", "wamid.2", false, true},
		{"entry.0.changes.0.value.messages.1.id", "wamid.2", true, true},
		{"entry[7].changes", "x", false, false},
		{"entry", "x", false, true},
	} {
		path, err := ParsePath(test.path)
		if err != nil {
			t.Fatal(err)
		}
		holds, found := Want{path, test.want}.In(NewBody([]byte(document), false))
		if holds != test.holds || found != test.found {
			t.Errorf("%s = %v: holds %v, found %v", test.path, test.want, holds, found)
		}
	}
	array, err := ParsePath("[].id")
	if err != nil {
		t.Fatal(err)
	}
	if holds, _ := (Want{array, "b"}).In(NewBody([]byte(`[{"id":"a"},{"id":"b"}]`), false)); !holds {
		t.Error("an array at the top is not looked into")
	}
	for _, bad := range []string{"", "a..b", ".a", "a.", "a[", "a[x]", "a[1", "a.[0]", "a[-1]", "a]b["} {
		if _, err := ParsePath(bad); err == nil {
			t.Errorf("%q was taken for a path", bad)
		}
	}
}

func TestStatuses(t *testing.T) {
	set := Statuses{}
	for _, text := range []string{"200", "204", "4xx"} {
		s, err := ParseStatus(text)
		if err != nil {
			t.Fatal(err)
		}
		set = append(set, s...)
	}
	for status, want := range map[int]bool{200: true, 201: false, 204: true, 400: true, 499: true, 500: false, 0: false} {
		if set.Has(status) != want {
			t.Errorf("%d: %v", status, !want)
		}
	}
	if diff := cmp.Diff("200, 204, 4xx", set.String()); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "2x", "xx2", "99", "600", "6xx", "0xx", "2xxx", "ok"} {
		if _, err := ParseStatus(bad); err == nil {
			t.Errorf("%q was taken for a status", bad)
		}
	}
}

func TestMatchOfBodiesThatAreNotJSON(t *testing.T) {
	path, _ := ParsePath("status")
	noop := Want{path, "noop"}
	inserted := Response{NotJSON: []Want{noop}}
	replayed := Response{JSON: []Want{noop}}
	for _, test := range []struct {
		name               string
		body               *Body
		inserted, replayed bool
	}{
		{"empty", NewBody(nil, false), true, false},
		{"html", NewBody([]byte("<p>noop"), false), true, false},
		{"two documents", NewBody([]byte(`{"status":"noop"}{}`), false), true, false},
		{"noop", NewBody([]byte(`{"status":"noop"}`), false), false, true},
		{"torn", NewBody([]byte(`{"status":"noop"}`), true), false, false},
	} {
		if got := inserted.Match(200, nil, test.body); got != test.inserted {
			t.Errorf("%s: not_json matches %v", test.name, got)
		}
		if got := replayed.Match(200, nil, test.body); got != test.replayed {
			t.Errorf("%s: json matches %v", test.name, got)
		}
	}
	if inserted.Match(0, nil, NewBody(nil, false)) {
		t.Error("a missing answer matches")
	}
}

func TestCounts(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	between := Count{AtLeast: n(1), AtMost: n(3)}
	got := []Outcome{between.Of(0), between.Of(1), between.Of(3), between.Of(4), Count{Exactly: n(1)}.Of(2), Count{AtLeast: n(1)}.Of(99)}
	if diff := cmp.Diff([]Outcome{TooFew, Right, Right, TooMany, TooMany, Right}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("at least 1, at most 3", between.String()); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []Count{{}, {Exactly: n(-1)}, {Exactly: n(1), AtMost: n(1)}, {AtLeast: n(3), AtMost: n(2)}} {
		if bad.Check() == nil {
			t.Errorf("%v was taken for a count", bad)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"a.b", "entry[].changes[0].id", "a[", "[]", "a.0"} {
		f.Add(seed, `{"a":{"b":[1,{"c":null}]}}`)
	}
	f.Fuzz(func(t *testing.T, text, document string) {
		path, err := ParsePath(text)
		if err != nil {
			return
		}
		if path.String() != text || len(path.steps) == 0 {
			t.Fatalf("%q became %v", text, path.steps)
		}
		if holds, found := (Want{path, "x"}).In(NewBody([]byte(document), false)); holds && !found {
			t.Fatal("holds without being found")
		}
	})
}
