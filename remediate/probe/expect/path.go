package expect

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Path is a place in a JSON document: names joined by dots, with [2] for one
// element of an array and [] for any of them, as entry[].changes[0].id.
type Path struct {
	text  string
	steps []step
}

// step is a name, or an element of an array: any of them where index is -1.
type step struct {
	name    string
	element bool
	index   int
}

// ParsePath reads a dotted path. A name may hold anything but a dot and
// brackets; a number after a dot is an element too (entry.0.id).
func ParsePath(text string) (Path, error) {
	p := Path{text: text}
	for part := range strings.SplitSeq(text, ".") {
		name, brackets, _ := strings.Cut(part, "[")
		if name == "" && (brackets == "" || len(p.steps) > 0) {
			return Path{}, errors.New("a name is missing between the dots")
		}
		if name != "" {
			p.steps = append(p.steps, step{name: name})
		}
		if len(name) == len(part) {
			continue
		}
		for element := range strings.SplitSeq(brackets, "[") {
			s, err := parseElement(element)
			if err != nil {
				return Path{}, err
			}
			p.steps = append(p.steps, s)
		}
	}
	return p, nil
}

func parseElement(text string) (step, error) {
	number, closed := strings.CutSuffix(text, "]")
	if !closed {
		return step{}, errors.New("a bracket is not closed")
	}
	if number == "" {
		return step{element: true, index: -1}, nil
	}
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return step{}, fmt.Errorf("[%s] is neither an element's number nor []", number)
	}
	return step{element: true, index: int(n)}, nil
}

// String is the path as it was written.
func (p Path) String() string { return p.text }

// Find returns every value at the path; none where there is no such place.
func (p Path) Find(document any) []any {
	found := []any{document}
	for _, s := range p.steps {
		var next []any
		for _, value := range found {
			next = append(next, s.from(value)...)
		}
		found = next
	}
	return found
}

func (s step) from(value any) []any {
	switch v := value.(type) {
	case map[string]any:
		if inner, ok := v[s.name]; ok && !s.element {
			return []any{inner}
		}
	case []any:
		if s.element && s.index < 0 {
			return v
		}
		index := s.index
		if !s.element {
			n, err := strconv.ParseUint(s.name, 10, 31)
			if err != nil {
				return nil
			}
			index = int(n)
		}
		if index < len(v) {
			return v[index : index+1]
		}
	}
	return nil
}
