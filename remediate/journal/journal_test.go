package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := Open(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func write(t *testing.T, dir string, events ...string) []byte {
	t.Helper()
	j := open(t, dir)
	for _, e := range events {
		if err := j.Append(e, map[string]string{"table": "<t>"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, Name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func events(t *testing.T, dir string) []string {
	t.Helper()
	j := open(t, dir)
	defer j.Close()
	var out []string
	for _, r := range j.Records() {
		out = append(out, r.Event)
	}
	return out
}

func TestAppendAndReadBack(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", "b")
	write(t, dir, "c")
	if diff := cmp.Diff([]string{"a", "b", "c"}, events(t, dir)); diff != "" {
		t.Error(diff)
	}
	info, err := os.Stat(filepath.Join(dir, Name))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestTornAnywhereInTheLastRecord(t *testing.T) {
	dir := t.TempDir()
	whole := write(t, dir, "a", "b", "c")
	start := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := start; cut < len(whole); cut++ {
		if err := os.WriteFile(filepath.Join(dir, Name), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a", "b"}, events(t, dir)); diff != "" {
			t.Fatalf("cut at %d: %s", cut, diff)
		}
		raw, _ := os.ReadFile(filepath.Join(dir, Name))
		if !bytes.Equal(raw, whole[:start]) {
			t.Fatalf("cut at %d: the torn record is still there", cut)
		}
	}
}

func TestEditsAreNoticed(t *testing.T) {
	edits := map[string]func([]byte) []byte{
		"a changed value": func(b []byte) []byte { return bytes.Replace(b, []byte(`"event":"b"`), []byte(`"event":"x"`), 1) },
		"a removed line":  func(b []byte) []byte { i := bytes.IndexByte(b, '\n'); return b[i+1:] },
		"a removed middle": func(b []byte) []byte {
			l := bytes.SplitAfter(b, []byte("\n"))
			return append(bytes.Clone(l[0]), l[2]...)
		},
		"an empty line":       func(b []byte) []byte { return append(bytes.Clone(b), '\n') },
		"garbage in between":  func(b []byte) []byte { return append([]byte("garbage\n"), b...) },
		"a whole garbage end": func(b []byte) []byte { return append(bytes.Clone(b), "garbage\n"...) },
		"more white space":    func(b []byte) []byte { return bytes.Replace(b, []byte(`"n":2`), []byte(`"n": 2`), 1) },
		"an unknown field":    func(b []byte) []byte { return bytes.Replace(b, []byte(`{"n":2`), []byte(`{"x":1,"n":2`), 1) },
		"a second value":      func(b []byte) []byte { return bytes.Replace(b, []byte("\n"), []byte(" {}\n"), 1) },
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			raw := edit(write(t, dir, "a", "b", "c"))
			if err := os.WriteFile(filepath.Join(dir, Name), raw, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(dir, false)
			var damaged *DamagedError
			if !errors.As(err, &damaged) || damaged.Line < 1 {
				t.Fatalf("got %v", err)
			}
			after, _ := os.ReadFile(filepath.Join(dir, Name))
			if !bytes.Equal(raw, after) {
				t.Error("a damaged journal was changed")
			}
		})
	}
}

func TestSecondOpenIsBusy(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	if _, err := Open(dir, false); !errors.Is(err, ErrBusy) {
		t.Fatalf("got %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPeekWritesNothing(t *testing.T) {
	dir := t.TempDir()
	j, err := Open(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Append("a", nil); err == nil {
		t.Error("a peek could append")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, Name)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a peek left a file: %v", err)
	}
}

func TestNotARegularFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(dir, Name)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, false); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Fatalf("got %v", err)
	}
}

// fullDisk takes a few bytes of a record and then has no room.
type fullDisk struct {
	*os.File
	room int
}

func (f *fullDisk) Write(p []byte) (int, error) {
	n, err := f.File.Write(p[:min(len(p), f.room)])
	if err == nil && n < len(p) {
		err = syscall.ENOSPC
	}
	f.room -= n
	return n, err
}

func TestFullDiskLeavesNothingOfTheRecord(t *testing.T) {
	dir := t.TempDir()
	whole := write(t, dir, "a")
	j := open(t, dir)
	j.file = &fullDisk{j.file.(*os.File), 20}
	if err := j.Append("b", nil); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v", err)
	}
	if err := j.Append("c", nil); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("a record was taken after the disk was full: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	raw, _ := os.ReadFile(filepath.Join(dir, Name))
	if !bytes.Equal(whole, raw) {
		t.Errorf("the journal is %q", raw)
	}
}

func FuzzParse(f *testing.F) {
	first := encode(Record{Number: 1, Event: "a"})
	f.Add(first)
	f.Add(append(bytes.Clone(first), encode(Record{Number: 2, Event: "b", Before: digest(Record{Number: 1, Event: "a"})})...))
	f.Add([]byte("{\"n\":1"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		records, whole, err := parse(raw)
		if err != nil {
			return
		}
		var again []byte
		for _, r := range records {
			again = append(again, encode(r)...)
		}
		if !bytes.Equal(again, raw[:whole]) {
			t.Errorf("%q was read as %q", raw[:whole], again)
		}
		if bytes.IndexByte(raw[whole:], '\n') >= 0 {
			t.Errorf("whole lines of %q were dropped", raw)
		}
	})
}
