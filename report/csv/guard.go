package csv

import (
	"regexp"
	"strings"
)

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
