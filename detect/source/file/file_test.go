package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// write makes a file of the test's own and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openFile(t *testing.T, path string, opts Options) *Source {
	t.Helper()
	src, err := Open(t.Context(), path, nil, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

func inspect(t *testing.T, src *Source, req source.Request) *source.Table {
	t.Helper()
	table, err := src.Inspect(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// repeated returns the rows of repeated keys, by file order within a key.
func repeated(t *testing.T, src *Source, table *source.Table) ([]source.Row, source.Count, error) {
	t.Helper()
	byHash := map[uint64][]uint64{}
	count, err := src.Prints(t.Context(), table, source.Pass{}, func(prints []source.Print) error {
		for _, p := range prints {
			byHash[p.Hash] = append(byHash[p.Hash], p.Locator)
		}
		return nil
	})
	if err != nil {
		return nil, count, err
	}
	var locators []uint64
	for _, l := range byHash {
		if len(l) > 1 {
			locators = append(locators, l...)
		}
	}
	var rows []source.Row
	err = src.Fetch(t.Context(), table, locators, func(r source.Row) error { rows = append(rows, r); return nil })
	return rows, count, err
}

func ids(rows []source.Row) []string {
	var out []string
	for _, r := range rows {
		out = append(out, r.ID[0].Text)
	}
	slices.Sort(out)
	return out
}

func TestTheFourRepeatedTickets(t *testing.T) {
	src := openFile(t, "testdata/dup.csv", Options{})
	table := inspect(t, src, source.Request{Key: []string{"payment_intent_id", "ticket_number"}, Time: "created_at", Email: "customer_email"})
	rows, count, err := repeated(t, src, table)
	if err != nil {
		t.Fatal(err)
	}
	if want := (source.Count{Rows: 12}); count != want {
		t.Errorf("count is %+v, want %+v", count, want)
	}
	if diff := cmp.Diff([]string{"102", "103", "106", "107", "108", "109", "111", "112"}, ids(rows)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	groups := map[string][]string{}
	for _, r := range rows {
		groups[r.Key[0].Text] = append(groups[r.Key[0].Text], r.Values[8].Text)
	}
	want := map[string][]string{
		"pi_3SgCE5KI6MirOIdS0XRkjx1k": {"2025-12-19T22:32:47.000Z", "2025-12-21T17:48:05.000Z"},
		"pi_3SgIfuKI6MirOIdS1VWP7BA6": {"2025-12-20T05:25:56.000Z", "2025-12-21T00:40:55.000Z"},
		"pi_3ShicpKI6MirOIdS1vKqmZyR": {"2025-12-24T03:20:37.914Z", "2025-12-24T03:20:37.993Z"},
		"pi_3Si5ebKI6MirOIdS0hviVDSq": {"2025-12-25T03:55:59.186Z", "2025-12-25T03:55:59.200Z"},
	}
	if diff := cmp.Diff(want, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	for _, c := range []struct{ name, text, code, message string }{
		{"empty.csv", "", key.CodeBadInput, "is empty"},
		{"bom.csv", "\ufeff", key.CodeBadInput, "is empty"},
		{"blank.csv", "\n\r\n\n", key.CodeBadInput, "is empty"},
		{"twice.csv", "id,a,a\n1,2,3\n", key.CodeBadInput, `the name "a" twice`},
		{"noname.csv", "id,,a\n1,2,3\n", key.CodeBadInput, "no name for column 2"},
		{"open.csv", "id,\"a\n1,2\n", key.CodeBadInput, "never closed"},
		{"utf16.csv", "\xff\xfei\x00d\x00\n\x00", key.CodeBadInput, "UTF-16"},
		{"latin.csv", "id,na\xefve\n1,2\n", key.CodeBadInput, "not UTF-8 in column 2"},
		{"zip.csv", "PK\x03\x04\x00", key.CodeBadInput, "spreadsheet"},
		{"packed.csv", "\x1f\x8b\x08\x00", key.CodeBadInput, "gzip"},
		{"db.csv", "SQLite format 3\x00\x10", key.CodeBadInput, "SQLite"},
		{"nul.csv", "a\x00b,c\n", key.CodeBadInput, "not text"},
		{"mac.csv", "id,a\r1,2\r3,4\r", key.CodeBadInput, "CR alone"},
		{"rows.xlsx", "id\n", key.CodeUnsupported, "format"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(t.Context(), write(t, c.name, c.text), nil, Options{})
			wantProblem(t, err, c.code, c.message)
		})
	}
}

func wantProblem(t *testing.T, err error, code, message string) {
	t.Helper()
	var p *key.Problem
	if !errors.As(err, &p) || p.Code != code || !strings.Contains(p.Message, message) || p.Hint == "" {
		t.Errorf("got %v (%+v), want %s with %q and a hint", err, p, code, message)
	}
}

func TestMissingFileNamesItsNeighbours(t *testing.T) {
	path := write(t, "tickets.csv", "id\n")
	_, err := Open(t.Context(), filepath.Join(filepath.Dir(path), "ticket.csv"), nil, Options{})
	var p *key.Problem
	if !errors.As(err, &p) || p.Code != key.CodeNotFound || !strings.Contains(p.Hint, "tickets.csv") {
		t.Errorf("got %v, want the nearest name in the hint", err)
	}
	_, err = Open(t.Context(), filepath.Dir(path), nil, Options{Format: "csv"})
	wantProblem(t, err, key.CodeBadInput, "folder")
}

const badLines = "id,k\n" + // 1
	"1,a\n" +
	"2\n" + // 3: short
	"3,a,x\n" + // 4: long
	"4,a\"b\n" + // 5: bare quote
	"5,\"a\"b\n" + // 6: text behind a quote
	"6,\"two\nlines\"\n" + // 7, 8
	"7,\"two\nlines\"\n" + // 9, 10
	"8,\"never closed\n" + // 11
	"9,a\n"

func TestBadLinesStop(t *testing.T) {
	lines := strings.SplitAfter(badLines, "\n")
	for _, c := range []struct {
		line    int
		message string
	}{
		{3, "line 2 has 1 field where the header has 2"},
		{4, "line 2 has 3 fields where the header has 2"},
		{5, "line 2 has a quote inside a field"},
		{6, "line 2 has text behind a closing quote"},
		{11, "line 2 opens a quote that is never closed"},
	} {
		src := openFile(t, write(t, "bad.csv", lines[0]+lines[c.line-1]+lines[11]), Options{})
		_, _, err := repeated(t, src, inspect(t, src, source.Request{Key: []string{"k"}}))
		wantProblem(t, err, key.CodeBadInput, c.message)
		var p *key.Problem
		if errors.As(err, &p) && !strings.Contains(p.Hint, "--skip-bad-lines") {
			t.Errorf("line %d: the hint %q does not name the flag", c.line, p.Hint)
		}
	}
}

func TestBadLinesSkipped(t *testing.T) {
	src := openFile(t, write(t, "bad.csv", badLines), Options{SkipBadLines: true})
	table := inspect(t, src, source.Request{Key: []string{"k"}, ID: []string{"line", "id"}})
	rows, count, err := repeated(t, src, table)
	if err != nil {
		t.Fatal(err)
	}
	if want := (source.Count{Rows: 4, BadLines: 5}); count != want {
		t.Errorf("count is %+v, want %+v", count, want)
	}
	var got []string
	for _, r := range rows {
		got = append(got, r.ID[0].Text+":"+r.ID[1].Text+":"+r.Key[0].Text)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"12:9:a", "2:1:a", "7:6:two\nlines", "9:7:two\nlines"}, got); diff != "" {
		t.Errorf("rows by line (-want +got):\n%s", diff)
	}
}

func TestLineIsTheIdentityWithoutAnID(t *testing.T) {
	text := "\n\"name\nof two lines\",line\n\nx,1\r\n\r\nx,2\ny,3\nx,4"
	src := openFile(t, write(t, "noid.csv", text), Options{})
	table := inspect(t, src, source.Request{Key: []string{"name\nof two lines"}})
	if diff := cmp.Diff([]string{"line"}, table.ID); diff != "" {
		t.Errorf("id (-want +got):\n%s", diff)
	}
	rows, count, err := repeated(t, src, table)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"5", "7", "9"}, ids(rows)); diff != "" || count.Rows != 4 {
		t.Errorf("counted %d rows; lines (-want +got):\n%s", count.Rows, diff)
	}
}

func TestLinesAcrossManyMarks(t *testing.T) {
	var b strings.Builder
	b.WriteString("k,pad\n")
	want := []string{}
	for i := range 40_000 {
		k := "same"
		if i%1000 != 0 {
			k = "k" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("0", i/26%50) + strings.Repeat("1", i/1300)
		} else {
			want = append(want, itoa(i+2))
		}
		b.WriteString(k + "," + strings.Repeat("p", 100) + "\n")
	}
	src := openFile(t, write(t, "long.csv", b.String()), Options{})
	table := inspect(t, src, source.Request{Key: []string{"k"}})
	rows, _, err := repeated(t, src, table)
	if err != nil {
		t.Fatal(err)
	}
	rows = slices.DeleteFunc(rows, func(r source.Row) bool { return r.Key[0].Text != "same" })
	slices.Sort(want)
	if diff := cmp.Diff(want, ids(rows)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if len(src.lines.marks) < 3 {
		t.Errorf("only %d marks were taken", len(src.lines.marks))
	}
	if e := table.EstimatedRows; e < 30_000 || e > 60_000 {
		t.Errorf("estimated %d rows of 40000", e)
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func TestBytesThatAreNotUTF8(t *testing.T) {
	src := openFile(t, write(t, "bytes.csv", "id,k\n1,\xff\n2,\xfe\n3,\xff\n4,\\xFF\n"), Options{})
	rows, _, err := repeated(t, src, inspect(t, src, source.Request{Key: []string{"k"}}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1", "3"}, ids(rows)); diff != "" || rows[0].Key[0].Text != `\xFF` {
		t.Errorf("key %q; rows (-want +got):\n%s", rows[0].Key[0].Text, diff)
	}
}

func TestChangedFile(t *testing.T) {
	path := write(t, "moving.csv", "id,k\n1,a\n2,a\n")
	src := openFile(t, path, Options{})
	table := inspect(t, src, source.Request{Key: []string{"k"}})
	var locators []uint64
	_, err := src.Prints(t.Context(), table, source.Pass{}, func(prints []source.Print) error {
		for _, p := range prints {
			locators = append(locators, p.Locator)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("id,k\n1,a\n2,b\n3,c\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err = src.Fetch(t.Context(), table, locators, func(source.Row) error { return nil })
	wantProblem(t, err, key.CodeDrift, "changed")
	_, err = src.Prints(t.Context(), table, source.Pass{}, func([]source.Print) error { return nil })
	wantProblem(t, err, key.CodeDrift, "changed")
}

func TestReplacedFileIsReadAsItWas(t *testing.T) {
	path := write(t, "replaced.csv", "id,k\n1,a\n2,a\n")
	src := openFile(t, path, Options{})
	if err := os.Rename(write(t, "new.csv", "id,k\n1,x\n"), path); err != nil {
		t.Fatal(err)
	}
	rows, _, err := repeated(t, src, inspect(t, src, source.Request{Key: []string{"k"}}))
	if err != nil || len(rows) != 2 {
		t.Errorf("got %d rows, %v", len(rows), err)
	}
}

func TestStandardInputLeavesNoFile(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	src, err := Open(t.Context(), "-", strings.NewReader("id\tk\n1\ta\n2\ta\n"), Options{Format: "tsv"})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if info := src.Info(); info.Location != "-" || info.Database != "stdin" {
		t.Errorf("info is %+v", info)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	rows, _, err := repeated(t, src, inspect(t, src, source.Request{Table: "stdin", Key: []string{"k"}}))
	if err != nil || len(rows) != 2 {
		t.Errorf("got %d rows, %v", len(rows), err)
	}
}

func TestStandardInputThatFails(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("id,k\n1,"), iotestErr{})
	_, err := Open(t.Context(), "-", broken, Options{})
	wantProblem(t, err, key.CodeBadInput, "stdin")
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	_, err = Open(t.Context(), "-", strings.NewReader("id\n"), Options{})
	wantProblem(t, err, key.CodeDisk, "copy")
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errors.New("the pipe broke") }

func TestStandardInputThatNeverEnds(t *testing.T) {
	reader, writer := io.Pipe()
	defer writer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, "-", reader, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestRecordThatIsTooLong(t *testing.T) {
	text := append([]byte("id,k\n1,\"open\n"), bytes.Repeat([]byte("2,b\n"), maxRecord/4+10)...)
	src := openFile(t, write(t, "long.csv", string(text)), Options{})
	table := inspect(t, src, source.Request{Key: []string{"id"}})
	_, _, err := repeated(t, src, table)
	wantProblem(t, err, key.CodeBadInput, "a closing quote may be missing")
	src.opts.SkipBadLines = true
	count, err := src.Prints(t.Context(), table, source.Pass{}, func([]source.Print) error { return nil })
	if want := (source.Count{Rows: maxRecord/4 + 10, BadLines: 1}); err != nil || count != want {
		t.Errorf("count is %+v (%v), want %+v", count, err, want)
	}
}
