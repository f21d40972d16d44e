package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

func TestFilesThatCannotBeUnpackedOrAreNoTable(t *testing.T) {
	table := "a,b\n" + strings.Repeat("some text,more\n", 5000)
	packed, other := gzipped(t, table), zstandard(t, table)
	var wide strings.Builder
	for i := range maxNames + 1 {
		fmt.Fprintf(&wide, "{\"user-%d\":1}\n", i)
	}
	for _, c := range []struct{ name, text, code, says string }{
		{"cut.csv.gz", packed[:len(packed)/2], key.CodeBadInput, "gzip data are cut short"},
		{"cut.csv.zst", other[:len(other)/2], key.CodeBadInput, "zstd data are cut short"},
		{"flipped.csv.gz", packed[:len(packed)-6] + "xx" + packed[len(packed)-4:], key.CodeBadInput, "gzip data are damaged"},
		{"twice.csv.gz", gzipped(t, packed), key.CodeBadInput, "compressed twice"},
		{"packed.gz", packed, key.CodeUnsupported, "cannot tell the format"},
		{"x.csv.bz2", "BZh91AY", key.CodeUnsupported, "cannot tell the format"},
		{"lies.csv", "{\"a\": 1}\n", key.CodeBadInput, "holds JSON, not CSV"},
		{"lies.jsonl", "a,b\n1,2\n", key.CodeBadInput, "line 1 is not a JSON object"},
		{"array.jsonl", "[{\"a\":1},\n{\"a\":1}]\n", key.CodeBadInput, "line 1 is not a JSON object"},
		{"pretty.jsonl", "{\n  \"a\": 1\n}\n", key.CodeBadInput, "line 1 is not a whole JSON object"},
		{"wide.jsonl", wide.String(), key.CodeUnsupported, "more than 4096 different names"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.name)
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), path, nil, Options{})
			p, ok := errors.AsType[*key.Problem](err)
			if !ok || p.Code != c.code || !strings.Contains(p.Message, c.says) || p.Hint == "" {
				t.Errorf("got %v (%+v), want %s with %q and a hint", err, p, c.code, c.says)
			}
		})
	}
}

func TestAnEndingThatLiesAboutCompressionDoesNoHarm(t *testing.T) {
	const table = "a,b\n1,x\n1,y\n"
	for name, text := range map[string]string{"plain.csv.gz": table, "packed.csv": gzipped(t, table), "other.csv.gz": zstandard(t, table), "two.csv.gz": gzipped(t, "a,b\n1,x\n") + gzipped(t, "1,y\n")} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		src, err := Open(t.Context(), path, nil, Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		tab, err := src.Inspect(t.Context(), source.Request{Key: []string{"a"}})
		if err != nil {
			t.Fatal(err)
		}
		count, err := src.Prints(t.Context(), tab, source.Pass{}, func([]source.Print) error { return nil })
		if err != nil || count.Rows != 2 {
			t.Errorf("%s: %d rows, %v", name, count.Rows, err)
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}

// endless is what a small file can unpack to.
type endless struct{ read int64 }

func (e *endless) Read(b []byte) (int, error) {
	clear(b)
	e.read += int64(len(b))
	return len(b), nil
}

func TestACopyStopsBeforeTheDiskIsFull(t *testing.T) {
	free := uint64(roomLeft + 100<<20)
	to := &bounded{ctx: t.Context(), to: io.Discard, free: func() (uint64, bool) { return free, true }}
	to.to = writerFunc(func(b []byte) (int, error) { free -= uint64(len(b)); return len(b), nil })
	err := copyUnpacked(to, &endless{})
	p, ok := errors.AsType[*key.Problem](spoolProblem("copy", "bomb.csv.gz", err))
	if !ok || p.Code != key.CodeDisk || !strings.Contains(p.Hint, "TMPDIR") {
		t.Fatalf("got %v", err)
	}
	if left := int64(free) - roomLeft; left > 0 || left < -2*checkRoom {
		t.Errorf("stopped %d bytes from the mark", left)
	}
}

func TestACancelledCopyStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	from := &endless{}
	to := &bounded{ctx: ctx, free: func() (uint64, bool) { return 0, false }, to: writerFunc(func(b []byte) (int, error) { cancel(); return len(b), nil })}
	if err := copyUnpacked(to, from); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v after %d bytes", err, from.read)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestOpenText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.sql.gz")
	text := strings.Repeat("SELECT 1;\n", 1000)
	if err := os.WriteFile(path, []byte(gzipped(t, text)), 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := OpenText(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(reader)
	if err != nil || !bytes.Equal(got, []byte(text)) {
		t.Errorf("read %d bytes of %d, %v", len(got), len(text), err)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	if err := os.Truncate(path, 30); err != nil {
		t.Fatal(err)
	}
	if reader, err = OpenText(path); err == nil {
		_, err = io.ReadAll(reader)
		reader.Close()
	}
	if p, ok := errors.AsType[*key.Problem](err); !ok || !strings.Contains(p.Message, "cut short") {
		t.Errorf("got %v", err)
	}
}
