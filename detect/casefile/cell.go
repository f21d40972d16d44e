package casefile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The decision table is a CSV file that a report writes, a person fills in and
// a plan reads back. What both sides must agree on stands here.
const (
	// CaseColumn names the case in each line, as CaseCell writes it.
	CaseColumn = "case"
	// TableColumn holds a table's Name, GroupColumn a group's number.
	TableColumn = "table"
	GroupColumn = "group"
	// KeyPrefix and IDPrefix begin the columns of the key's parts and of the id.
	KeyPrefix = "key:"
	IDPrefix  = "id:"
	// KeepColumn is "yes" for the row that stays and "no" for one that goes.
	KeepColumn = "keep"
	// Masked begins every value of a redacted report.
	Masked = "masked:"
)

// CaseCell writes the id of a case so that no spreadsheet takes it for a number.
func CaseCell(id string) string { return "case-" + id }

// Cell writes a value for a spreadsheet: NULL is empty, control and invisible
// characters but line feeds and tabs are visible escapes, and what could be a
// formula is guarded.
func Cell(value *string) string {
	if value == nil {
		return ""
	}
	return Guard(CellText(*value))
}

// CellText is Plain, but for the line feeds and tabs that CSV can hold.
func CellText(text string) string {
	var b strings.Builder
	for {
		at := strings.IndexAny(text, "\n\t")
		if at < 0 {
			b.WriteString(Plain(text))
			return b.String()
		}
		b.WriteString(Plain(text[:at]))
		b.WriteByte(text[at])
		text = text[at+1:]
	}
}

// Guard keeps a spreadsheet from running a value as a formula: one that begins
// with = + - @ or a tab or line feed (or the full-width forms of the four
// signs) gets an apostrophe in front. Plain numbers such as -12.50 do not, for
// a spreadsheet shows them as they are. A value that would look guarded
// already gets one more apostrophe, so that Unguard always gives back what was
// put in; other apostrophes, as in 't Hooft, are left alone.
func Guard(value string) string {
	if formula(strings.TrimLeft(value, "'")) {
		return "'" + value
	}
	return value
}

// Unguard takes back what Guard did.
func Unguard(cell string) string {
	if bare, guarded := strings.CutPrefix(cell, "'"); guarded && formula(strings.TrimLeft(bare, "'")) {
		return bare
	}
	return cell
}

var number = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func formula(value string) bool {
	for _, sign := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(value, sign) {
			return !number.MatchString(value)
		}
	}
	return false
}

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
