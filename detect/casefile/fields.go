package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Fields are named values in an order that matters: as JSON they are one
// object whose members keep that order.
type Fields []Field

// Field is one named value as the database prints it; nil is NULL.
type Field struct {
	Name  string
	Value *string
}

// Get returns the value of name; ok is false where there is none or it is NULL.
func (f Fields) Get(name string) (value string, ok bool) {
	for _, field := range f {
		if field.Name == name {
			if field.Value == nil {
				return "", false
			}
			return *field.Value, true
		}
	}
	return "", false
}

// Equal tells whether names and values are the same, in the same order.
func (f Fields) Equal(other Fields) bool {
	return slices.EqualFunc(f, other, func(a, b Field) bool {
		return a.Name == b.Name && (a.Value == nil) == (b.Value == nil) && (a.Value == nil || *a.Value == *b.Value)
	})
}

// MarshalJSON writes one object with the members in order.
func (f Fields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, field := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := appendText(&b, &field.Name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := appendText(&b, field.Value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// appendText writes a string or null without escaping <, > and &, which a
// person would have to unescape. Most are written as they are.
func appendText(b *bytes.Buffer, text *string) error {
	if text != nil && bare(*text) {
		b.WriteByte('"')
		b.WriteString(*text)
		b.WriteByte('"')
		return nil
	}
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // Encode ends with a newline
	return nil
}

// bare tells whether a text is its own JSON.
func bare(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// UnmarshalJSON reads an object of strings and nulls, keeping the order.
func (f *Fields) UnmarshalJSON(data []byte) error {
	if bytes.IndexByte(data, '\\') < 0 && utf8.Valid(data) {
		w := walk{text: data}
		if fields := w.fields(); w.err == nil {
			*f = fields
			return nil
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	start, err := decoder.Token()
	if err != nil {
		return err
	}
	if start != json.Delim('{') {
		return errors.New("fields are not an object")
	}
	*f = Fields{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var value *string
		if err := decoder.Decode(&value); err != nil {
			return fmt.Errorf("field %v: %w", name, err)
		}
		*f = append(*f, Field{Name: name.(string), Value: value})
	}
	_, err = decoder.Token()
	return err
}
