package casefile

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"twinrow/detect/key"
)

func sample() *Group {
	return &Group{
		Table: "public.tickets", Key: Fields{{"zz", new("pi_1")}, {"aa", nil}},
		Class: Race, Strength: Likely, Differs: []string{}, Reasons: []string{"<79 ms> & more"}, Unknown: []string{},
		Rows: []Row{{ID: Fields{{"id", new("108")}}, Values: Fields{{"note", new("line\nbreak \u202e \"")}}, Image: "sha256:00"}},
	}
}

func writeSample(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "case")
	w, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(sample()); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(&Case{Tool: Tool{"twinrow", "1"}, Tables: []Table{{Name: "public.tickets"}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCaseReadsBackAsWritten(t *testing.T) {
	dir := writeSample(t)
	opened, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := opened.Groups()
	if err != nil {
		t.Fatal(err)
	}
	want := sample()
	want.Number = 1
	if diff := cmp.Diff([]*Group{want}, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if len(opened.ID) != 12 || opened.TableNamed("public.tickets") == nil || opened.TableNamed("other") != nil {
		t.Errorf("case %+v", opened.Case)
	}
}

// TestOneRunACase has a second run refused while the first one writes, and what
// a killed one left taken away.
func TestOneRunACase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	left := filepath.Join(filepath.Dir(dir), ".case.partial")
	if err := os.MkdirAll(filepath.Join(left, "drafts"), 0o700); err != nil {
		t.Fatal(err)
	}
	first, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(left); err != nil || len(entries) != 1 {
		t.Errorf("the new case begins with %v: %v", entries, err)
	}
	_, err = Create(dir)
	if p, ok := errors.AsType[*Problem](err); !ok || p.Code != key.CodeBusy || !strings.Contains(p.Hint, "--case") {
		t.Errorf("a second run: %v", err)
	}
	if err := first.Abort(); err != nil {
		t.Fatal(err)
	}
	again, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "other"), 0o700); err != nil {
		t.Fatal(err)
	}
	err = again.Commit(&Case{})
	if p, ok := errors.AsType[*Problem](err); !ok || p.Code != key.CodeExists {
		t.Errorf("a place that was taken meanwhile: %v", err)
	}
	for range 2 {
		if err := again.Abort(); err != nil {
			t.Error(err)
		}
	}
}

func TestCaseIsPrivateAndLeavesNothingBeside(t *testing.T) {
	dir := writeSample(t)
	for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, CaseName): 0o600, filepath.Join(dir, EvidenceName): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
	}
	if beside, _ := os.ReadDir(filepath.Dir(dir)); len(beside) != 1 {
		t.Errorf("beside the case: %v", beside)
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	w, err := Create(filepath.Join(parent, "case"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Add(sample()), w.Abort()); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(parent); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// code returns the code of a Problem, or "" where the error is none.
func code(err error) string {
	if problem, ok := errors.AsType[*Problem](err); ok {
		return problem.Code
	}
	return ""
}

func TestWhatOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(t *testing.T, dir string)
		want string
	}{
		{"evidence edited", func(t *testing.T, dir string) { edit(t, filepath.Join(dir, EvidenceName), "108", "109") }, key.CodeTampered},
		{"evidence gone", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, EvidenceName)) }, key.CodeTampered},
		{"newer version", func(t *testing.T, dir string) { edit(t, filepath.Join(dir, CaseName), "case/v1", "case/v2") }, key.CodeNewer},
		{"newer evidence", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, CaseName), "evidence/v1", "evidence/v2")
		}, key.CodeNewer},
		{"another document", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, CaseName), "twinrow/case/v1", "other/thing")
		}, key.CodeBadInput},
		{"cut off", func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, CaseName), 40) }, key.CodeTampered},
		{"not there", func(t *testing.T, dir string) { os.RemoveAll(dir) }, key.CodeNotFound},
		{"a file", func(t *testing.T, dir string) { os.RemoveAll(dir); os.WriteFile(dir, nil, 0o600) }, key.CodeNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeSample(t)
			c.harm(t, dir)
			if _, err := Open(dir); code(err) != c.want {
				t.Errorf("got %v, want code %s", err, c.want)
			}
		})
	}
}

func edit(t *testing.T, path, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(raw), from) {
		t.Fatalf("%s does not hold %q (%v)", path, from, err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(raw), from, to, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCreateNeverOverwrites(t *testing.T) {
	dir := writeSample(t)
	if _, err := Create(dir); code(err) != key.CodeExists {
		t.Errorf("got %v", err)
	}
	empty := t.TempDir()
	w, err := Create(empty)
	if err != nil {
		t.Fatalf("an empty directory is refused: %v", err)
	}
	if err := w.Commit(&Case{}); err != nil {
		t.Errorf("an empty directory cannot be replaced: %v", err)
	}
}

func TestWriteFileOnAFullDiskLeavesTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := WriteJSON(path, json.RawMessage("{")) // an encoder that fails half-way, as a full disk does
	if code(err) != key.CodeDisk {
		t.Errorf("got %v", err)
	}
	if raw, _ := os.ReadFile(path); string(raw) != "old" {
		t.Errorf("the old file is now %q", raw)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestImagesAreThoseOfTheGroups(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	w, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	wide := sample()
	wide.Rows = append(wide.Rows, Row{ID: Fields{{"a \"b\"", new("\\ \u202e {[,:]} \x00")}, {"n", nil}}, Values: Fields{{"note", new(strings.Repeat(`"}]\`, 1<<19))}}, Image: "sha256:\"1"})
	for _, g := range []*Group{sample(), wide, {Rows: []Row{}}, sample()} {
		if err := w.Add(g); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(&Case{}); err != nil {
		t.Fatal(err)
	}
	opened, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []Images
	if err := opened.EachGroup(func(g *Group) error { want = append(want, imagesFrom(g)); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := opened.EachImages(func(i Images) error { got = append(got, i); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 4 {
		t.Errorf("%d groups (-of the groups +alone):\n%s", len(got), diff)
	}
}

func imagesFrom(g *Group) Images {
	images := Images{Number: g.Number}
	for _, r := range g.Rows {
		images.Rows = append(images.Rows, RowImage{r.ID, r.Image})
	}
	return images
}

// FuzzImages holds the quick reading against that of everything: what was
// written is read alike, and what nobody wrote ends in an error at most.
func FuzzImages(f *testing.F) {
	for _, line := range []string{
		`{"number":1,"rows":[{"id":{"id":"1","b":null},"values":{"x":"\"}\\"},"image":"\u00e9"},{"id":{}}]}`, `{"rows":[],"key":{"a":[{"b":1.5e3}]}}`,
		`{"number":1`, `{"rows":[{"id":nothing}]}`, `{"x":}`, `{"x":"\`, `[]`, `{"number":"1"} {}`, `{"x":]}`, "",
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		_, _ = imagesOf(line, map[string]string{}) // must end, whatever it is
		var g Group
		if json.Unmarshal(line, &g) != nil {
			return
		}
		g.Rows = append([]Row{}, g.Rows...) // a group that was written has some
		written, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		got, err := imagesOf(written, map[string]string{})
		if err != nil {
			t.Fatalf("%v: %s", err, written)
		}
		var again Group
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(imagesFrom(&again), got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-of the group +alone):\n%s", written, diff)
		}
	})
}

func FuzzFields(f *testing.F) {
	f.Add([]byte(`{"b":"1","a":null,"b":"2"}`))
	f.Add([]byte(`{"x":"\u202e<&>"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var first, second Fields
		if json.Unmarshal(raw, &first) != nil {
			return
		}
		again, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &second); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("fields change when written and read (-first +second):\n%s", diff)
		}
	})
}
