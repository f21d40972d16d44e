package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/queries"
)

var _ source.Ranker = (*Source)(nil)

// Rank has SQLite put rows in a person's order, inside the snapshot.
func (s *Source) Rank(ctx context.Context, t *source.Table, ask source.Ranking, ids [][]source.Value, visit func(source.Rank) error) error {
	done, err := s.interruptible(ctx)
	if err != nil {
		return err
	}
	defer done()
	p := s.plans[t]
	if p == nil {
		return errNotInspected
	}
	const doing = "asking which rows stay"
	sql, err := s.rankQuery(p, t, ask)
	if err != nil {
		return s.problem(ctx, doing, err)
	}
	asked, err := idsJSON(ids)
	if err != nil {
		return err
	}
	stmt, _, err := s.conn.PrepareTransient(sql)
	if err != nil {
		return s.problem(ctx, doing, err)
	}
	defer stmt.Finalize()
	stmt.BindText(1, asked)
	seen := make([]bool, len(ids))
	err = each(stmt, func(stmt *sqlite.Stmt) error {
		one := source.Rank{Row: stmt.ColumnInt(0), Place: stmt.ColumnInt64(1), Holds: make([]bool, len(ask.Predicates))}
		if seen[one.Row] {
			return &key.Problem{Code: key.CodeUnsupported, Message: "several rows of " + t.Name + " have one id, written alike", Hint: "scan again with other columns as --id"}
		}
		seen[one.Row] = true
		for i := range one.Holds {
			one.Holds[i] = stmt.ColumnBool(2 + i)
		}
		return visited(visit(one))
	})
	return s.problem(ctx, doing, err)
}

// rankQuery checks each piece of a person's SQL by itself, so that a mistake is
// named, and makes the statement of them.
func (s *Source) rankQuery(p *plan, t *source.Table, ask source.Ranking) (string, error) {
	place, holds := "1", ""
	var terms []string
	for _, term := range ask.Order {
		sql := parenthesised(term.Text)
		if name, err := key.ResolveColumn("column", term.Text, t.ColumnNames()); err == nil {
			sql = queries.Ident(name)
		} else if err := s.checkPiece(p, "the ordering "+term.Text, sql+" IS NULL"); err != nil {
			return "", err
		}
		terms = append(terms, sql+term.Tail())
	}
	if len(terms) > 0 {
		place = "rank() OVER (ORDER BY " + strings.Join(terms, ", ") + ")"
	}
	for _, predicate := range ask.Predicates {
		if err := s.checkPiece(p, "the invariant "+predicate, parenthesised(predicate)); err != nil {
			return "", err
		}
		holds += ", CASE WHEN " + parenthesised(predicate) + " THEN 1 ELSE 0 END"
	}
	var pieces, same []string
	for i, column := range p.id {
		text, value := "twinrow_text_"+strconv.Itoa(i), "twinrow_value_"+strconv.Itoa(i)
		pieces = append(pieces, statement("rank_id", "part", strconv.Itoa(i), "text", text, "value", value))
		id := p.identity[0]
		if column >= 0 {
			id = queries.Ident(p.columns[column].Name)
		}
		same = append(same, fmt.Sprintf("%s.%s IN (twinrow_asked.%s, twinrow_asked.%s)", p.from, id, text, value))
	}
	return statement("rank", "ids", strings.Join(pieces, ", "), "place", place, "holds", holds, "table", p.from, "same", strings.Join(same, " AND ")), nil
}

// idsJSON writes ids as an array of arrays of texts.
func idsJSON(ids [][]source.Value) (string, error) {
	all := make([][]*string, len(ids))
	for i, id := range ids {
		for _, part := range id {
			if part.Null {
				all[i] = append(all[i], nil)
			} else {
				all[i] = append(all[i], &part.Text)
			}
		}
	}
	raw, err := json.Marshal(all)
	return string(raw), err
}
