// Package key says what a row must be unique by: columns or expressions, the
// policy for NULL, and the predicate that bounds the rows it speaks of.
//
// It knows no database. Whether a part is a column is settled against the
// column names that a source read from its catalogue.
package key

import (
	"slices"
	"strings"
)

// Key is a uniqueness rule as the user gave it, resolved against one table.
type Key struct {
	Parts []Part
	// NullsEqual is NULLS NOT DISTINCT: two rows with NULL in the same place
	// are equal. By default a row with a NULL in its key equals no other row,
	// as in a unique index.
	NullsEqual bool
	// Where is a SQL predicate, empty for all rows, as of a partial index.
	Where string
}

// Part is one component of a key.
type Part struct {
	// Text is the column's name exactly as the catalogue has it, or the SQL
	// expression as the user wrote it.
	Text string
	// Expression is true where Text is SQL and false where it names a column.
	Expression bool
}

// Names returns the parts' texts in order; documents name the parts by them.
func (k Key) Names() []string {
	names := make([]string, len(k.Parts))
	for i, p := range k.Parts {
		names[i] = p.Text
	}
	return names
}

// Columns returns the parts that are plain columns, in order.
func (k Key) Columns() []string {
	var columns []string
	for _, p := range k.Parts {
		if !p.Expression {
			columns = append(columns, p.Text)
		}
	}
	return columns
}

// HasExpression tells whether any part is SQL rather than a column.
func (k Key) HasExpression() bool {
	return slices.ContainsFunc(k.Parts, func(p Part) bool { return p.Expression })
}

// SplitList splits a comma-separated list as given on a command line:
// commas inside parentheses, brackets or quotes do not split, and white space
// around an item is dropped. "a, lower(b), coalesce(c, 'x,y')" has three items.
func SplitList(list string) ([]string, error) {
	var items []string
	var quote rune
	depth, start := 0, 0
	for i, r := range list {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case r == '(' || r == '[':
			depth++
		case r == ')' || r == ']':
			depth--
		case r == ',' && depth == 0:
			items = append(items, strings.TrimSpace(list[start:i]))
			start = i + 1
		}
	}
	items = append(items, strings.TrimSpace(list[start:]))
	if quote != 0 || depth != 0 {
		return nil, &Problem{Code: CodeUsage, Message: "the list " + list + " has an open quote or bracket", Hint: "quote the whole list for the shell and close what it opens"}
	}
	if slices.Contains(items, "") {
		return nil, &Problem{Code: CodeUsage, Message: "the list \"" + list + "\" has an empty item", Hint: "name columns separated by single commas, as in a,b"}
	}
	return items, nil
}

// Resolve settles each item against a table's column names: an exact name is
// that column; so is an unquoted name that fits one column but for its case,
// and a name in double quotes; what holds an operator or a parenthesis is an
// expression. Anything else is an unknown column, reported with the nearest names.
func Resolve(items, columns []string) ([]Part, error) {
	parts := make([]Part, 0, len(items))
	for _, item := range items {
		part, err := resolve(item, columns)
		if err != nil {
			return nil, err
		}
		if slices.Contains(parts, part) {
			return nil, &Problem{Code: CodeUsage, Message: "the key names " + item + " twice", Hint: "name every part of the key once"}
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return nil, &Problem{Code: CodeUsage, Message: "the key is empty", Hint: "name the columns that must be unique together, as in --key order_id,line"}
	}
	return parts, nil
}

func resolve(item string, columns []string) (Part, error) {
	if name, err := ResolveColumn("key column", item, columns); err == nil {
		return Part{Text: name}, nil
	} else if !looksLikeExpression(item) {
		return Part{}, err
	}
	return Part{Text: item, Expression: true}, nil
}

// ResolveColumn finds the one column that name means, by the rules of Resolve.
// what names its role in the error, as in "time column".
func ResolveColumn(what, name string, columns []string) (string, error) {
	if slices.Contains(columns, name) {
		return name, nil
	}
	if n := len(name); n > 2 && name[0] == '"' && name[n-1] == '"' {
		if bare := strings.ReplaceAll(name[1:n-1], `""`, `"`); slices.Contains(columns, bare) {
			return bare, nil
		}
	}
	var folded []string
	for _, c := range columns {
		if strings.EqualFold(c, name) {
			folded = append(folded, c)
		}
	}
	if len(folded) == 1 {
		return folded[0], nil
	}
	return "", NotFound(what, name, columns)
}

func looksLikeExpression(item string) bool {
	return strings.ContainsAny(item, "()+*/|%<>=:'[]")
}
