package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// readObjects reads all lines; bad is the number of those that cannot be.
func readObjects(t *testing.T, data []byte, chunk int) (header []string, rows [][]*string, offsets []int64, bad []string) {
	t.Helper()
	n := &names{place: map[string]int{}, grows: true}
	j := newJSONLines(bytes.NewReader(data), n, false, chunk)
	for {
		rec, err := j.next()
		if errors.Is(err, io.EOF) {
			return n.list, rows, offsets, bad
		}
		if b, ok := errors.AsType[*badRecord](err); ok {
			bad = append(bad, b.Error())
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var row []*string
		for _, f := range rec.fields {
			row = append(row, nil)
			if !f.null {
				row[len(row)-1] = new(string(f.text))
			}
		}
		rows = append(rows, row)
		offsets = append(offsets, rec.offset)
	}
}

func FuzzJSONLines(f *testing.F) {
	for _, s := range []string{
		`{"a":1}`, "{\"a\":\"x\",\"b\":null}\n{\"b\":[1,{\"c\":\"]}\"}]}\r\n", `{"a":"\u00e9\ud83c\udf9f\\\"\/\n"}`, `{"a":"\ud800"}`, `{"a":1,"a":2}`,
		"[]\n{}\n \n{\"a\":1e400 , \"\":2}", `{"a":true,"b":-0.0,"c":{}}x`, "{\n\"a\":1\n}", `{"\u0061":1}`, "\x00", `{"a":"` + "\xff" + `"}`,
	} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, chunk uint8) {
		header, rows, offsets, bad := readObjects(t, data, int(chunk)+1)
		wholeHeader, whole, _, wholeBad := readObjects(t, data, len(data)+1)
		if diff := cmp.Diff([]any{wholeHeader, whole, wholeBad}, []any{header, rows, bad}); diff != "" {
			t.Fatalf("the chunk's size makes a difference:\n%s", diff)
		}
		n := &names{list: header, place: map[string]int{}}
		for i, name := range header {
			n.place[name] = i
		}
		j := newJSONLines(bytes.NewReader(data), n, false, 2)
		for i, offset := range slices.Backward(offsets) {
			j.seek(offset, 1)
			rec, err := j.next()
			if err != nil {
				t.Fatalf("record %d at %d: %v", i, offset, err)
			}
			checkObject(t, rec, header)
		}
	})
}

// checkObject compares a record with what encoding/json makes of its bytes.
func checkObject(t *testing.T, rec *record, header []string) {
	t.Helper()
	if !utf8.Valid(rec.raw) {
		return // encoding/json replaces such bytes, we keep them
	}
	var want map[string]json.RawMessage
	if err := json.Unmarshal(rec.raw, &want); err != nil {
		t.Fatalf("%s: %v", rec.raw, err)
	}
	for i, name := range header {
		raw, there := want[name]
		text, null := string(raw), !there || string(raw) == "null"
		if strings.HasPrefix(text, `"`) {
			if err := json.Unmarshal(raw, &text); err != nil {
				t.Fatal(err)
			}
		}
		if got := rec.fields[i]; got.null != null || !null && string(got.text) != text {
			t.Fatalf("%s: %s is %q (null %v), want %q (null %v)", rec.raw, name, got.text, got.null, text, null)
		}
	}
}

func TestWhatJSONLinesMean(t *testing.T) {
	header, rows, _, bad := readObjects(t, []byte(strings.Join([]string{
		`{"id": 1, "v": "a\tb", "n": 1.50}`, ``, `{"v": null, "more": {"x": [1, "}"]}, "id": "1"}`, `{"id": true}`, `{}`,
		`{"id": 1`, `[1]`, `{"id": 1, "id": 2}`, `{"id": "\udc00"}`, `{"": 1}`, `{"v": "\ud83c\udf9f"}`,
	}, "\n")), 7)
	if diff := cmp.Diff([]string{"id", "v", "n", "more"}, header); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	want := [][]*string{
		{new("1"), new("a\tb"), new("1.50")},
		{new("1"), nil, nil, new(`{"x": [1, "}"]}`)},
		{new("true"), nil, nil, nil},
		{nil, nil, nil, nil},
		{nil, new("🎟"), nil, nil},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	wantBad := []string{
		"line 6 is not a whole JSON object", "line 7 is not a JSON object", `line 8 has the name "id" twice`,
		"line 9 has half a surrogate pair in a string", "line 10 has a value without a name",
	}
	if diff := cmp.Diff(wantBad, bad); diff != "" {
		t.Errorf("bad lines (-want +got):\n%s", diff)
	}
}
