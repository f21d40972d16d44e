package notify

import (
	"strings"
	"unicode"
)

// Limits of what a mail shows, in characters: a longer value is cut, since a
// person reads it and a hostile one would fill pages.
const (
	maxName  = 80
	maxValue = 120
	// maxSubject is what mail programs show of a subject and more.
	maxSubject = 250
)

// cleanLine makes one line of a value: control characters, line ends and
// characters that turn the direction of writing become spaces, runs of spaces
// one, and what is past the limit is cut.
func cleanLine(value string, limit int) string {
	value = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), r == unicode.ReplacementChar:
			return ' '
		case unicode.Is(unicode.Cf, r) && !joins(r):
			return ' '
		case r == '\u2028', r == '\u2029':
			return ' '
		}
		return r
	}, strings.ToValidUTF8(value, " "))
	value = strings.Join(strings.Fields(value), " ")
	if runes := []rune(value); len(runes) > limit {
		return strings.TrimSpace(string(runes[:limit-1])) + "…"
	}
	return value
}

// joins is true for the two invisible characters that names of some scripts need.
func joins(r rune) bool { return r == '\u200c' || r == '\u200d' }

// cleanName is cleanLine for a customer's name. A name that holds a link or an
// address is no name but somebody's advertisement, and is left out: else our
// mail would carry it.
func cleanName(value string) string {
	name := cleanLine(value, maxName)
	lower := strings.ToLower(name)
	if strings.Contains(lower, "://") || strings.Contains(lower, "www.") || strings.Contains(lower, "@") {
		return ""
	}
	return name
}
