package report

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Plain makes a text safe to show: control characters, terminal escapes, line
// breaks, marks that turn the direction of writing, invisible characters and
// bytes that are no UTF-8 become visible escapes as in "\n", "\x1b" and
// "\u202e". Everything else stays as it is. It is for showing, not for reading
// back: a backslash in the text stays one backslash.
func Plain(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, text[i])
		} else if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			escaped := strconv.QuoteRune(r)
			b.WriteString(escaped[1 : len(escaped)-1])
		}
		i += size
	}
	return b.String()
}

func isPlain(text string) bool {
	for i, r := range text {
		if !strconv.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			return false
		}
	}
	return true
}

// Shorten cuts the middle out of a text that is wider than width and puts an
// ellipsis there: the ends are what tells two long keys apart. wide gives a
// character's width in cells, nil is one for each; a character never counts
// less than one, so that a pile of combining marks is cut as well.
func Shorten(text string, width int, wide func(rune) int) string {
	if len(text) <= width && wide == nil {
		return text
	}
	cells := func(r rune) int {
		if wide == nil {
			return 1
		}
		return max(1, wide(r))
	}
	total := 0
	for _, r := range text {
		total += cells(r)
	}
	if total <= width {
		return text
	}
	if width < 1 {
		return ""
	}
	head := cut(text, width/2, cells)
	tail := cutEnd(text, width-1-width/2, cells)
	return head + "…" + tail
}

// cut returns the longest beginning of a text that is no wider than width.
func cut(text string, width int, cells func(rune) int) string {
	for i, r := range text {
		if width -= cells(r); width < 0 {
			return text[:i]
		}
	}
	return text
}

// cutEnd returns the longest end of a text that is no wider than width.
func cutEnd(text string, width int, cells func(rune) int) string {
	for i := len(text); i > 0; {
		r, size := utf8.DecodeLastRuneInString(text[:i])
		if width -= cells(r); width < 0 {
			return text[i:]
		}
		i -= size
	}
	return text
}
