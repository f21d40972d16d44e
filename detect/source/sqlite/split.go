package sqlite

import (
	"bytes"
	"fmt"
	"io"
	"slices"
)

// maxStatement is the size in bytes past which a statement is taken for one
// that was never ended. SQLite itself takes a million by default, D1 100,000.
const maxStatement = 256 << 20

// splitter cuts a script into its statements where SQLite's own shell does: at
// a semicolon outside of quotes and comments, and in CREATE TRIGGER at the one
// behind END.
type splitter struct {
	src   io.Reader
	chunk int
	buf   []byte
	eof   bool
	line  int
}

func newSplitter(src io.Reader, chunk int) *splitter {
	return &splitter{src: src, chunk: chunk, line: 1}
}

// next is the next statement, whitespace and comments before it included, and
// the line it starts on. ended is false for what stands behind the last
// semicolon. It is valid until the next call; the error is io.EOF at the end.
func (s *splitter) next() (text []byte, line int, ended bool, err error) {
	var m machine
	at := 0
	for {
		size, kind := token(s.buf[at:], s.eof)
		if size == 0 {
			if s.eof {
				break
			}
			if len(s.buf) > maxStatement {
				return nil, s.line, false, fmt.Errorf("a statement of more than %d MiB", maxStatement>>20)
			}
			if err := s.fill(); err != nil {
				return nil, s.line, false, err
			}
			continue
		}
		done := m.step(kind, s.buf[at:at+size])
		at += size
		if done {
			text, line = s.take(at)
			return text, line, true, nil
		}
	}
	if m.empty() {
		return nil, s.line, false, io.EOF
	}
	text, line = s.take(len(s.buf))
	return text, line, false, nil
}

// take cuts off the first n bytes.
func (s *splitter) take(n int) (text []byte, line int) {
	text, s.buf = s.buf[:n:n], s.buf[n:]
	line = s.line
	s.line += bytes.Count(text, []byte{'\n'})
	// What stands before the statement is not where it starts.
	rest := text
	for {
		size, kind := token(rest, true)
		if size == 0 || kind != tokenSpace {
			return text, line + bytes.Count(text[:len(text)-len(rest)], []byte{'\n'})
		}
		rest = rest[size:]
	}
}

// fill reads on, at least as much as is there already.
func (s *splitter) fill() error {
	want := max(s.chunk, len(s.buf))
	grown := slices.Grow(slices.Clip(s.buf), want)
	n, err := io.ReadAtLeast(s.src, grown[len(s.buf):len(s.buf)+want], 1)
	s.buf = grown[:len(s.buf)+n]
	if err == io.EOF {
		s.eof, err = true, nil
	}
	return err
}

// Kinds of tokens.
const (
	tokenSpace = iota
	tokenWord
	tokenEnd // a semicolon
	tokenOther
)

// token is the size and kind of what data begins with; 0 where more is needed
// to tell, or nothing is left.
func token(data []byte, eof bool) (size, kind int) {
	if len(data) == 0 {
		return 0, tokenOther
	}
	switch c := data[0]; {
	case c == ';':
		return 1, tokenEnd
	case isSpace(c):
		return 1, tokenSpace
	case c == '\'' || c == '"' || c == '`' || c == '[':
		n := quotedEnd(data)
		switch {
		case n == 0 && eof:
			return len(data), tokenOther // never closed
		case n == len(data) && !eof && c != '[':
			return 0, tokenOther // a second quote may follow
		}
		return n, tokenOther
	case c == '-' || c == '/':
		return comment(data, eof)
	case isWord(c):
		n := 1
		for n < len(data) && isWord(data[n]) {
			n++
		}
		if n == len(data) && !eof {
			return 0, tokenWord
		}
		return n, tokenWord
	}
	return 1, tokenOther
}

// quotedEnd is the size of a text in quotes, 0 where it does not end here.
func quotedEnd(data []byte) int {
	quote := data[0]
	if quote == '[' {
		return bytes.IndexByte(data, ']') + 1
	}
	for at := 1; ; {
		n := bytes.IndexByte(data[at:], quote)
		if n < 0 {
			return 0
		}
		at += n + 1
		if at == len(data) || data[at] != quote {
			return at
		}
		at++
	}
}

// comment is a comment, which counts as space, or the operator that looks like one.
func comment(data []byte, eof bool) (size, kind int) {
	if len(data) == 1 && !eof {
		return 0, tokenOther
	}
	var end string
	var behind int
	switch {
	case bytes.HasPrefix(data, []byte("--")):
		end, behind = "\n", 1
	case bytes.HasPrefix(data, []byte("/*")):
		end, behind = "*/", 2
	default:
		return 1, tokenOther
	}
	n := bytes.Index(data[2:], []byte(end))
	switch {
	case n >= 0:
		return 2 + n + behind, tokenSpace
	case eof:
		return len(data), tokenSpace // SQLite ends an open comment at the end
	}
	return 0, tokenSpace
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// machine follows a statement as far as it takes to know where it ends.
type machine struct {
	words   int
	create  bool // CREATE, perhaps with TEMP or EXPLAIN, and nothing else yet
	trigger bool
	end     int // in a trigger: 1 behind a semicolon, 2 behind its END
	some    bool
}

func (m *machine) empty() bool { return !m.some }

// step takes one token and tells whether the statement ends with it.
func (m *machine) step(kind int, text []byte) bool {
	switch kind {
	case tokenSpace:
		return false
	case tokenEnd:
		if !m.trigger || m.end == 2 {
			return true
		}
		m.end = 1
		return false
	}
	m.some = true
	m.words++
	is := func(word string) bool { return kind == tokenWord && bytes.EqualFold(text, []byte(word)) }
	switch {
	case m.trigger && m.end == 1 && is("END"):
		m.end = 2
	case m.trigger:
		m.end = 0
	case m.words == 1:
		m.create = is("CREATE")
	case m.create && is("TRIGGER"):
		m.trigger = true
	case m.create && !is("TEMP") && !is("TEMPORARY"):
		m.create = false
	}
	return false
}
