package junit_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile/proof"
	"twinrow/report/junit"
)

// children and attributes are what junit-10.xsd allows, in its order.
var (
	children = map[string][]string{
		"": {"testsuites"}, "testsuites": {"testsuite"}, "testsuite": {"properties", "testcase", "system-out", "system-err"},
		"properties": {"property"}, "testcase": {"skipped", "error", "failure", "system-out", "system-err"},
	}
	attributes = map[string][]string{
		"testsuites": {"name", "time", "tests", "failures", "disabled", "errors"},
		"testsuite":  {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package"},
		"property":   {"name", "value"}, "testcase": {"name", "assertions", "time", "timestamp", "classname", "status"},
		"failure": {"type", "message"}, "error": {"type", "message"},
	}
)

func result(verdict proof.Verdict) *proof.Result {
	return &proof.Result{
		Verdict: verdict, Name: "a <b> & \"c\"\x00", Reasons: []string{"one \x1b[31m]]>", "two"}, StartedAt: "2025-12-24T03:20:37.914Z", DurationUS: 1_500_000,
		Expectations: []proof.Expectation{{Name: "held", OK: true}, {Name: "not\ufffe", Want: "1 < 2", Got: "\xff"}},
	}
}

func TestFollowsTheSchema(t *testing.T) {
	for verdict, want := range map[proof.Verdict]string{proof.Pass: "1 0", proof.Fail: "2 0", proof.Inconclusive: "1 1"} {
		var b bytes.Buffer
		if err := junit.Render(&b, result(verdict)); err != nil {
			t.Fatal(err)
		}
		counts := walk(t, b.Bytes())
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Errorf("%s: failures and errors (-want +got):\n%s", verdict, diff)
		}
	}
}

// walk reads every element strictly and returns the suite's failures and errors.
func walk(t *testing.T, content []byte) (counts string) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(content))
	path, last := []string{""}, []int{0}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return counts
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, content)
		}
		switch e := token.(type) {
		case xml.StartElement:
			name, parent := e.Name.Local, path[len(path)-1]
			place := -1
			for i, child := range children[parent] {
				if child == name {
					place = i
				}
			}
			if place < last[len(last)-1] {
				t.Errorf("%s cannot stand here in %s", name, parent)
			}
			last[len(last)-1] = max(place, 0)
			path, last = append(path, name), append(last, 0)
			for _, a := range e.Attr {
				if !strings.Contains(" "+strings.Join(attributes[name], " ")+" ", " "+a.Name.Local+" ") {
					t.Errorf("%s has no attribute %s", name, a.Name.Local)
				}
				if name == "testsuite" && a.Name.Local == "failures" {
					counts = a.Value
				}
				if name == "testsuite" && a.Name.Local == "errors" {
					counts += " " + a.Value
				}
			}
		case xml.EndElement:
			path, last = path[:len(path)-1], last[:len(last)-1]
		}
	}
}
