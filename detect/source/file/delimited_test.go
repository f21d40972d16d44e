package file

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readAll reads every record in small chunks, so that records span them.
func readAll(data []byte, delimiter byte, chunk int) (records [][]field, bad int, offsets []int64, err error) {
	d := newDelimited(bytes.NewReader(data), delimiter, 0, chunk)
	for {
		rec, err := d.next()
		var b *badRecord
		switch {
		case errors.Is(err, io.EOF):
			return records, bad, offsets, nil
		case errors.As(err, &b):
			bad++
			continue
		case err != nil:
			return nil, 0, nil, err
		}
		var fields []field
		for _, f := range rec.fields {
			fields = append(fields, field{text: bytes.Clone(f.text), null: f.null})
		}
		records = append(records, fields)
		offsets = append(offsets, rec.offset)
	}
}

func FuzzDelimited(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a,\"b\"\r\n\"\",\r\n", "\"x\"\"y\",\"z\nw\"\n", "\"open\n1,2", "a\"b,c\n", "\"a\"b\n", "\r\n\n,\n", "a\r", "\"a\"\r", "\"a\r\nb\"\r\n", ",,,", "\"\"\"\"\n",
		"\"a\",", "x\ry,z\r\n", "\"a\"\rb\n",
	} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, chunk uint8) {
		records, bad, offsets, err := readAll(data, ',', int(chunk)+1)
		if err != nil {
			t.Fatal(err)
		}
		whole, wholeBad, _, _ := readAll(data, ',', len(data)+1)
		if diff := cmp.Diff(texts(whole), texts(records)); diff != "" || bad != wholeBad {
			t.Fatalf("the chunk's size makes a difference:\n%s", diff)
		}
		checkOffsets(t, data, records, offsets)
		checkAgainstStandard(t, data, records, bad)
	})
}

// checkOffsets reads each record again by its offset alone.
func checkOffsets(t *testing.T, data []byte, records [][]field, offsets []int64) {
	t.Helper()
	d := newDelimited(bytes.NewReader(data), ',', 0, 2)
	for i, offset := range slices.Backward(offsets) {
		d.seek(offset, 1)
		rec, err := d.next()
		if err != nil {
			t.Fatalf("record %d at %d: %v", i, offset, err)
		}
		if diff := cmp.Diff(texts(records[i:i+1]), texts([][]field{rec.fields})); diff != "" {
			t.Fatalf("record %d read again differs:\n%s", i, diff)
		}
	}
}

// checkAgainstStandard compares with encoding/csv, which turns CR LF into LF
// inside quotes and does not tell "" from nothing.
func checkAgainstStandard(t *testing.T, data []byte, records [][]field, bad int) {
	t.Helper()
	reader := csv.NewReader(bytes.NewReader(data))
	reader.FieldsPerRecord = -1
	want, err := reader.ReadAll()
	if (err == nil) != (bad == 0) {
		t.Fatalf("encoding/csv says %v, we met %d bad records", err, bad)
	}
	if err != nil {
		return // after an error the two go on in different places
	}
	got := texts(records)
	for _, record := range got {
		for i, text := range record {
			record[i] = strings.ReplaceAll(text, "\r\n", "\n")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("records (-encoding/csv +ours):\n%s", diff)
	}
}

func texts(records [][]field) [][]string {
	var out [][]string
	for _, fields := range records {
		var texts []string
		for _, f := range fields {
			texts = append(texts, string(f.text))
		}
		out = append(out, texts)
	}
	return out
}

func TestNullAndEmpty(t *testing.T) {
	records, bad, _, err := readAll([]byte("a,\"\",,\" \",\"\"\n,\n\"\"\n"), ',', 4)
	if err != nil || bad > 0 {
		t.Fatal(err, bad)
	}
	var got [][]bool
	for _, fields := range records {
		var nulls []bool
		for _, f := range fields {
			nulls = append(nulls, f.null)
		}
		got = append(got, nulls)
	}
	want := [][]bool{{false, false, true, false, false}, {true, true}, {false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("NULLs (-want +got):\n%s", diff)
	}
}

func TestOneColumnHasNullsForEmptyLines(t *testing.T) {
	d := newDelimited(strings.NewReader("a\n\n\r\nb\n\"\"\n"), ',', 1, 8)
	var nulls []bool
	for {
		rec, err := d.next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		nulls = append(nulls, rec.fields[0].null)
	}
	if diff := cmp.Diff([]bool{false, true, true, false, false}, nulls); diff != "" {
		t.Errorf("NULLs (-want +got):\n%s", diff)
	}
}

func TestEveryLineOpensAQuote(t *testing.T) {
	// Each line is bad on its own and none takes the rest of the file with it.
	data := strings.Repeat("x,\"y\n", 2001)
	_, bad, _, err := readAll([]byte(data), ',', 512)
	if err != nil || bad != 2001 {
		t.Errorf("%d bad records of 2001, %v", bad, err)
	}
}
