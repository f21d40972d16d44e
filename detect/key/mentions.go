package key

import (
	"regexp"
	"slices"
)

// Mentions tells whether SQL may speak of one of the columns: a name that
// stands there as a word counts, wherever it stands and in whatever case.
func Mentions(sql string, columns []string) bool {
	return slices.ContainsFunc(columns, func(c string) bool {
		return regexp.MustCompile(`(?i)(^|\W)` + regexp.QuoteMeta(c) + `($|\W)`).MatchString(sql)
	})
}
