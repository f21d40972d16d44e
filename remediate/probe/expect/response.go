package expect

import (
	"bytes"
	"net/http"
	"strings"
)

// Field is a header field and the value that it must have, as it is or as one
// of several parted by commas.
type Field struct{ Name, Value string }

// Response is an expectation on answers: which ones, and how many of them.
type Response struct {
	Name string
	// Statuses is empty where any status will do.
	Statuses Statuses
	// JSON must hold, all of them; of NotJSON none may. A body that is not
	// JSON, an empty one too, holds nothing.
	JSON, NotJSON []Want
	// Header must hold, all of them.
	Header []Field
	// Text must occur in the body and NotText must not; "" asks nothing.
	Text, NotText string
	Count         Count
	// PerRun counts over the whole run, not for each key in each round.
	PerRun bool
}

// Match tells whether an answer is one of those the expectation counts.
func (r *Response) Match(status int, header http.Header, body *Body) bool {
	if status == 0 || len(r.Statuses) > 0 && !r.Statuses.Has(status) {
		return false
	}
	for _, field := range r.Header {
		if !field.in(header) {
			return false
		}
	}
	if body.unknown && (len(r.JSON)+len(r.NotJSON) > 0 || r.Text+r.NotText != "") {
		return false
	}
	if !bytes.Contains(body.raw, []byte(r.Text)) || r.NotText != "" && bytes.Contains(body.raw, []byte(r.NotText)) {
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

func (f Field) in(header http.Header) bool {
	for _, value := range header.Values(f.Name) {
		if strings.EqualFold(strings.TrimSpace(value), f.Value) {
			return true
		}
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), f.Value) {
				return true
			}
		}
	}
	return false
}
