package suspect

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"twinrow/detect/source"
)

// byIndexes is what unique indexes say of themselves.
func byIndexes(t *source.CatalogueTable) []Suspect {
	var found []Suspect
	for i := range t.Indexes {
		x := &t.Indexes[i]
		s := Suspect{Index: x.Name, Key: keyOf(x), where: x.Where}
		switch {
		case !x.Valid || !x.Enforces:
			s.Kind, s.Score = Invalid, 100
			s.Reasons = []string{fmt.Sprintf("the unique index %s is invalid: its build failed, %s", x.Name, enforces(x))}
			if s.Score, s.Reasons = builtAgain(t, x, s.Score, s.Reasons); s.Score == 0 {
				continue
			}
		case len(x.Stale) > 0:
			s.Kind, s.Score = Stale, 95
			for _, c := range x.Stale {
				s.Reasons = append(s.Reasons, fmt.Sprintf("the unique index %s was sorted by version %s of the collation %s, the server now has %s: it may have let duplicates in, and searches through it may miss rows", x.Name, c.Recorded, c.Name, c.Actual))
			}
		case !x.Primary && looseColumns(t, x) != nil:
			s.Kind, s.Score, s.nullsEqual = Loose, 35, true
			s.Reasons = looseReasons(t, x, &s.Score)
			if holds(t, s.Key, true) {
				continue
			}
		default:
			continue
		}
		found = append(found, s)
	}
	return found
}

func enforces(x *source.CatalogueIndex) string {
	if x.Enforces {
		return "as by a lock time-out; it refuses new duplicates but says nothing of older rows"
	}
	return "most often because of duplicates that are there; it forbids nothing"
}

// builtAgain lowers what an invalid index weighs where a valid one beside it holds.
func builtAgain(t *source.CatalogueTable, x *source.CatalogueIndex, score int, reasons []string) (int, []string) {
	if x.Where == "" && holds(t, keyOf(x), false) {
		return 30, append(reasons, "another index keeps the key unique, so this one only costs writes")
	}
	return score, reasons
}

// keyOf is the key of an index as --key takes it.
func keyOf(x *source.CatalogueIndex) []string {
	var parts []string
	for _, p := range x.Parts {
		parts = append(parts, p.Text)
	}
	return parts
}

// looseColumns are the columns that may be NULL in an index of several, which
// lets its rows repeat. In an index of one column a NULL means that there is
// no value to be unique.
func looseColumns(t *source.CatalogueTable, x *source.CatalogueIndex) []source.CatalogueColumn {
	if x.NullsEqual || len(x.Parts) < 2 {
		return nil
	}
	var loose []source.CatalogueColumn
	for _, p := range x.Parts {
		if c := column(t, p.Text); c != nil && !p.Expression && !c.NotNull && c.Nulls != 0 && !saysNotNull(x.Where, c.Name) {
			loose = append(loose, *c)
		}
	}
	return loose
}

func looseReasons(t *source.CatalogueTable, x *source.CatalogueIndex, score *int) []string {
	var reasons []string
	for _, c := range looseColumns(t, x) {
		switch {
		case c.Nulls > 0:
			*score = max(*score, 55)
			reasons = append(reasons, fmt.Sprintf("the unique index %s lets rows repeat whose %s is NULL, and %s of them are", x.Name, c.Name, percent(c.Nulls)))
		default:
			reasons = append(reasons, fmt.Sprintf("the unique index %s lets rows repeat whose %s is NULL, and the column allows NULL", x.Name, c.Name))
		}
	}
	return reasons
}

// holds tells whether a valid unique index over all rows already forbids a
// second row with the key: its columns are some of the key's. strict wants
// NULLs forbidden or equal too.
func holds(t *source.CatalogueTable, columns []string, strict bool) bool {
	return slices.ContainsFunc(t.Indexes, func(x source.CatalogueIndex) bool {
		return x.Valid && x.Enforces && len(x.Stale) == 0 && covers(&x, columns) && (x.Where == "" || onlyNotNull(x.Where, columns)) &&
			(!strict || x.NullsEqual || !slices.ContainsFunc(x.Parts, func(p source.CataloguePart) bool {
				c := column(t, p.Text)
				return c != nil && !c.NotNull && !x.Primary
			}))
	})
}

// partial is a valid unique index that would hold if it spoke of all rows.
func partial(t *source.CatalogueTable, columns []string) *source.CatalogueIndex {
	for i := range t.Indexes {
		if x := &t.Indexes[i]; x.Valid && x.Enforces && x.Where != "" && covers(x, columns) {
			return x
		}
	}
	return nil
}

// covers tells whether what an index keeps unique is part of the columns. An
// expression over a column, as lower(email), is stricter than the column.
func covers(x *source.CatalogueIndex, columns []string) bool {
	return len(x.Parts) > 0 && !slices.ContainsFunc(x.Parts, func(p source.CataloguePart) bool {
		return !slices.ContainsFunc(columns, func(c string) bool { return c == p.Text || p.Expression && mentions(p.Text, c) })
	})
}

func mentions(sql, name string) bool {
	at := strings.Index(strings.ToLower(sql), strings.ToLower(name))
	if at < 0 {
		return false
	}
	end := at + len(name)
	return (at == 0 || !isNameByte(sql[at-1])) && (end == len(sql) || !isNameByte(sql[end]))
}

func isNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

var notNull = regexp.MustCompile(`(?i)^\(?"?([^"()\s]+)"?\s+IS\s+NOT\s+NULL\)?$`)

// saysNotNull tells whether a predicate leaves out the rows where a column is NULL.
func saysNotNull(where, name string) bool {
	for part := range strings.SplitSeq(strings.Trim(where, "()"), " AND ") {
		if m := notNull.FindStringSubmatch(strings.TrimSpace(part)); m != nil && strings.EqualFold(m[1], name) {
			return true
		}
	}
	return false
}

// onlyNotNull tells whether a predicate is nothing but "column IS NOT NULL" of
// the key, which a unique index means anyway.
func onlyNotNull(where string, columns []string) bool {
	m := notNull.FindStringSubmatch(strings.TrimSpace(where))
	return m != nil && slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, m[1]) })
}

func column(t *source.CatalogueTable, name string) *source.CatalogueColumn {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// percent writes a share so that a small one is not nothing, and one short of
// all is not all.
func percent(share float64) string {
	switch {
	case share >= 1:
		return "100 %"
	case share > 0.999:
		return "more than 99.9 %"
	case share < 0.001:
		return "less than 0.1 %"
	case share > 0.1 && share < 0.9:
		return fmt.Sprintf("%.0f %%", share*100)
	}
	return fmt.Sprintf("%.1f %%", share*100)
}
