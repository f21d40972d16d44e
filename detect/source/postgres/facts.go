package postgres

import (
	"context"

	"twinrow/detect/source"
)

// readFacts reads what a clean-up must know of a table before its first change.
func (s *Source) readFacts(ctx context.Context, r *relation, t *source.Table) error {
	rows, err := s.main.rows(ctx, "table_facts", r.oid)
	if err != nil {
		return err
	}
	f := &source.Facts{}
	for _, row := range rows {
		switch fact, name := row[0], row[1]; fact {
		case "partition-key":
			f.PartitionKey = append(f.PartitionKey, name)
		case "refuses-delete":
			f.RefusesDelete = append(f.RefusesDelete, name)
		case "rule":
			f.Rules = append(f.Rules, name)
		case "row-security":
			f.RowSecurity = name
		case "invalid-inert":
			f.Inert = append(f.Inert, name)
		case "invalid-enforcing":
			f.Enforcing = append(f.Enforcing, name)
		case "name":
			f.Names = append(f.Names, name)
		}
	}
	t.Facts = f
	return s.readIndexes(ctx, r, f)
}

// readIndexes reads the table's own indexes.
func (s *Source) readIndexes(ctx context.Context, r *relation, f *source.Facts) error {
	rows, err := s.main.rows(ctx, "table_indexes", r.oid)
	if err != nil {
		return err
	}
	for _, row := range rows {
		into, text := &f.Indexes, row[1]
		if why := row[2]; why != "" {
			into, text = &f.Bound, why
		}
		if *into == nil {
			*into = map[string]string{}
		}
		(*into)[row[0]] = text
	}
	return nil
}
