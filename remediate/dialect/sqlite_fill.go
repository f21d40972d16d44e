package dialect

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// statementBytes bounds what is written into one statement: D1 takes 100 kB
// (its limits page), and the rest of a statement needs room too.
const statementBytes = 60_000

// transactionWords are those that D1's own client removes or refuses wherever
// they stand, inside a string too.
var transactionWords = regexp.MustCompile(`(?i)begin|commit|rollback|savepoint|transaction|release`)

// split takes a quoted literal apart so that its value stays: carriage returns,
// which SQLite's shell drops at the end of a line, are written as char(13), and
// for D1 the words of transactions do not stand in the text. One that would be
// cut too often is written in hexadecimal. Other literals stay as they are.
func (s SQLite) split(literal string) string {
	if !strings.HasPrefix(literal, "'") {
		return literal
	}
	apart := strings.ReplaceAll(literal, "\r", "'||char(13)||'")
	if s.d1 {
		apart = transactionWords.ReplaceAllStringFunc(apart, func(word string) string {
			return word[:2] + "'||'" + word[2:]
		})
	}
	switch cuts := strings.Count(apart, "'||") - strings.Count(literal, "'||"); {
	case apart == literal:
		return literal
	case cuts > mostCuts:
		return "CAST(X'" + hex.EncodeToString([]byte(strings.ReplaceAll(literal[1:len(literal)-1], "''", "'"))) + "' AS TEXT)"
	}
	return "(" + apart + ")"
}

// mostCuts bounds how deep an expression gets by cutting a literal: local D1
// takes a depth of 100, SQLite one of 1,000 (its limits page).
const mostCuts = 20

// fill lists what is expected and looks each row up by its literals.
func (s SQLite) fill(out *script) error {
	var expected []string
	size := 0
	flush := func() {
		if len(expected) > 0 {
			out.add("INSERT INTO " + s.expected() + " VALUES\n  " + strings.Join(expected, ",\n  "))
			expected, size = nil, 0
		}
	}
	for _, g := range s.Groups {
		for i, r := range append([]plan.RowRef{g.Keep}, g.Remove...) {
			row := fmt.Sprintf("(%d, %d, %d, %s, %s)", g.Number, i, flag(i == 0), s.Literal(IDJSON(r.ID)), s.Literal(IDJSON(g.Keep.ID)))
			if size += len(row); size > statementBytes || len(expected) == valuesAStatement {
				flush()
				size = len(row)
			}
			expected = append(expected, row)
		}
	}
	flush()
	return s.each(func(group, row int, r plan.RowRef) error { return s.find(out, group, row, r) })
}

// each visits every row of the plan; row 0 of a group is the one that stays.
func (s SQLite) each(visit func(group, row int, r plan.RowRef) error) error {
	for _, g := range s.Groups {
		for i, r := range append([]plan.RowRef{g.Keep}, g.Remove...) {
			if err := visit(g.Number, i, r); err != nil {
				return fmt.Errorf("group %d of %s: %w", g.Number, s.Table.Table, err)
			}
		}
	}
	return nil
}

// fillFormer looks again for rows that an entry before this one changed. Rows
// that are too long for one statement are not looked for: they count as changed.
func (s SQLite) fillFormer(out *script) error {
	return s.each(func(group, row int, r plan.RowRef) error {
		where, conditions, err := s.conditions(r, "b", s.keptIdent)
		if packs := pack(conditions); err == nil && len(packs) == 1 {
			out.add(fmt.Sprintf("INSERT INTO %s SELECT DISTINCT %d, %d, %d, %s FROM %s\n  AND %s AND %s%s",
				s.found(), group, row, flag(row == 0), prefixed("t.", s.Places()), s.former(), where, concat(packs[0], "\n  AND "), s.notFound(fmt.Sprint(group), fmt.Sprint(row))))
		}
		return err
	})
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// find looks up one row. Conditions that do not fit into one statement follow
// in others, which take the row out again where one does not hold.
func (s SQLite) find(out *script, group, row int, r plan.RowRef) error {
	where, conditions, err := s.conditions(r, "t", s.own.ident)
	if err != nil {
		return err
	}
	packs := pack(conditions)
	out.add(fmt.Sprintf("INSERT INTO %s SELECT %d, %d, %d, %s FROM %s AS t\n  WHERE %s AND %s",
		s.found(), group, row, flag(row == 0), prefixed("t.", s.Places()), s.Target(), where, concat(packs[0], "\n  AND ")))
	for _, more := range packs[1:] {
		out.add(fmt.Sprintf("DELETE FROM %s WHERE group_no = %d AND row_no = %d AND NOT EXISTS (SELECT 1 FROM %s AS f JOIN %s AS t ON %s\n  WHERE f.group_no = %d AND f.row_no = %d AND %s)",
			s.found(), group, row, s.found(), s.Target(), s.samePlace(), group, row, concat(more, "\n  AND ")))
	}
	return nil
}

// pack divides conditions so that each part fits into one statement.
func pack(conditions []string) [][]string {
	packs, size := [][]string{nil}, 0
	for _, c := range conditions {
		if size += len(c) + 6; size > statementBytes {
			packs, size = append(packs, nil), len(c)
		}
		packs[len(packs)-1] = append(packs[len(packs)-1], c)
	}
	return packs
}

// conditions are the id of a row under an alias, and that each column is as
// the evidence has it.
func (s SQLite) conditions(r plan.RowRef, alias string, ident func(string) string) (where string, conditions []string, err error) {
	literals, err := ParseImage(r.Image)
	if err != nil {
		return "", nil, err
	}
	columns := s.WritableColumns()
	if len(literals) != len(columns) {
		return "", nil, fmt.Errorf("the image of a row has %d columns, and the table %d", len(literals), len(columns))
	}
	var ids []string
	for _, f := range r.ID {
		literal := s.split(literalOrNull(f.Value)) // the rowid, or a generated column
		if i := slices.Index(columns, f.Name); i >= 0 {
			literal = s.split(asSQL(literals[i]))
		} else if !isColumn(s.Work, f.Name) && f.Value != nil && numberLiteral.FindString(*f.Value) == *f.Value {
			literal = *f.Value
		}
		ids = append(ids, alias+"."+ident(f.Name)+" IS "+literal)
	}
	for i, c := range columns {
		conditions = append(conditions, s.same(alias+"."+queries.Ident(c), literals[i])...)
	}
	return strings.Join(ids, " AND "), conditions, nil
}

// same compares a column with a literal by value and type. A REAL is compared
// as a number, because versions of SQLite print its last digits differently;
// a long value is compared piece by piece.
func (s SQLite) same(column, literal string) []string {
	switch {
	case literal == "NULL":
		return []string{column + " IS NULL"}
	case isReal(literal):
		return []string{"(typeof(" + column + ") = 'real' AND " + column + " = " + asSQL(literal) + ")"}
	case castLiteral.MatchString(literal):
		return append([]string{"typeof(" + column + ") = 'text'"}, s.prints("quote(CAST("+column+" AS BLOB))", castBlob(literal))...)
	}
	return s.prints("quote("+column+")", literal)
}

// prints compares what an expression prints with a text, piece by piece where it is long.
func (s SQLite) prints(expression, text string) []string {
	const piece = 15_000 // quotes in it are doubled
	if len(text) <= piece {
		return []string{expression + " = " + s.Literal(text)}
	}
	conditions := []string{fmt.Sprintf("length(%s) = %d", expression, utf8.RuneCountInString(text))}
	for at := 1; len(text) > 0; {
		n := min(piece, len(text))
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n--
		}
		count := utf8.RuneCountInString(text[:n])
		conditions = append(conditions, fmt.Sprintf("substr(%s, %d, %d) = %s", expression, at, count, s.Literal(text[:n])))
		at, text = at+count, text[n:]
	}
	return conditions
}
