package queries

import "strings"

// Ident quotes one identifier for Postgres and SQLite alike: always in double
// quotes, so that case, spaces and reserved words keep their meaning.
func Ident(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// Idents quotes each name and joins them by commas.
func Idents(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = Ident(n)
	}
	return strings.Join(quoted, ", ")
}

// Literal quotes a string constant. It is for generated scripts that run
// without bind parameters; statements that twinrow runs itself bind values.
// A backslash is only safe as it stands under standard_conforming_strings,
// which generated Postgres scripts set.
func Literal(value string) string {
	return "'" + strings.ReplaceAll(value, "'", "''") + "'"
}
