package file

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// pages is what `aws dynamodb scan` prints, two pages of it.
const pages = `{
    "Items": [
        {"id": {"N": "1"}, "k": {"S": "a"}, "n": {"N": "1"}},
        {"id": {"N": "2"}, "k": {"S": "a"}, "n": {"N": "1.0"}}
    ],
    "Count": 2, "ScannedCount": 2, "ConsumedCapacity": null
}
{"Count": 1, "Items": [{"id": {"N": "3"}, "n": {"S": "1"}, "k": {"S": "a"}, "more": {"NULL": true}}]}
`

func openItems(t *testing.T, text string) (*Source, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "things.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Open(t.Context(), path, nil, Options{})
}

func TestPagesOfItems(t *testing.T) {
	s, err := openItems(t, pages)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	table, err := s.Inspect(t.Context(), source.Request{Table: "things", Key: []string{"k", "n"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"id", "k", "n", "more"}, table.ColumnNames()); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	var locators []uint64
	count, err := s.Prints(t.Context(), table, source.Pass{}, func(prints []source.Print) error {
		for _, p := range prints {
			locators = append(locators, p.Locator)
		}
		return nil
	})
	if err != nil || count.Rows != 3 {
		t.Fatalf("%d rows, %v", count.Rows, err)
	}
	var found []string
	err = s.Fetch(t.Context(), table, locators, func(r source.Row) error {
		found = append(found, r.ID[0].Text+" "+r.Key[1].Text)
		return nil
	})
	if diff := cmp.Diff([]string{"1 1", "2 1.0"}, found); err != nil || diff != "" {
		t.Errorf("the group, %v (-want +got):\n%s", err, diff)
	}
}

func TestOtherJSONIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"array": "[1]", "no items": `{"a": 1}`, "items of a table": `{"Items": {"a": 1}}`, "cut": pages[:60],
		"no JSON": "id,k\n1,a\n", "untyped": `{"Items": [{"id": 1}]}`, "two types": `{"Items": [{"id": {"S": "a", "N": "1"}}]}`,
		"unknown type": `{"Items": [{"id": {"X": "a"}}]}`, "no number": `{"Items": [{"id": {"N": "one"}}]}`,
	} {
		s, err := openItems(t, text)
		problem, ok := err.(*key.Problem) //nolint:errorlint // it is not wrapped, or it is joined, which fails here too
		if !ok || problem.Code != key.CodeBadInput || problem.Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
		if s != nil {
			_ = s.Close()
		}
	}
}

func TestAttributesAreEqualAsInDynamoDB(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{`{"N": "1"}`, `{"N": "1.0"}`, true},
		{`{"N": "100"}`, `{"N": "1e2"}`, true},
		{`{"N": "0"}`, `{"N": "-0.00"}`, true},
		{`{"N": "0.010"}`, `{"N": "1E-2"}`, true},
		{`{"N": "12345678901234567890123456789012345678"}`, `{"N": "12345678901234567890123456789012345679"}`, false},
		{`{"N": "1"}`, `{"N": "-1"}`, false},
		{`{"N": "1"}`, `{"S": "1"}`, false},
		{`{"S": "MQ=="}`, `{"B": "MQ=="}`, false},
		{`{"SS": ["a", "b"]}`, `{"SS": ["b", "a"]}`, true},
		{`{"NS": ["1", "2"]}`, `{"NS": ["2.0", "1"]}`, true},
		{`{"L": [{"S": "a"}, {"S": "b"}]}`, `{"L": [{"S": "b"}, {"S": "a"}]}`, false},
		{`{"L": [{"N": "1"}]}`, `{"L": [{"N": "1.0"}]}`, true},
		{`{"L": [{"S": "ab"}]}`, `{"L": [{"S": "a"}, {"S": "b"}]}`, false},
		{`{"M": {"a": {"S": "x"}, "b": {"BOOL": true}}}`, `{"M": {"b": {"BOOL": true}, "a": {"S": "x"}}}`, true},
		{`{"M": {"a": {"NULL": true}}}`, `{"M": {}}`, false},
		{`{"BOOL": true}`, `{"S": "true"}`, false},
	} {
		a, errA := readAttribute([]byte(c.a))
		b, errB := readAttribute([]byte(c.b))
		if errA != nil || errB != nil || string(a.equal) == string(b.equal) != c.same {
			t.Errorf("%s and %s: %q, %q, %v, %v; the same: %t", c.a, c.b, a.equal, b.equal, errA, errB, c.same)
		}
	}
}

// FuzzItems: whatever a file holds, it is read or refused, and what is read
// prints as text that JSON can hold.
func FuzzItems(f *testing.F) {
	f.Add(pages)
	f.Add(`{"Items":[{"a":{"M":{"x":{"L":[{"NS":["1"]},{"B":"AA=="}]}}}}]}`)
	f.Add(`{"Items":[{"a":{"L":[{"N":"00"},{"N":".5"},{"N":"+1."}]}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var lines strings.Builder
		if err := itemLines(strings.NewReader(text), &lines); err != nil {
			return
		}
		s, err := Open(context.Background(), "-", strings.NewReader(lines.String()), Options{Format: Items, SkipBadLines: true})
		if err != nil {
			return
		}
		defer s.Close()
		for line := range strings.Lines(lines.String()) {
			var item map[string]json.RawMessage
			if json.Unmarshal([]byte(line), &item) != nil {
				continue
			}
			for _, value := range item {
				if a, err := readAttribute(value); err == nil && !json.Valid([]byte(a.plain)) {
					t.Errorf("%s is written as %q", value, a.plain)
				}
			}
		}
	})
}
