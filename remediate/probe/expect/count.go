package expect

import (
	"errors"
	"fmt"
	"strings"
)

// Count is how many of something there must be. The zero Count asks nothing.
type Count struct {
	// Exactly, AtLeast and AtMost are nil where not asked.
	Exactly, AtLeast, AtMost *int64
}

// Outcome is how a number stands to a Count.
type Outcome int

// Outcomes.
const (
	Right Outcome = iota
	TooFew
	TooMany
)

// Check tells what is wrong with the count itself, or nil.
func (c Count) Check() error {
	for _, n := range []*int64{c.Exactly, c.AtLeast, c.AtMost} {
		if n != nil && *n < 0 {
			return errors.New("a count cannot be negative")
		}
	}
	switch {
	case c == Count{}:
		return errors.New("one of exactly, at_least, at_most is needed")
	case c.Exactly != nil && (c.AtLeast != nil || c.AtMost != nil):
		return errors.New("exactly stands alone, without at_least and at_most")
	case c.AtLeast != nil && c.AtMost != nil && *c.AtLeast > *c.AtMost:
		return errors.New("at_least is more than at_most")
	}
	return nil
}

// Of compares a number with the count.
func (c Count) Of(n int64) Outcome {
	if n < c.Least() {
		return TooFew
	}
	if most, bounded := c.Most(); bounded && n > most {
		return TooMany
	}
	return Right
}

// Least is the smallest right number.
func (c Count) Least() int64 {
	switch {
	case c.Exactly != nil:
		return *c.Exactly
	case c.AtLeast != nil:
		return *c.AtLeast
	}
	return 0
}

// Most is the largest right number, if there is one.
func (c Count) Most() (n int64, bounded bool) {
	switch {
	case c.Exactly != nil:
		return *c.Exactly, true
	case c.AtMost != nil:
		return *c.AtMost, true
	}
	return 0, false
}

// String writes the count in words.
func (c Count) String() string {
	var words []string
	for _, part := range []struct {
		word string
		n    *int64
	}{{"exactly", c.Exactly}, {"at least", c.AtLeast}, {"at most", c.AtMost}} {
		if part.n != nil {
			words = append(words, fmt.Sprintf("%s %d", part.word, *part.n))
		}
	}
	return strings.Join(words, ", ")
}
