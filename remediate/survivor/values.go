package survivor

import (
	"math/big"
	"regexp"
	"slices"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
)

// PutValues ranks the rows of a group by the values that the evidence holds,
// for a source that is no database: numbers by value and before all else,
// anything else as text, NULL last, or first under DESC, as Postgres has it.
// Each term must name a column.
func (s *Standings) PutValues(table *casefile.Table, group *casefile.Group, terms []key.Term) error {
	columns := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		columns[i] = c.Name
	}
	names := make([]string, len(terms))
	for i, term := range terms {
		name, err := key.ResolveColumn("column", term.Text, columns)
		if err != nil {
			return &key.Problem{Code: key.CodeUnsupported, Message: "the ordering " + term.Text + " is no column of " + table.Table + ", and a file has no database to work an expression out", Hint: "order by columns, or import the file into a database and scan that"}
		}
		names[i] = name
	}
	compare := func(a, b casefile.Row) int {
		for i, term := range terms {
			if order := compareTerm(value(a, names[i]), value(b, names[i]), term); order != 0 {
				return order
			}
		}
		return 0
	}
	rows := slices.Clone(group.Rows)
	slices.SortStableFunc(rows, compare)
	place := int64(1)
	for i, row := range rows {
		if i > 0 && compare(rows[i-1], row) != 0 {
			place = int64(i + 1)
		}
		s.Put(row.ID, Standing{Place: place})
	}
	return nil
}

func value(row casefile.Row, column string) *string {
	i := slices.IndexFunc(row.Values, func(f casefile.Field) bool { return f.Name == column })
	if i < 0 {
		return nil
	}
	return row.Values[i].Value
}

func compareTerm(a, b *string, term key.Term) int {
	if a == nil || b == nil {
		nullsFirst := term.Nulls == "FIRST" || term.Nulls == "" && term.Descending
		switch {
		case a == nil && b == nil:
			return 0
		case (a == nil) == nullsFirst:
			return -1
		}
		return 1
	}
	order := compareText(*a, *b)
	if term.Descending {
		return -order
	}
	return order
}

// decimal bounds what is read as a number, so that no exponent costs time.
var decimal = regexp.MustCompile(`^[+-]?[0-9]{1,60}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,3})?$`)

func compareText(a, b string) int {
	an, bn := decimal.MatchString(a), decimal.MatchString(b)
	switch { // numbers before text, so that any three values have one order
	case an && bn:
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		return x.Cmp(y)
	case an:
		return -1
	case bn:
		return 1
	}
	return strings.Compare(a, b)
}
