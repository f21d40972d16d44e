package postgres

import (
	"context"
	"fmt"
	"strings"

	"twinrow/detect/key"
)

// name is one part of a table's name as the user wrote it.
type name struct {
	text   string
	quoted bool // in double quotes: means exactly this text
}

// splitName takes "schema.table" apart; a part in double quotes may hold dots.
func splitName(text string) ([]name, bool) {
	var parts []name
	for rest := text; ; {
		part, after, ok := cutName(rest)
		if !ok {
			return nil, false
		}
		parts = append(parts, part)
		if after == "" {
			return parts, true
		}
		if after[0] != '.' {
			return nil, false
		}
		rest = after[1:]
	}
}

// cutName takes the first part off a name.
func cutName(text string) (part name, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexByte(text, '.')
		if end < 0 {
			end = len(text)
		}
		return name{text: text[:end]}, text[end:], end > 0
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '"':
			b.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == '"':
			b.WriteByte('"')
			i++
		default:
			return name{text: b.String(), quoted: true}, text[i+1:], b.Len() > 0
		}
	}
	return name{}, "", false
}

// found is a relation that a name means.
type found struct {
	oid, table, qualified, kind string
}

// find settles a table's name against the catalogue.
func (s *Source) find(ctx context.Context, table string) (found, error) {
	schema, bare, ok := s.target(table)
	if !ok {
		return found{}, &key.Problem{Code: key.CodeUsage, Message: fmt.Sprintf("%q is not a table's name", table), Hint: "write it as TABLE or SCHEMA.TABLE, with double quotes around a part that holds dots or capitals"}
	}
	rows, err := s.main.rows(ctx, "table_find", schema.text, bare.text)
	if err != nil {
		return found{}, err
	}
	var fits []found
	var distances []string
	for _, r := range rows {
		if bare.quoted && r[2] != bare.text || schema.quoted && r[1] != schema.text {
			continue
		}
		fits = append(fits, found{oid: r[0], table: r[2], qualified: r[3], kind: r[4]})
		distances = append(distances, r[5])
	}
	switch {
	case len(fits) == 0:
		return found{}, s.noTable(ctx, table)
	case len(fits) > 1 && distances[0] == "2":
		return found{}, &key.Problem{Code: key.CodeUsage, Message: fmt.Sprintf("the name %q fits several tables", table), Hint: "write one of them exactly, in double quotes: " + fits[0].qualified + ", " + fits[1].qualified}
	}
	return fits[0], nil
}

// target splits a name into schema, which may be empty, and table. The name of
// our own database in front is dropped, as Postgres does.
func (s *Source) target(table string) (schema, bare name, ok bool) {
	parts, ok := splitName(strings.TrimSpace(table))
	if ok && len(parts) == 3 && parts[0].text == s.server.database {
		parts = parts[1:]
	}
	switch {
	case ok && len(parts) == 1:
		return name{}, parts[0], true
	case ok && len(parts) == 2:
		return parts[0], parts[1], true
	}
	return name{}, name{}, false
}

func (s *Source) noTable(ctx context.Context, table string) error {
	rows, err := s.main.rows(ctx, "table_names")
	if err != nil {
		return err
	}
	var names []string
	for _, r := range rows {
		names = append(names, r[0])
	}
	problem := key.NotFound("table", table, names)
	if problem.Hint == "" || strings.HasPrefix(problem.Hint, "there are") {
		// A name in another schema is nearest by its last part.
		for _, n := range names {
			if parts, ok := splitName(n); ok && len(parts) == 2 && strings.EqualFold(parts[1].text, table) {
				problem.Hint = "did you mean " + n + "?"
			}
		}
	}
	return problem
}
