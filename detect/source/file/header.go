package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"twinrow/detect/key"
)

// scanChunk is how much is read at once from start to end, fetchChunk to read one record.
const (
	scanChunk  = 256 << 10
	fetchChunk = 4 << 10
)

// readHeader reads the columns' names and finds the first record.
func (s *Source) readHeader(start []byte) error {
	reader := s.open(scanChunk)
	if bytes.HasPrefix(start, []byte(bom)) {
		reader.seek(int64(len(bom)), 1)
	}
	head, err := reader.next()
	if errors.Is(err, io.EOF) {
		return &key.Problem{Code: key.CodeBadInput, Message: s.input.name + " is empty", Hint: "its first line must name the columns"}
	} else if err != nil {
		return s.headerProblem(err)
	}
	for i, f := range head.fields {
		s.header = append(s.header, string(f.text))
		if err := s.checkName(i); err != nil {
			return err
		}
	}
	s.first = head.offset + int64(len(head.raw))
	s.skipLineEnd()
	lines, err := s.lines.of([]uint64{uint64(s.first)})
	if err != nil {
		return unreadable(s.input.name, err)
	}
	s.firstLine = lines[uint64(s.first)]
	if n := bytes.Count(start, []byte{'\n'}); n > 0 {
		s.estimate = s.input.size * int64(n) / int64(len(start))
	}
	return nil
}

// skipLineEnd moves first behind the line end of the header.
func (s *Source) skipLineEnd() {
	var end [2]byte
	n, _ := s.input.file.ReadAt(end[:], s.first)
	rest := end[:n]
	if bytes.HasPrefix(rest, []byte{'\r'}) {
		rest = rest[1:]
		s.first++
	}
	if bytes.HasPrefix(rest, []byte{'\n'}) {
		s.first++
	}
}

func (s *Source) headerProblem(err error) error {
	if bad, ok := errors.AsType[*badRecord](err); ok {
		return &key.Problem{Code: key.CodeBadInput, Message: s.input.name + " has no usable header: " + bad.Error(), Hint: "its first line must name the columns"}
	}
	return unreadable(s.input.name, err)
}

// checkName refuses names by which a column could not be told.
func (s *Source) checkName(i int) error {
	name := s.header[i]
	p := &key.Problem{Code: key.CodeBadInput, Hint: "its first line must name every column once"}
	switch {
	case name == "":
		p.Message = fmt.Sprintf("the header of %s has no name for column %d", s.input.name, i+1)
	case !utf8.ValidString(name):
		p.Message = fmt.Sprintf("the header of %s is not UTF-8 in column %d", s.input.name, i+1)
	case strings.Contains(name, "\x00"):
		p.Message = s.input.name + " is not text"
	case strings.Contains(name, "\r") && !strings.Contains(name, "\n"):
		p.Message, p.Hint = "the lines of "+s.input.name+" end with CR alone", "save it with LF or CR LF at the end of lines"
	case slices.Contains(s.header[:i], name):
		p.Message = fmt.Sprintf("the header of %s has the name %q twice", s.input.name, name)
	default:
		return nil
	}
	return p
}
