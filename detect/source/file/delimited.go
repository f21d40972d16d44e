package file

import (
	"bytes"
	"fmt"
	"io"
)

// delimited reads records of fields with a delimiter between them, quoted as
// RFC 4180 has it. Lines end with LF or CR LF. An empty line is no record,
// except in a file of one column, where it is a NULL.
type delimited struct {
	window
	delimiter byte
	// columns is how many fields a record must have; 0 takes any number.
	columns int

	rec     record
	scratch []byte
}

func newDelimited(src io.ReaderAt, delimiter byte, columns, chunk int) *delimited {
	return &delimited{window: window{src: src, chunk: chunk, line: 1}, delimiter: delimiter, columns: columns}
}

func (d *delimited) next() (*record, error) {
	for {
		data := d.buf[d.pos:]
		if len(data) == 0 && d.eof {
			return nil, io.EOF
		}
		d.rec = record{offset: d.base + int64(d.pos), line: d.line, fields: d.rec.fields[:0]}
		d.scratch = d.scratch[:0]
		used, reason := d.parse(data)
		switch {
		case used > 0:
			d.advance(used)
			if len(d.rec.raw) == 0 && d.columns != 1 {
				continue
			}
			return d.counted()
		case reason != "":
			return nil, d.skipLine(data, reason)
		case len(data) >= maxRecord:
			return nil, d.skipLine(data, fmt.Sprintf("begins a record of more than %d MiB; a closing quote may be missing", maxRecord>>20))
		}
		if err := d.fill(); err != nil {
			return nil, err
		}
	}
}

// counted checks the number of fields.
func (d *delimited) counted() (*record, error) {
	if got := len(d.rec.fields); d.columns > 0 && got != d.columns {
		return nil, &badRecord{line: d.rec.line, reason: fmt.Sprintf("has %s where the header has %d", fieldCount(got), d.columns)}
	}
	return &d.rec, nil
}

func fieldCount(n int) string {
	if n == 1 {
		return "1 field"
	}
	return fmt.Sprintf("%d fields", n)
}

// parse reads one record from the start of data. used is how many bytes it
// and its line end take; 0 without a reason means that more data are needed.
func (d *delimited) parse(data []byte) (used int, reason string) {
	end, next := lineEnd(data)
	if end < 0 && !d.eof {
		return 0, ""
	}
	if end < 0 {
		end, next = len(bytes.TrimSuffix(data, []byte{'\r'})), len(data)
	}
	if bytes.IndexByte(data[:end], '"') < 0 {
		d.split(data[:end])
		return next, ""
	}
	return d.parseQuoted(data)
}

// lineEnd finds the first line end: where the text stops and the next line
// starts; -1 where there is none.
func lineEnd(data []byte) (end, next int) {
	end = bytes.IndexByte(data, '\n')
	if end < 0 {
		return -1, 0
	}
	next = end + 1
	if end > 0 && data[end-1] == '\r' {
		end--
	}
	return end, next
}

// split takes a line without quotes apart.
func (d *delimited) split(line []byte) {
	d.rec.raw = line
	for {
		i := bytes.IndexByte(line, d.delimiter)
		if i < 0 {
			d.add(line)
			return
		}
		d.add(line[:i])
		line = line[i+1:]
	}
}

func (d *delimited) add(text []byte) {
	d.rec.fields = append(d.rec.fields, field{text: text, null: len(text) == 0})
}

// parseQuoted reads a record that has quotes somewhere on its first line.
func (d *delimited) parseQuoted(data []byte) (used int, reason string) {
	for i := 0; ; {
		var end int
		if i < len(data) && data[i] == '"' {
			end, reason = d.quotedField(data, i)
		} else {
			end, reason = d.plainField(data, i)
		}
		if end < 0 || reason != "" {
			return 0, reason
		}
		if end < len(data) && data[end] == d.delimiter {
			i = end + 1
			continue
		}
		d.rec.raw = data[:end]
		return d.pastLineEnd(data, end), ""
	}
}

// pastLineEnd is where the next record starts, given where the text of this one stops.
func (d *delimited) pastLineEnd(data []byte, end int) int {
	if end < len(data) && data[end] == '\r' {
		end++
	}
	if end < len(data) && data[end] == '\n' {
		end++
	}
	return end
}

// plainField reads a field without quotes from i on and returns where it ends;
// -1 means that more data are needed.
func (d *delimited) plainField(data []byte, i int) (end int, reason string) {
	rest := data[i:]
	n := bytes.IndexByte(rest, d.delimiter)
	line, _ := lineEnd(rest)
	if line < 0 && d.eof {
		line = len(bytes.TrimSuffix(rest, []byte{'\r'}))
	}
	if line >= 0 && (n < 0 || line < n) {
		n = line
	}
	if n < 0 {
		return -1, ""
	}
	if bytes.IndexByte(rest[:n], '"') >= 0 {
		return 0, "has a quote inside a field that does not begin with one"
	}
	d.add(rest[:n])
	return i + n, ""
}

// quotedField reads a field that begins with a quote at i.
func (d *delimited) quotedField(data []byte, i int) (end int, reason string) {
	start := len(d.scratch)
	for at := i + 1; ; {
		n := bytes.IndexByte(data[at:], '"')
		if n < 0 {
			return d.unclosed()
		}
		d.scratch = append(d.scratch, data[at:at+n]...)
		at += n + 1
		if at < len(data) && data[at] == '"' {
			d.scratch = append(d.scratch, '"')
			at++
			continue
		}
		ended, more := d.fieldEnds(data[at:])
		if more {
			return -1, ""
		}
		if !ended {
			return 0, "has text behind a closing quote"
		}
		d.rec.fields = append(d.rec.fields, field{text: d.scratch[start:len(d.scratch):len(d.scratch)]})
		return at, ""
	}
}

func (d *delimited) unclosed() (int, string) {
	if !d.eof {
		return -1, ""
	}
	return 0, "opens a quote that is never closed"
}

// fieldEnds tells whether a delimiter or the end of a line or of the file
// follows; more is true where the data at hand cannot tell.
func (d *delimited) fieldEnds(rest []byte) (ended, more bool) {
	switch {
	case len(rest) == 0:
		return d.eof, !d.eof
	case rest[0] == d.delimiter || rest[0] == '\n':
		return true, false
	case rest[0] != '\r':
		return false, false
	case len(rest) == 1:
		return d.eof, !d.eof
	}
	return rest[1] == '\n', false
}
