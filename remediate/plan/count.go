package plan

import "twinrow/detect/casefile"

// Count writes a number with its noun, as casefile.Count does.
func Count(n int, noun string) string { return casefile.Count(n, noun) }

// Verb chooses the form of a verb that goes with a number, as casefile.Verb does.
func Verb(n int, one, many string) string { return casefile.Verb(n, one, many) }
