package expect

import "strings"

// Response is an expectation on answers: which ones, and how many of them.
type Response struct {
	Name string
	// Statuses is empty where any status will do.
	Statuses Statuses
	// JSON must hold, all of them; of NotJSON none may. A body that is not
	// JSON, an empty one too, holds nothing.
	JSON, NotJSON []Want
	Count         Count
	// PerRun counts over the whole run, not for each key in each round.
	PerRun bool
}

// Match tells whether an answer is one of those the expectation counts.
func (r *Response) Match(status int, body *Body) bool {
	if status == 0 || len(r.Statuses) > 0 && !r.Statuses.Has(status) {
		return false
	}
	if body.unknown && len(r.JSON)+len(r.NotJSON) > 0 {
		return false
	}
	for _, want := range r.JSON {
		if holds, _ := want.In(body); !holds {
			return false
		}
	}
	for _, want := range r.NotJSON {
		if holds, _ := want.In(body); holds {
			return false
		}
	}
	return true
}

// Matched writes the values that made an answer match, or "".
func (r *Response) Matched() string {
	words := make([]string, len(r.JSON))
	for i, want := range r.JSON {
		words[i] = want.Text()
	}
	return strings.Join(words, ", ")
}
