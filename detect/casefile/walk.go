package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
)

// errJSON says that a text is not JSON, or not of the shape that was asked for.
var errJSON = errors.New("the text is not the JSON that was written")

// walk goes through one JSON text and hands out only what is asked for. What
// it passes over it looks at no closer than it must to find its end, which
// makes it several times as fast as decoding all of it: it is for texts whose
// digest has been checked. After an error every step does nothing.
type walk struct {
	text []byte
	at   int
	err  error
	// names keeps member names that were handed out, which come over and over.
	names map[string]string
}

func (w *walk) fail() {
	if w.err == nil {
		w.err = errJSON
	}
}

// next passes over white space and returns the byte that follows, 0 at the end.
func (w *walk) next() byte {
	for w.at < len(w.text) {
		switch c := w.text[w.at]; c {
		case ' ', '\t', '\n', '\r':
			w.at++
		default:
			return c
		}
	}
	return 0
}

// take passes over one byte, which must be c.
func (w *walk) take(c byte) {
	if w.err != nil || w.next() != c {
		w.fail()
		return
	}
	w.at++
}

// list walks through what stands between open and closing, separated by commas.
func (w *walk) list(open, closing byte, each func()) {
	w.take(open)
	if w.err == nil && w.next() == closing {
		w.at++
		return
	}
	for w.err == nil {
		each()
		if w.err == nil && w.next() == closing {
			w.at++
			return
		}
		w.take(',')
	}
}

// object walks through an object; each must take or skip the member's value.
func (w *walk) object(each func(name []byte)) {
	w.list('{', '}', func() {
		name, _ := w.quoted()
		w.take(':')
		if w.err == nil {
			each(name)
		}
	})
}

// array walks through an array; each must take or skip an element.
func (w *walk) array(each func()) { w.list('[', ']', each) }

// quoted returns what stands between the quotes of a string, and whether it is
// the string as it is: no escapes in it.
func (w *walk) quoted() (inside []byte, plain bool) {
	w.take('"')
	start := w.at
	for w.err == nil {
		end := bytes.IndexByte(w.text[w.at:], '"')
		if end < 0 {
			w.fail()
			break
		}
		escape := bytes.IndexByte(w.text[w.at:w.at+end], '\\')
		if escape < 0 {
			w.at += end + 1
			inside = w.text[start : w.at-1]
			return inside, bytes.IndexByte(inside, '\\') < 0
		}
		if w.at += escape + 2; w.at > len(w.text) {
			w.fail()
		}
	}
	return nil, false
}

// string takes a string.
func (w *walk) string() string {
	w.next()
	start := w.at
	inside, plain := w.quoted()
	if plain {
		return string(inside)
	}
	var text string
	if w.err == nil && json.Unmarshal(w.text[start:w.at], &text) != nil {
		w.fail()
	}
	return text
}

// fields takes an object of strings and nulls.
func (w *walk) fields() Fields {
	fields := make(Fields, 0, 1)
	w.object(func(name []byte) {
		field := Field{Name: w.name(name)}
		if w.next() == 'n' {
			if string(w.word()) != "null" {
				w.fail()
			}
		} else {
			field.Value = new(w.string())
		}
		fields = append(fields, field)
	})
	return fields
}

// name is the text of a member's name.
func (w *walk) name(raw []byte) string {
	if known, ok := w.names[string(raw)]; ok {
		return known
	}
	name := string(raw)
	if bytes.IndexByte(raw, '\\') >= 0 && json.Unmarshal([]byte(`"`+name+`"`), &name) != nil {
		w.fail()
	}
	if w.names != nil {
		w.names[string(raw)] = name
	}
	return name
}

// skip passes over a value.
func (w *walk) skip() {
	for depth := 0; w.err == nil; {
		switch c := w.next(); {
		case c == '"':
			w.quoted()
		case c == '{' || c == '[':
			depth++
			w.at++
		case depth > 0 && (c == '}' || c == ']'):
			depth--
			w.at++
		case depth > 0 && (c == ',' || c == ':'):
			w.at++
		default:
			w.word()
		}
		if depth == 0 {
			return
		}
	}
}

// word takes what is neither a string, an object nor an array: a number, true,
// false or null.
func (w *walk) word() []byte {
	w.next()
	start := w.at
	for w.at < len(w.text) && bytes.IndexByte([]byte(" \t\n\r,:{}[]\""), w.text[w.at]) < 0 {
		w.at++
	}
	if w.at == start {
		w.fail()
	}
	return w.text[start:w.at]
}
