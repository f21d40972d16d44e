package sqlite

import (
	"slices"
	"strings"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/queries"
)

// uniqueKeys are the unique keys that hold one of the columns that refer. One
// whose predicate or expressions hang on these columns is unclear: what it says
// of a row that is to refer to another is not worked out.
func (s *Source) uniqueKeys(k source.ForeignKey, fields []field) ([]source.UniqueKey, error) {
	indexes, err := s.uniqueIndexes(k.Table)
	if err != nil {
		return nil, err
	}
	primary := primaryKey(fields)
	if len(primary) == 1 && !slices.ContainsFunc(indexes, func(i index) bool { return i.primary }) {
		indexes = append(indexes, index{name: "primary key", columns: []indexColumn{{0, primary[0], "BINARY"}}})
	}
	var out []source.UniqueKey
	for _, i := range indexes {
		if u := i.uniqueKey(k.Columns); len(u.Columns) > 0 || u.Unclear {
			out = append(out, u)
		}
	}
	return out, nil
}

// uniqueKey is what the index says of rows that refer by these columns.
func (i index) uniqueKey(refer []string) source.UniqueKey {
	terms, where := indexTerms(i.sql)
	u := source.UniqueKey{Name: i.name, Where: where, Unclear: i.partial && where == "" || key.Mentions(where, refer)}
	for n, c := range i.columns {
		switch {
		case c.cid < 0 && (len(terms) != len(i.columns) || key.Mentions(terms[n], refer)):
			u.Unclear = true
		case c.cid < 0:
			u.Rest = append(u.Rest, key.Part{Text: terms[n], Expression: true})
		case slices.Contains(refer, c.name):
			u.Columns = append(u.Columns, c.name)
		case !strings.EqualFold(c.collation, "BINARY"):
			u.Rest = append(u.Rest, key.Part{Text: queries.Ident(c.name) + " COLLATE " + queries.Ident(c.collation), Expression: true})
		default:
			u.Rest = append(u.Rest, key.Part{Text: c.name})
		}
	}
	return u
}

// indexTerms reads what an index is over, and its predicate, from the statement
// that made it. Nothing is returned of what cannot be read so.
func indexTerms(sql string) (terms []string, where string) {
	depth, from := 0, 0
	term := func(to int) { terms = append(terms, withoutOrder(sql[from:to])) }
	for at := 0; at < len(sql); {
		next := at + pieceLength(sql[at:])
		switch {
		case sql[at] == '(':
			if depth++; depth == 1 {
				from = next
			}
		case sql[at] == ',' && depth == 1:
			term(at)
			from = next
		case sql[at] == ')':
			if depth--; depth == 0 {
				term(at)
				rest := strings.TrimSpace(sql[next:])
				if word := "WHERE"; len(rest) > len(word) && strings.EqualFold(rest[:len(word)], word) {
					where = strings.TrimSpace(rest[len(word):])
				}
				return terms, where
			}
		}
		at = next
	}
	return nil, ""
}

// pieceLength is the length of what SQL begins with: a string, a quoted name or
// a comment with all that is in it, else one byte.
func pieceLength(sql string) int {
	closing := map[byte]string{'\'': "'", '"': "\"", '`': "`", '[': "]"}[sql[0]]
	switch {
	case strings.HasPrefix(sql, "--"):
		closing = "\n"
	case strings.HasPrefix(sql, "/*"):
		closing = "*/"
	case closing == "":
		return 1
	}
	begins := min(len(sql), 1+len(closing)/2)
	if n := strings.Index(sql[begins:], closing); n >= 0 {
		return begins + n + len(closing)
	}
	return len(sql)
}

// withoutOrder is an index's term without the ASC or DESC at its end.
func withoutOrder(term string) string {
	term = strings.TrimSpace(term)
	for _, word := range []string{"ASC", "DESC"} {
		cut := len(term) - len(word)
		if cut > 0 && strings.EqualFold(term[cut:], word) && strings.ContainsAny(term[cut-1:cut], " \t\r\n)") {
			return strings.TrimSpace(term[:cut])
		}
	}
	return term
}
