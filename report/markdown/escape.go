package markdown

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"twinrow/report"
)

// value is one value of a row, shortened, as code, where no markup, link or
// mention takes effect; NULL in italics.
func value(v *string) string {
	if v == nil {
		return "*NULL*"
	}
	return code(report.Shorten(report.Plain(*v), maxValue, nil))
}

// code writes a text that is Plain as a code span. Where a span could not hold
// it, or would end a cell of a table, it is HTML with every sign as an entity.
func code(s string) string {
	if s != "" && !strings.ContainsAny(s, "`|") && strings.TrimSpace(s) == s {
		return "`" + s + "`"
	}
	return "<code>" + entities(s) + "</code>"
}

func entities(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf && !isWord(r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// text makes any sentence safe to stand in a line or a cell.
func text(s string) string { return escape(report.Plain(s)) }

func texts(sentences []string) []string {
	escaped := make([]string, len(sentences))
	for i, s := range sentences {
		escaped[i] = text(s)
	}
	return escaped
}

// escape takes the effect from what is markup, HTML, a link or a mention in a
// sentence that is Plain, and leaves the rest readable in the source.
func escape(s string) string {
	var b strings.Builder
	before := ' '
	for i, r := range s {
		after, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
		switch {
		case strings.ContainsRune("<>&|", r):
			fmt.Fprintf(&b, "&#%d;", r)
		case strings.ContainsRune("\\`*[]~$", r), r == '_' && !(isWord(before) && isWord(after)), strings.ContainsRune("#+-=", r) && i == 0:
			b.WriteString(`\` + string(r))
		case r == '@', r == ':' && after == '/', r == '.' && strings.HasSuffix(strings.ToLower(s[:i]), "www"):
			b.WriteString(string(r) + "<!-- -->") // a break that no reader shows and no link survives
		default:
			b.WriteRune(r)
		}
		before = r
	}
	return b.String()
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
