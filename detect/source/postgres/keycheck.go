package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// readKey resolves the key and the predicate, has the server check them
// without running anything, and finds out how each part is hashed.
func (s *Source) readKey(ctx context.Context, r *relation, t *source.Table, req source.Request) error {
	parts, err := key.Resolve(req.Key, t.ColumnNames())
	if err != nil {
		return err
	}
	t.Key = key.Key{Parts: parts, NullsEqual: req.NullsEqual, Where: strings.TrimSpace(req.Where)}
	for _, p := range parts {
		if !p.Expression {
			r.parts = append(r.parts, part{sql: r.column(p.Text), column: p.Text})
			continue
		}
		if err := s.check(ctx, r, "key_part_check", "key expression", p.Text); err != nil {
			return err
		}
		// On lines of its own, so that a comment at its end ends there.
		r.parts = append(r.parts, part{sql: "(\n" + p.Text + "\n)"})
	}
	r.where = "true"
	if t.Key.Where != "" {
		if err := s.check(ctx, r, "predicate_check", "predicate", t.Key.Where); err != nil {
			return err
		}
		r.where = "(\n" + t.Key.Where + "\n)"
	}
	return s.readTypes(ctx, r, t)
}

// check prepares a statement around SQL of the user's.
func (s *Source) check(ctx context.Context, r *relation, statement, what, text string) error {
	sql := r.fill(statement, "table", r.name, "text", text)
	types, err := s.main.types(ctx, sql)
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused):
		return sqlProblem(what, text, sql, refused)
	case err != nil:
		return err
	case len(types) != 1:
		return &key.Problem{Code: key.CodeUsage, Message: fmt.Sprintf("the %s %q is not one expression", what, text), Hint: "give one expression over the table's columns, as lower(email)"}
	}
	return nil
}

// sqlProblem is what the server says against SQL of the user's, with the place
// in it.
func sqlProblem(what, text, sql string, e *pgconn.PgError) *key.Problem {
	p := &key.Problem{Code: key.CodeUsage, Message: fmt.Sprintf("the %s %q: %s", what, text, e.Message), Hint: e.Hint}
	switch e.Code {
	case "42703":
		p.Code = key.CodeNotFound
	case "42501":
		p.Code = key.CodePermission
	}
	if at := placeIn(text, sql, int(e.Position)); at > 0 {
		p.Message += fmt.Sprintf(" at character %d", at)
	}
	if p.Hint == "" {
		p.Hint = "it must be SQL over the columns of one row, without aggregates, as this server understands it"
	}
	return p
}

// placeIn turns a place in a statement, in characters from 1, into the place
// in the user's text that stands in it; 0 where it is outside.
func placeIn(text, sql string, position int) int {
	length := utf8.RuneCountInString(text)
	for from := 0; ; {
		i := strings.Index(sql[from:], text)
		if i < 0 {
			return 0
		}
		start := utf8.RuneCountInString(sql[:from+i])
		if position > start && position <= start+length {
			return position - start
		}
		from += i + max(1, len(text))
	}
}

// readTypes finds out the types of the key's parts and their hashes.
func (s *Source) readTypes(ctx context.Context, r *relation, t *source.Table) error {
	types, err := s.main.types(ctx, r.fill("key_check", "table", r.name))
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return keyProblem(t.Key, refused)
	}
	if err != nil {
		return err
	}
	oids := make([]string, len(types))
	for i, oid := range types {
		oids[i] = fmt.Sprint(oid)
	}
	rows, err := s.main.rows(ctx, "type_hashes", "{"+strings.Join(oids, ",")+"}")
	if err != nil {
		return err
	}
	for i := range r.parts {
		for _, row := range rows {
			if row[0] != oids[i] {
				continue
			}
			p := &r.parts[i]
			p.typeName, p.hash, p.argument, p.direct, p.portable, p.worded = row[1], row[2], row[3], row[4] == "t", row[5] == "t", row[6] == "t"
			if types[i] != recordOID || p.hash == "" {
				continue
			}
			if err := s.readRecord(ctx, r, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordOID is the type of a row made on the spot, as ROW(a, b); what it is
// made of is not known by its type.
const recordOID = 2249

// readRecord takes the hash of rows from a part that is one, unless every
// field is known to have a hash.
func (s *Source) readRecord(ctx context.Context, r *relation, p *part) error {
	var types []uint32
	err := s.main.attempt(ctx, func() (err error) {
		types, err = s.main.types(ctx, r.fill("key_record_check", "table", r.name, "text", p.sql))
		return err
	})
	if _, refused := errors.AsType[*pgconn.PgError](err); refused || slices.Contains(types, recordOID) {
		p.hash = ""
		return nil
	}
	if err != nil {
		return err
	}
	oids := make([]string, len(types))
	for i, oid := range types {
		oids[i] = fmt.Sprint(oid)
	}
	rows, err := s.main.rows(ctx, "type_hashes", "{"+strings.Join(oids, ",")+"}")
	for _, row := range rows {
		if row[2] == "" {
			p.hash = ""
		}
	}
	return err
}

func keyProblem(k key.Key, e *pgconn.PgError) *key.Problem {
	p := &key.Problem{Code: key.CodeUnsupported, Message: "the database cannot tell equal keys of " + strings.Join(k.Names(), ", ") + ": " + e.Message, Hint: e.Hint}
	switch e.Code {
	case "42883":
		p.Hint = "give an expression of a type that has an equality, as doc::jsonb for a column doc of the type json"
	case "42P22", "42P21":
		p.Hint = "name the collation, as (a || b) COLLATE \"C\""
	}
	return p
}
