// Package expect owns what an answer is compared with: statuses, places in a
// JSON document, and counts.
//
// It must not know how a request was sent, nor what a verdict is made of.
package expect

import (
	"fmt"
	"strconv"
	"strings"
)

// Statuses is a set of HTTP statuses. The empty set holds none.
type Statuses []statusRange

type statusRange struct{ low, high int }

// ParseStatus reads one status, as 409, or a class of them, as 2xx.
func ParseStatus(text string) (Statuses, error) {
	text = strings.TrimSpace(text)
	if len(text) == 3 && strings.EqualFold(text[1:], "xx") && text[0] >= '1' && text[0] <= '5' {
		low := int(text[0]-'0') * 100
		return Statuses{{low, low + 99}}, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 100 || n > 599 {
		return nil, fmt.Errorf("%q is neither a status from 100 to 599 nor a class such as 2xx", text)
	}
	return Statuses{{n, n}}, nil
}

// Has tells whether a status is in the set.
func (s Statuses) Has(status int) bool {
	for _, r := range s {
		if status >= r.low && status <= r.high {
			return true
		}
	}
	return false
}

// String writes the set as it is written in a specification.
func (s Statuses) String() string {
	words := make([]string, len(s))
	for i, r := range s {
		words[i] = strconv.Itoa(r.low)
		if r.low != r.high {
			words[i] = strconv.Itoa(r.low/100) + "xx"
		}
	}
	return strings.Join(words, ", ")
}
