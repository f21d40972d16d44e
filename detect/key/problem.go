package key

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is an error that a person can act on. It is defined here because
// this is the one package that every stage can see; casefile, source and plan
// give it on under their own names.
type Problem struct {
	// Code is one of the Code constants; the command line turns it into an exit status.
	Code string
	// Message says what went wrong and why: lower case, no full stop.
	Message string
	// Hint says what to do next; it may be empty where nothing can be done.
	Hint string
	// Err is the cause, or nil.
	Err error
}

// Codes of problems. Scripts read them from JSON errors, so they are stable.
const (
	CodeUsage       = "usage"       // the command line or a configuration is wrong
	CodeBadInput    = "bad-input"   // data that could not be read as what it claims to be
	CodeNotFound    = "not-found"   // no such file, table, column or case
	CodeConnection  = "connection"  // a server could not be reached or went away
	CodePermission  = "permission"  // a right is missing
	CodeDisk        = "disk"        // a document could not be written
	CodeExists      = "exists"      // it is there already and is not overwritten
	CodeTampered    = "tampered"    // a document does not match the digest taken of it
	CodeNewer       = "newer"       // a document was made by a newer version
	CodeDrift       = "drift"       // the database is no longer as the evidence has it
	CodeBusy        = "busy"        // another run holds the lock
	CodeUnsupported = "unsupported" // the engine or the data does not allow it
	CodeRefused     = "refused"     // a safety rule forbids it; the hint names the flag that allows it
	CodeTimeout     = "timeout"     // a statement took longer than its bound
	CodeStopped     = "stopped"     // stopped part-way; the hint says how to go on
)

// Error joins the message and its cause.
func (p *Problem) Error() string {
	if p.Err == nil {
		return p.Message
	}
	return fmt.Sprintf("%s: %v", p.Message, p.Err)
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// NotFound is the Problem for a name that is not among those there are, with
// the nearest of them as the hint.
func NotFound(what, name string, names []string) *Problem {
	p := &Problem{Code: CodeNotFound, Message: fmt.Sprintf("no %s %q", what, name)}
	if near := Nearest(name, names); len(near) > 0 {
		p.Hint = "did you mean " + strings.Join(near, ", ") + "?"
	} else if len(names) > 0 {
		p.Hint = "there are: " + strings.Join(head(names, 12), ", ")
	}
	return p
}

func head(names []string, n int) []string {
	if len(names) <= n {
		return names
	}
	return append(slices.Clone(names[:n]), fmt.Sprintf("and %d more", len(names)-n))
}

// Nearest returns up to three of names that are close to name: by edit
// distance, ignoring case, or because one contains the other.
func Nearest(name string, names []string) []string {
	type scored struct {
		name     string
		distance int
	}
	var near []scored
	lower := strings.ToLower(name)
	for _, n := range names {
		other := strings.ToLower(n)
		d := distance(lower, other)
		if len(lower) > 2 && (strings.Contains(other, lower) || strings.Contains(lower, other)) {
			d = min(d, 2)
		}
		if d <= max(2, len(name)/3) {
			near = append(near, scored{n, d})
		}
	}
	slices.SortStableFunc(near, func(a, b scored) int { return a.distance - b.distance })
	var out []string
	for _, s := range near[:min(3, len(near))] {
		out = append(out, s.name)
	}
	return out
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
