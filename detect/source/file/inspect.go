package file

import (
	"context"
	"slices"
	"strings"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// plan is a request settled to places of fields.
type plan struct {
	key, id    []int // -1 in id is the line number
	nullsEqual bool
}

// lineID names a record by the line it starts on.
const lineID = "line"

// Inspect resolves a request against the header.
func (s *Source) Inspect(ctx context.Context, req source.Request) (*source.Table, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	if req.Table != "" && !strings.EqualFold(req.Table, s.table) {
		p := key.NotFound("table", req.Table, []string{s.table})
		p.Hint = "the file is one table, " + s.table + "; leave its name out"
		return nil, p
	}
	s.believe(req)
	table := &source.Table{Name: s.table, EstimatedRows: s.estimate, Bytes: s.input.size}
	for _, name := range s.header {
		table.Columns = append(table.Columns, source.Column{Name: name, Type: "text"})
	}
	p := &plan{nullsEqual: req.NullsEqual}
	if err := s.resolveKey(table, p, req); err != nil {
		return nil, err
	}
	if err := s.resolveRoles(table, req); err != nil {
		return nil, err
	}
	if err := s.resolveID(table, p, req.ID); err != nil {
		return nil, err
	}
	s.plans[table] = p
	return table, nil
}

func (s *Source) resolveKey(table *source.Table, p *plan, req source.Request) error {
	parts, err := key.Resolve(req.Key, s.header)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if part.Expression {
			return s.unsupported("the key expression " + part.Text + " cannot be evaluated in a file")
		}
		p.key = append(p.key, slices.Index(s.header, part.Text))
	}
	if req.Where != "" {
		return s.unsupported("the predicate " + req.Where + " cannot be evaluated in a file")
	}
	table.Key = key.Key{Parts: parts, NullsEqual: req.NullsEqual}
	return nil
}

func (s *Source) unsupported(message string) error {
	return &key.Problem{
		Code: key.CodeUnsupported, Message: message,
		Hint: "load it into SQLite and scan that" + map[string]string{"csv": ", as with: sqlite3 new.db '.import --csv FILE " + s.table + "'"}[s.format],
	}
}

func (s *Source) resolveRoles(table *source.Table, req source.Request) error {
	var err error
	for _, role := range []struct {
		what, name string
		into       *string
	}{
		{"time column", req.Time, &table.Time}, {"email column", req.Email, &table.Email},
		{"name column", req.Name, &table.NameColumn}, {"amount column", req.Amount, &table.Amount},
	} {
		if role.name == "" {
			continue
		}
		if *role.into, err = key.ResolveColumn(role.what, role.name, s.header); err != nil {
			return err
		}
	}
	for _, name := range req.Ignore {
		exact, err := key.ResolveColumn("ignored column", name, s.header)
		if err != nil {
			return err
		}
		table.Ignore = append(table.Ignore, exact)
	}
	return nil
}

// resolveID takes what was asked for, a column named id, or the line number.
func (s *Source) resolveID(table *source.Table, p *plan, asked []string) error {
	if len(asked) == 0 {
		asked = []string{lineID}
		if name, err := key.ResolveColumn("id column", "id", s.header); err == nil {
			asked = []string{name}
		} else if slices.Contains(s.header, lineID) {
			table.ID, p.id = asked, []int{-1} // the number, not a column of that name
			return nil
		}
	}
	for _, name := range asked {
		exact, err := key.ResolveColumn("id column", name, s.header)
		if err != nil && name != lineID {
			return err
		} else if err != nil {
			exact = lineID
		}
		table.ID = append(table.ID, exact)
		p.id = append(p.id, slices.Index(s.header, exact))
	}
	return nil
}
