package file

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxNames bounds the union of the objects' names: past it the names are
// values, as in {"user-17": …}, and the file is no table.
const maxNames = 4096

// names are the columns of JSON lines: the names of all objects in the order
// in which they were first seen.
type names struct {
	list  []string
	place map[string]int
	// grows is true while the file is first read; after that a name that was
	// not seen then belongs to a line that was left out.
	grows bool
	// tooMany is set once there are more than maxNames.
	tooMany bool
}

// of is the place of a name, -1 where it is not known.
func (n *names) of(name []byte) int {
	if place, ok := n.place[string(name)]; ok {
		return place
	}
	if !n.grows {
		return -1
	}
	if len(n.list) == maxNames {
		n.tooMany = true
		return -1
	}
	n.place[string(name)] = len(n.list)
	n.list = append(n.list, string(name))
	return len(n.list) - 1
}

// jsonLines reads one JSON object a line. A string is its text, a number keeps
// its digits, what is nested keeps its JSON; a missing name and null are NULL.
// A line of white space is no record.
type jsonLines struct {
	window
	names *names
	// typed is true for items of DynamoDB, whose values carry their type.
	typed bool

	rec     record
	scratch []byte
	seen    []bool
}

func newJSONLines(src io.ReaderAt, n *names, typed bool, chunk int) *jsonLines {
	return &jsonLines{window: window{src: src, chunk: chunk, line: 1}, names: n, typed: typed}
}

func (j *jsonLines) next() (*record, error) {
	for {
		data := j.buf[j.pos:]
		end, next := lineEnd(data)
		switch {
		case end < 0 && !j.eof && len(data) >= maxRecord:
			return nil, j.skipLine(data, fmt.Sprintf("is longer than %d MiB", maxRecord>>20))
		case end < 0 && !j.eof:
			if err := j.fill(); err != nil {
				return nil, err
			}
			continue
		case len(data) == 0:
			return nil, io.EOF
		case end < 0:
			end, next = len(data), len(data)
		}
		raw := bytes.Trim(data[:end], " \t\r")
		if len(raw) == 0 {
			j.advance(next)
			continue
		}
		j.rec = record{offset: j.base + int64(j.pos), line: j.line, raw: raw, fields: j.rec.fields[:0]}
		j.scratch, j.seen = j.scratch[:0], j.seen[:0]
		j.advance(next)
		if reason := j.object(raw); reason != "" {
			return nil, &badRecord{line: j.rec.line, reason: reason}
		}
		j.grow(len(j.names.list))
		return &j.rec, nil
	}
}

// grow makes room for n fields; those that were not there are NULL.
func (j *jsonLines) grow(n int) {
	for len(j.rec.fields) < n {
		j.rec.fields = append(j.rec.fields, field{null: true})
		j.seen = append(j.seen, false)
	}
}

// object reads a line. What is valid is known beforehand, so that the walk
// over it needs no errors of its own but those that JSON allows and a table does not.
func (j *jsonLines) object(raw []byte) (reason string) {
	switch {
	case raw[0] != '{':
		return "is not a JSON object"
	case !json.Valid(raw):
		return "is not a whole JSON object"
	}
	j.grow(len(j.names.list))
	at := space(raw, 1)
	for raw[at] != '}' {
		if raw[at] == ',' {
			at = space(raw, at+1)
		}
		end := stringEnd(raw, at)
		name, reason := j.text(raw[at:end])
		if reason != "" {
			return reason
		}
		at = space(raw, space(raw, end)+1) // behind the colon
		end = valueEnd(raw, at)
		if reason := j.member(name, raw[at:end]); reason != "" {
			return reason
		}
		at = space(raw, end)
	}
	return ""
}

// member puts one value in its place.
func (j *jsonLines) member(name, value []byte) (reason string) {
	switch {
	case len(name) == 0:
		return "has a value without a name"
	case !utf8.Valid(name):
		return "has a name that is not UTF-8"
	}
	place := j.names.of(name)
	if place < 0 {
		return "" // the reader of the names says that they are too many
	}
	j.grow(place + 1)
	if j.seen[place] {
		return fmt.Sprintf("has the name %q twice", name)
	}
	j.seen[place] = true
	if j.typed {
		a, err := readAttribute(value)
		if err != nil {
			return fmt.Sprintf("has a value of %q that is none of DynamoDB", name)
		}
		j.rec.fields[place] = field{text: []byte(a.text), equal: a.equal, null: a.null}
		return ""
	}
	switch value[0] {
	case 'n':
	case '"':
		text, reason := j.text(value)
		if reason != "" {
			return reason
		}
		j.rec.fields[place] = field{text: text}
	default:
		j.rec.fields[place] = field{text: value}
	}
	return ""
}
