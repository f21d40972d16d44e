package casefile

import "fmt"

// Count writes a number with its noun: "1 row", "4 rows". The noun takes an s
// for all but one.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Verb chooses the form of a verb that goes with a number: Verb(1, "is", "are").
func Verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
