package sqlite

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"zombiezen.com/go/sqlite"
)

// unistr is SQLite's own function of that name, by which its shell writes
// control characters since 3.50 and which the library here may be too old for.
func unistr(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
	if args[0].Type() == sqlite.TypeNull {
		return sqlite.Value{}, nil
	}
	text, err := unescapeUnistr(args[0].Text())
	return sqlite.TextValue(text), err
}

var errUnistr = errors.New("invalid Unicode escape")

// unescapeUnistr reads \XXXX, \+XXXXXX, \uXXXX, \UXXXXXXXX and \\.
func unescapeUnistr(text string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, `\`)
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		skip, digits := 0, 4
		switch {
		case strings.HasPrefix(rest, `\`):
			b.WriteByte('\\')
			text = rest[1:]
			continue
		case strings.HasPrefix(rest, "+"):
			skip, digits = 1, 6
		case strings.HasPrefix(rest, "u"):
			skip = 1
		case strings.HasPrefix(rest, "U"):
			skip, digits = 1, 8
		}
		if len(rest) < skip+digits {
			return "", errUnistr
		}
		n, err := strconv.ParseUint(rest[skip:skip+digits], 16, 32)
		if err != nil || !utf8.ValidRune(rune(n)) || n > utf8.MaxRune {
			return "", errUnistr
		}
		b.WriteRune(rune(n))
		text = rest[skip+digits:]
	}
}
