package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"twinrow/report"
	"twinrow/report/internal/fixture"
	"twinrow/report/json"
)

func render(t *testing.T, doc *report.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Render(&b, doc); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	fixture.Golden(t, "incident.json", string(render(t, fixture.Document())))
	fixture.Golden(t, "planned.json", string(render(t, fixture.MustBuild(report.Extras{Tool: fixture.Tool, Plan: fixture.Plan()}))))
	fixture.Golden(t, "facts.json", string(render(t, fixture.Facts())))
	fixture.Golden(t, "none.json", string(render(t, fixture.Empty())))
	fixture.Golden(t, "two.json", string(render(t, fixture.TwoTables())))
}

// contract is the document as the contract of the command line has it, with
// every name it gives and none besides.
type contract struct {
	Schema string `json:"schema"`
	Tool   struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	} `json:"tool"`
	Tables []struct {
		Source struct {
			Engine, Version, Database string
		} `json:"source"`
		Table       string   `json:"table"`
		Key         []string `json:"key"`
		Time        string   `json:"time"`
		ID          []string `json:"id"`
		ScannedRows int      `json:"scanned_rows"`
		Totals      struct {
			Groups, Rows, Surplus, Customers int
			ByClass                          map[string]int `json:"by_class"`
		} `json:"totals"`
		Groups []struct {
			Key       map[string]*string `json:"key"`
			Class     string             `json:"class"`
			Strength  string             `json:"strength"`
			Mixed     bool               `json:"mixed"`
			SpanUS    *int64             `json:"span_us"`
			Identical bool               `json:"identical"`
			Differs   []string           `json:"differs"`
			Reasons   []string           `json:"reasons"`
			Unknown   []string           `json:"unknown"`
			Rows      []struct {
				ID    map[string]*string `json:"id"`
				Time  *string            `json:"time"`
				GapUS *int64             `json:"gap_us"`
				Class *string            `json:"class"`
			} `json:"rows"`
		} `json:"groups"`
	} `json:"tables"`
}

func TestTheContractsFieldsAreAllThere(t *testing.T) {
	var got contract
	if err := stdjson.Unmarshal(render(t, fixture.Document()), &got); err != nil {
		t.Fatal(err)
	}
	again, err := stdjson.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var want, have any
	if err := errors.Join(stdjson.Unmarshal([]byte(strings.ToLower(string(again))), &want), stdjson.Unmarshal([]byte(strings.ToLower(string(render(t, fixture.Document())))), &have)); err != nil {
		t.Fatal(err)
	}
	missing(t, "", want, have)
	if got.Schema != "twinrow/report/v1" || got.Tables[0].Totals.ByClass["race"] != 2 || *got.Tables[0].Groups[2].SpanUS != 79_000 {
		t.Errorf("read back: %+v", got)
	}
}

// missing reports what want has and have has not.
func missing(t *testing.T, path string, want, have any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, ok := have.(map[string]any)
		if !ok {
			t.Fatalf("%s is %v, not an object", path, have)
		}
		for name, value := range want {
			if _, there := object[name]; !there {
				t.Errorf("no %s/%s", path, name)
				continue
			}
			missing(t, path+"/"+name, value, object[name])
		}
	case []any:
		list, ok := have.([]any)
		if !ok || len(list) != len(want) {
			t.Fatalf("%s is %v", path, have)
		}
		for i := range want {
			missing(t, path+"/"+strconv.Itoa(i), want[i], list[i])
		}
	default:
		if want != have {
			t.Errorf("%s is %v, want %v", path, have, want)
		}
	}
}

func TestReadBackIsTheSame(t *testing.T) {
	docs := map[string]*report.Document{
		"incident": fixture.Document(), "none": fixture.Empty(), "two": fixture.TwoTables(), "facts": fixture.Facts(),
		"done": fixture.MustBuild(report.Extras{Tool: fixture.Tool, Plan: &report.Plan{Hazards: []string{`"groups":[]`}}, Journal: &report.Journal{State: report.Applied}, Probes: []report.Probe{{Name: "tables", Statement: `"tables":[]`}}, Mails: &report.Mails{Sent: 1}}),
	}
	for name, text := range fixture.HostileTexts {
		if name != "not UTF-8" { // sources hand on text as UTF-8
			docs[name] = fixture.Hostile(text)
		}
	}
	for name, doc := range docs {
		var got report.Document
		decoder := stdjson.NewDecoder(bytes.NewReader(render(t, doc)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&got); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(doc, &got, cmpopts.IgnoreFields(report.Document{}, "Dir")); diff != "" {
			t.Errorf("%s (-document +read back):\n%s", name, diff)
		}
	}
}

func TestNothingATerminalActsOnIsRaw(t *testing.T) {
	for name, text := range fixture.HostileTexts {
		for line := range strings.Lines(string(render(t, fixture.Hostile(text)))) {
			for _, r := range strings.TrimSuffix(line, "\n") {
				if !strconv.IsPrint(r) {
					t.Fatalf("%s: %q is in the output", name, r)
				}
			}
		}
	}
}

func TestManyGroupsAreAllThere(t *testing.T) {
	out := render(t, fixture.Many(20_000))
	if n := bytes.Count(out, []byte("\n")); n != 20_002 {
		t.Errorf("there are %d lines", n)
	}
	if !stdjson.Valid(out) {
		t.Error("it is not JSON")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAWriteErrorIsReported(t *testing.T) {
	if err := json.Render(broken{}, fixture.Many(2000)); err == nil {
		t.Error("no error")
	}
}
