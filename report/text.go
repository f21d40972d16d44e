package report

import (
	"unicode/utf8"

	"twinrow/detect/casefile"
)

// Plain makes a text safe to show, as casefile.Plain does.
func Plain(text string) string { return casefile.Plain(text) }

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
