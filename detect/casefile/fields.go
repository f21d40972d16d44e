package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

// MarshalJSON writes one object with the members in order.
func (f Fields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, field := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := appendJSON(&b, field.Name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := appendJSON(&b, field.Value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// appendJSON writes a value without escaping <, > and &, which a person would have to unescape.
func appendJSON(b *bytes.Buffer, v any) error {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // Encode ends with a newline
	return nil
}

// UnmarshalJSON reads an object of strings and nulls, keeping the order.
func (f *Fields) UnmarshalJSON(data []byte) error {
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
