package key

import (
	"fmt"
	"strings"
)

// Term is one item of an ordering, as in ORDER BY.
type Term struct {
	// Text is a column or a SQL expression, as it was written.
	Text string
	// Descending is DESC.
	Descending bool
	// Nulls is "FIRST", "LAST", or "" for what the engine does by itself.
	Nulls string
}

// ParseOrder takes the items of an ordering apart, each as in ORDER BY: an
// expression, then ASC or DESC, then NULLS FIRST or NULLS LAST, of which the
// last two may be left out. Whether the expression is one is for the database
// to say; a bare number is refused, for in ORDER BY it would be the number of
// a column of a result that is not there.
func ParseOrder(items []string) ([]Term, error) {
	terms := make([]Term, 0, len(items))
	for _, item := range items {
		t := Term{Text: strings.TrimSpace(item)}
		if rest, ok := cutWord(t.Text, "FIRST", "LAST"); ok != "" {
			if bare, nulls := cutWord(rest, "NULLS"); nulls != "" {
				t.Text, t.Nulls = bare, ok
			}
		}
		if bare, way := cutWord(t.Text, "ASC", "DESC"); way != "" {
			t.Text, t.Descending = bare, way == "DESC"
		}
		switch {
		case t.Text == "" || strings.Trim(t.Text, "0123456789") == "":
			return nil, &Problem{Code: CodeUsage, Message: fmt.Sprintf("the ordering %q names no column and no expression", item), Hint: "write it as in ORDER BY, as seen_at DESC NULLS LAST"}
		case strings.Contains(t.Text, "--") || strings.Contains(t.Text, "/*"):
			return nil, &Problem{Code: CodeUsage, Message: fmt.Sprintf("the ordering %q holds a comment, so its end cannot be told", item), Hint: "take the comment out"}
		}
		terms = append(terms, t)
	}
	return terms, nil
}

// cutWord takes one of the words off the end of a text, whatever its case.
func cutWord(text string, words ...string) (rest, word string) {
	text = strings.TrimSpace(text)
	at := strings.LastIndexAny(text, " \t\r\n)\"'") + 1
	for _, w := range words {
		if strings.EqualFold(text[at:], w) && at > 0 {
			return strings.TrimSpace(text[:at]), w
		}
	}
	return text, ""
}

// Tail is the term's ASC or DESC and its NULLS, to stand behind its expression.
func (t Term) Tail() string {
	tail := " ASC"
	if t.Descending {
		tail = " DESC"
	}
	if t.Nulls != "" {
		tail += " NULLS " + t.Nulls
	}
	return tail
}
