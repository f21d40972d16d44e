package file

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest"
)

func TestConformance(t *testing.T) {
	for name, w := range map[string]writer{
		"csv":          {ext: ".csv", delimiter: ",", end: "\n"},
		"tsv":          {ext: ".tsv", delimiter: "\t", end: "\n"},
		"crlf and bom": {ext: ".csv", delimiter: ",", end: "\r\n", before: "\ufeff"},
		"all quoted":   {ext: ".CSV", delimiter: ",", end: "\n", quoteAll: true},
		"stdin":        {delimiter: ",", end: "\n"},
		"csv.gz":       {ext: ".csv.gz", delimiter: ",", end: "\n", pack: gzipped},
		"tsv.zst":      {ext: ".tsv.zst", delimiter: "\t", end: "\n", pack: zstandard},
		"stdin tsv":    {delimiter: "\t", end: "\n"},
		"stdin gzip":   {delimiter: ",", end: "\n", pack: gzipped},
		"jsonl":        {ext: ".jsonl", end: "\n", json: true},
		"ndjson crlf":  {ext: ".ndjson", end: "\r\n", before: "\ufeff", json: true},
		"jsonl.gz":     {ext: ".jsonl.gz", end: "\n", json: true, pack: gzipped},
		"jsonl.zst":    {ext: ".JSONL.ZST", end: "\n", json: true, pack: zstandard},
	} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, sourcetest.Adapter{Engine: "csv", ImagePrefix: "sha256:", Open: w.open, NoSQL: true})
		})
	}
}

// writer writes datasets in one manner.
type writer struct {
	ext, delimiter, end, before string
	quoteAll, json              bool
	pack                        func(*testing.T, string) string
}

func (w writer) open(t *testing.T, d sourcetest.Dataset) (source.Source, string) {
	t.Helper()
	if w.ext == "" {
		src, err := Open(t.Context(), "-", strings.NewReader(w.packed(t, d)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		src.table = d.Table // a stream has no name of its own
		return src, d.Table
	}
	path := filepath.Join(t.TempDir(), d.Table+w.ext)
	if err := os.WriteFile(path, []byte(w.packed(t, d)), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := Open(t.Context(), path, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return src, d.Table
}

func (w writer) packed(t *testing.T, d sourcetest.Dataset) string {
	t.Helper()
	if w.pack == nil {
		return w.text(d)
	}
	return w.pack(t, w.text(d))
}

func (w writer) text(d sourcetest.Dataset) string {
	var b strings.Builder
	b.WriteString(w.before)
	if w.json {
		w.objects(&b, d)
		return b.String()
	}
	for i, c := range d.Columns {
		w.field(&b, i, &c.Name)
	}
	b.WriteString(w.end)
	for _, row := range d.Rows {
		for i, v := range row {
			w.field(&b, i, v)
		}
		b.WriteString(w.end)
	}
	return b.String()
}

func (w writer) field(b *strings.Builder, i int, v *string) {
	if i > 0 {
		b.WriteString(w.delimiter)
	}
	switch {
	case v == nil:
	case *v == "" || w.quoteAll || strings.ContainsAny(*v, "\",\t\r\n"):
		b.WriteString(`"` + strings.ReplaceAll(*v, `"`, `""`) + `"`)
	default:
		b.WriteString(*v)
	}
}

// objects writes JSON lines as programs do: numbers bare, NULL left out in
// every other row, names in another order in some.
func (w writer) objects(b *strings.Builder, d sourcetest.Dataset) {
	for n, row := range d.Rows {
		var members []string
		for i, v := range row {
			value := []byte("null")
			switch {
			case v == nil && n%2 == 1 && n > 1:
				continue
			case v != nil && d.Columns[i].Kind == sourcetest.Integer:
				value = []byte(*v)
			case v != nil:
				value, _ = json.Marshal(*v)
			}
			name, _ := json.Marshal(d.Columns[i].Name)
			members = append(members, string(name)+": "+string(value))
		}
		if n%3 == 2 {
			slices.Reverse(members)
		}
		b.WriteString(" {" + strings.Join(members, " , ") + "}" + w.end)
	}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstandard(t *testing.T, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}
