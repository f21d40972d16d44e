// Package json writes a report as the one JSON document of the contract. It
// knows nothing but the document.
package json

import (
	"bufio"
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"io"
	"strconv"
	"unicode/utf16"

	"twinrow/report"
)

// Render writes the document, a group a line, so that a large case is never
// held as one text and two reports can be compared line by line. Characters
// that a terminal would act on are written as \u escapes, which every reader
// of JSON turns back: nothing is lost.
func Render(w io.Writer, doc *report.Document) error {
	out := bufio.NewWriterSize(w, 1<<16)
	head := *doc
	head.Tables = []report.Table{}
	before, after, err := around(head, `"tables":[`)
	if err != nil {
		return err
	}
	out.Write(before)
	for i := range doc.Tables {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		if err := writeTable(out, &doc.Tables[i]); err != nil {
			return err
		}
	}
	out.Write(after)
	out.WriteByte('\n')
	return out.Flush() // bufio keeps the first error of all the writes
}

func writeTable(out *bufio.Writer, table *report.Table) error {
	head := *table
	head.Groups = []report.Group{}
	before, after, err := around(head, `"groups":[`)
	if err != nil {
		return err
	}
	out.Write(before)
	for i := range table.Groups {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		line, err := marshal(&table.Groups[i])
		if err != nil {
			return err
		}
		out.Write(line)
	}
	_, err = out.Write(after)
	return err
}

// around is the JSON of a value before and after the elements of its empty
// list. Text that looks like the list cannot be taken for it: inside of a
// string its quotes are escaped.
func around(value any, list string) (before, after []byte, err error) {
	text, err := marshal(value)
	if err != nil {
		return nil, nil, err
	}
	at := bytes.Index(text, []byte(list+"]"))
	if at < 0 {
		return nil, nil, fmt.Errorf("writing JSON: no list %s", list)
	}
	at += len(list)
	return text[:at], text[at:], nil
}

func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := stdjson.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return escape(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// escape writes characters that are not for printing as JSON escapes. Outside
// of strings JSON is ASCII, so they only stand where an escape may stand.
func escape(text []byte) []byte {
	if !bytes.ContainsFunc(text, unprintable) {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if !unprintable(r) {
			b.WriteRune(r)
		} else if high, low := utf16.EncodeRune(r); r > 0xFFFF {
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}

func unprintable(r rune) bool { return r > 0x7E && !strconv.IsPrint(r) }
