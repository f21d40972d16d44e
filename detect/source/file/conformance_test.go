package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, sourcetest.Adapter{Engine: "csv", ImagePrefix: "sha256:", Open: w.open, NoSQL: true})
		})
	}
}

// writer writes datasets in one manner.
type writer struct {
	ext, delimiter, end, before string
	quoteAll                    bool
}

func (w writer) open(t *testing.T, d sourcetest.Dataset) (source.Source, string) {
	t.Helper()
	if w.ext == "" {
		src, err := Open(t.Context(), "-", strings.NewReader(w.text(d)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		src.table = d.Table // a stream has no name of its own
		return src, d.Table
	}
	path := filepath.Join(t.TempDir(), d.Table+w.ext)
	if err := os.WriteFile(path, []byte(w.text(d)), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := Open(t.Context(), path, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return src, d.Table
}

func (w writer) text(d sourcetest.Dataset) string {
	var b strings.Builder
	b.WriteString(w.before)
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
