package expect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// Body is an answer's body, read as JSON at most once.
type Body struct {
	raw      []byte
	unknown  bool
	parsed   bool
	isJSON   bool
	document any
}

// NewBody takes an answer's body. Where unknown is true the body could not be
// read whole, and nothing is said of it: neither that it has a value nor that
// it has not.
func NewBody(raw []byte, unknown bool) *Body { return &Body{raw: raw, unknown: unknown} }

// JSON returns the document; ok is false where the body is none.
func (b *Body) JSON() (document any, ok bool) {
	if !b.parsed && !b.unknown {
		b.parsed = true
		decoder := json.NewDecoder(bytes.NewReader(b.raw))
		decoder.UseNumber()
		err := decoder.Decode(&b.document)
		_, rest := decoder.Token()
		b.isJSON = err == nil && rest == io.EOF
	}
	return b.document, b.isJSON
}

// Want is a place in a JSON document and the value that is looked for there.
type Want struct {
	Path Path
	// Value is a string, a json.Number, a bool or nil.
	Value any
}

// In tells whether any value at the path is the one wanted, and whether there
// was a value at all.
func (w Want) In(b *Body) (holds, found bool) {
	document, ok := b.JSON()
	if !ok {
		return false, false
	}
	values := w.Path.Find(document)
	for _, value := range values {
		if same(value, w.Value) {
			return true, true
		}
	}
	return false, len(values) > 0
}

// same compares scalars. Numbers are equal by value, so 1.0 is 1, as long as
// both are exact in a float.
func same(a, b any) bool {
	x, xNumber := a.(json.Number)
	y, yNumber := b.(json.Number)
	if !xNumber || !yNumber {
		switch a.(type) {
		case nil, string, bool:
			return a == b
		}
		return false
	}
	if x == y {
		return true
	}
	const exact = 1 << 53
	m, errM := strconv.ParseFloat(string(x), 64)
	n, errN := strconv.ParseFloat(string(y), 64)
	return errM == nil && errN == nil && m == n && m < exact && m > -exact
}

// Text writes the wanted value as a person would.
func (w Want) Text() string {
	if w.Value == nil {
		return "null"
	}
	return fmt.Sprint(w.Value)
}

// Scalar is a text, a number or a truth as text; ok is false for anything else.
func Scalar(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number, bool:
		return fmt.Sprint(v), true
	}
	return "", false
}
