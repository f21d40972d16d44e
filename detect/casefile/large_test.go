package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestALineOfManyRowsReadsBack writes groups of no, one and many rows.
func TestALineOfManyRowsReadsBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	w, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	var want []*Group
	for _, rows := range []int{0, 1, 3000} {
		g := &Group{Table: "t<&>", Key: Fields{{"k", new("]}\n")}}, Class: Race, Differs: []string{}, Reasons: []string{}, Unknown: []string{}, Rows: []Row{}}
		for i := range rows {
			g.Rows = append(g.Rows, Row{ID: Fields{{"id", new(fmt.Sprint(i))}}, Values: Fields{{"k", nil}}, Image: "quote:'<'"})
		}
		want = append(want, g)
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
	got, err := opened.Groups()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("groups (-want +got): %v\n%s", err, diff)
	}
	raw, err := os.ReadFile(filepath.Join(dir, EvidenceName))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		if !json.Valid(line) {
			t.Errorf("a line is no JSON: %.40q", line)
		}
	}
	for _, at := range []int{1, 20, len(raw) / 2, len(raw) - 3} {
		decoder := json.NewDecoder(bytes.NewReader(raw[:at]))
		for err = nil; err == nil; {
			_, err = readGroup(decoder)
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("evidence that is torn at byte %d: %v", at, err)
		}
	}
}
