package classify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

const (
	// mostVariants are named of a column's different values, and mostRunes of each.
	mostVariants = 10
	mostRunes    = 200
	// mostParsed rows of a group are looked into for the places in which their
	// JSON differs; in a larger group the whole values are compared.
	mostParsed = 1000
	// mostPaths are looked at in one JSON column of a group.
	mostPaths = 100
)

// Differ says how the values of one column differ within a group. values are
// the rows', those that the database calls equal written alike.
func Differ(column source.Column, values []source.Value) []casefile.Difference {
	kind := kindOf(column.Type, values)
	if kind == "json" && len(values) <= mostParsed {
		if paths := differPaths(column.Name, values); len(paths) > 0 {
			return paths
		}
	}
	whole := make([]variant, len(values))
	for i, v := range values {
		if whole[i] = (variant{text: v.Text}); v.Null {
			whole[i] = variant{null: true}
		}
	}
	return []casefile.Difference{difference(column.Name, "", kind, whole)}
}

// variant is one row's value at one place.
type variant struct {
	text          string
	null, missing bool
}

func difference(column, path, kind string, values []variant) casefile.Difference {
	d := casefile.Difference{Column: column, Path: path, Kind: kind}
	counts := map[variant]int{}
	var order []variant
	for _, v := range values {
		if counts[v]++; counts[v] == 1 {
			order = append(order, v)
		}
	}
	slices.SortStableFunc(order, func(a, b variant) int { return cmp.Compare(counts[b], counts[a]) })
	for i, v := range order {
		if i == mostVariants {
			d.MoreValues = len(order) - mostVariants
			break
		}
		shown := casefile.Variant{Missing: v.missing, Rows: counts[v]}
		if !v.null && !v.missing {
			shown.Value = new(cut(v.text))
		}
		d.Values = append(d.Values, shown)
	}
	d.Says = sayDifference(kind, order, counts, len(values))
	return d
}

func cut(text string) string {
	if runes := []rune(text); len(runes) > mostRunes {
		return string(runes[:mostRunes]) + "…"
	}
	return text
}

// kindOf tells how values are compared, by the column's type; a file has text
// only, and there the values themselves tell.
func kindOf(columnType string, values []source.Value) string {
	name, _, _ := strings.Cut(strings.ToLower(columnType), "(")
	switch name = strings.TrimSpace(name); {
	case name == "json" || name == "jsonb":
		return "json"
	case slices.Contains([]string{"smallint", "integer", "bigint", "int", "numeric", "decimal", "real", "double precision", "money", "float"}, name):
		return "number"
	case strings.HasPrefix(name, "timestamp") || name == "date" || name == "datetime":
		return "time"
	case name == "boolean":
		return "boolean"
	case name == "bytea" || name == "blob":
		return "bytes"
	}
	all := func(is func(string) bool) bool {
		found := false
		for _, v := range values {
			if !v.Null && !is(v.Text) {
				return false
			}
			found = found || !v.Null
		}
		return found
	}
	switch {
	case all(isNumber):
		return "number"
	case all(func(s string) bool { return strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") }) && all(func(s string) bool { return json.Valid([]byte(s)) }):
		return "json"
	case all(func(s string) bool { _, err := source.ParseInstant(s); return err == nil }):
		return "time"
	}
	return "text"
}

func isNumber(text string) bool {
	_, _, ok := decimal(text)
	return ok
}

// decimal reads a decimal number exactly and tells how many places it has
// behind the point. Exponents and lengths that would cost much are refused.
func decimal(text string) (value *big.Rat, places int, ok bool) {
	text = strings.TrimSpace(text)
	digits := strings.TrimLeft(text, "+-")
	const longestNumber = 1000
	if digits == "" || len(text)-len(digits) > 1 || len(text) > longestNumber || strings.Trim(digits, "0123456789.eE+-") != "" || digits[0] == 'e' || digits[0] == 'E' {
		return nil, 0, false
	}
	mantissa, exponent, scaled := strings.Cut(strings.ToLower(digits), "e")
	shift := 0
	if scaled {
		var err error
		if shift, err = strconv.Atoi(exponent); err != nil || shift > 400 || shift < -400 {
			return nil, 0, false
		}
	}
	_, after, _ := strings.Cut(mantissa, ".")
	value, ok = new(big.Rat).SetString(text)
	return value, max(0, len(after)-shift), ok
}

// sayDifference tells a difference in one clause.
func sayDifference(kind string, order []variant, counts map[variant]int, rows int) string {
	nulls, missing := counts[variant{null: true}], counts[variant{missing: true}]
	var present []string
	for _, v := range order {
		if !v.null && !v.missing {
			present = append(present, v.text)
		}
	}
	var parts []string
	if missing > 0 {
		parts = append(parts, fmt.Sprintf("missing in %d of %s", missing, casefile.Count(rows, "row")))
	}
	if nulls > 0 {
		parts = append(parts, fmt.Sprintf("NULL in %d of %s", nulls, casefile.Count(rows, "row")))
	}
	if len(present) > 1 {
		parts = append(parts, apart(kind, present))
	}
	return strings.Join(parts, ", ")
}

// apart says how far different values are apart.
func apart(kind string, values []string) string {
	switch kind {
	case "number":
		if by, ok := spanOfNumbers(values); ok {
			return "by " + by
		}
	case "time":
		if by, ok := spanOfTimes(values); ok {
			return "by " + by
		}
	}
	what := map[string]string{"text": "text", "bytes": "byte string"}[kind]
	return casefile.Count(len(values), "different "+cmp.Or(what, "value"))
}

func spanOfNumbers(values []string) (string, bool) {
	var least, most *big.Rat
	places := 0
	for _, v := range values {
		n, p, ok := decimal(v)
		if !ok {
			return "", false
		}
		places = max(places, p)
		if least == nil || n.Cmp(least) < 0 {
			least = n
		}
		if most == nil || n.Cmp(most) > 0 {
			most = n
		}
	}
	return new(big.Rat).Sub(most, least).FloatString(places), true
}

func spanOfTimes(values []string) (string, bool) {
	var first, last source.Instant
	for i, v := range values {
		at, err := source.ParseInstant(v)
		if err != nil {
			return "", false
		}
		if i == 0 || at.Time.Before(first.Time) {
			first = at
		}
		if i == 0 || at.Time.After(last.Time) {
			last = at
		}
	}
	return Spell(last.Time.Sub(first.Time)), true
}
