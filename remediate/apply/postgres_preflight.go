package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// facts are what the catalogue says of the table and the role.
type facts struct {
	oid                                                 uint32
	schema, kind                                        string
	hasChildren, hasRules                               bool
	owns, selects, inserts, deletes, creates, temporary bool
	origin, counts                                      bool
}

// read takes the facts from a row of apply_table.
func (f *facts) read(row pgx.Row) error {
	return row.Scan(&f.oid, &f.schema, &f.kind, &f.hasChildren, &f.hasRules, &f.owns, &f.selects, &f.inserts, &f.deletes, &f.creates, &f.temporary, &f.origin, &f.counts)
}

// preflight sees before the first change that the table is there, that it is
// of a kind that can be cleaned, and that the role may do every step.
func (s *postgresSession) preflight(ctx context.Context, why purpose) error {
	schema, name := plan.SplitName("postgres", s.w.Table.Table)
	f := facts{}
	err := f.read(s.conn.QueryRow(ctx, queries.Postgres("apply_table"), schema, name))
	if errors.Is(err, pgx.ErrNoRows) {
		return &plan.Problem{Code: plan.CodeDrift, Message: "there is no table " + s.w.Table.Table + " any more", Hint: "name the database that was scanned, or scan again if the table was renamed"}
	}
	if err != nil {
		return explain(ctx, "reading the catalogue", err)
	}
	s.facts = f
	if err := s.fit(why); err != nil {
		return err
	}
	var missing []string
	need := func(has bool, what string) {
		if !has {
			missing = append(missing, what)
		}
	}
	need(f.selects, "SELECT on "+s.w.Table.Table)
	need(f.temporary, "TEMPORARY on the database")
	if why != forVerify && len(s.w.Groups) > 0 {
		need(f.deletes, "DELETE on "+s.w.Table.Table)
		need(f.inserts, "INSERT on "+s.w.Table.Table+" (for the way back)")
		need(f.creates, "CREATE on the schema "+f.schema)
	}
	if why != forVerify && s.w.Index() != nil {
		need(f.owns, "ownership of "+s.w.Table.Table+" (for the index)")
		need(f.creates || len(s.w.Groups) > 0, "CREATE on the schema "+f.schema)
	}
	if why != forVerify {
		more, err := s.rightsElsewhere(ctx)
		if err != nil {
			return err
		}
		missing = append(missing, more...)
	}
	if len(missing) > 0 {
		return &plan.Problem{Code: plan.CodePermission, Message: "rights are missing: " + strings.Join(missing, ", ") + "; nothing was changed", Hint: "run as the table's owner, or have the rights granted"}
	}
	return nil
}

// rightsElsewhere names the rights that are missing on tables whose rows are
// changed beside those that go.
func (s *postgresSession) rightsElsewhere(ctx context.Context) ([]string, error) {
	need := map[string]plan.Effect{}
	var tables []string
	for _, o := range s.w.Operations {
		switch o.Op {
		case plan.OpRepoint:
			for _, r := range s.w.References {
				if r.Number == *o.Reference {
					need[r.Table] = r.Effect()
				}
			}
		case plan.OpMerge, plan.OpSet:
			need[o.Table] = plan.Effect{Updated: 1}
		default:
			continue
		}
		tables = append(tables, o.Table)
	}
	if len(tables) == 0 {
		return nil, nil
	}
	rows, err := s.conn.Query(ctx, queries.Postgres("apply_rights"), tables)
	if err != nil {
		return nil, explain(ctx, "reading the rights", err)
	}
	var missing []string
	var table string
	var selects, updates, inserts, deletes bool
	_, err = pgx.ForEachRow(rows, []any{&table, &selects, &updates, &inserts, &deletes}, func() error {
		for _, right := range []struct {
			needed, has bool
			name        string
		}{{true, selects, "SELECT"}, {need[table].Updated > 0, updates, "UPDATE"}, {need[table].Deleted > 0, inserts, "INSERT"}, {need[table].Deleted > 0, deletes, "DELETE"}} {
			if right.needed && !right.has {
				missing = append(missing, right.name+" on "+table)
			}
		}
		return nil
	})
	return missing, explain(ctx, "reading the rights", err)
}

// fit refuses what a clean-up cannot be sound on.
func (s *postgresSession) fit(why purpose) error {
	f, name := s.facts, s.w.Table.Table
	switch {
	case f.kind != "r" && f.kind != "p":
		return &plan.Problem{Code: plan.CodeUnsupported, Message: name + " is no ordinary table, so no unique index can be built on it", Hint: "scan the table that holds the rows"}
	case f.hasChildren && s.w.Index() != nil:
		return &plan.Problem{Code: plan.CodeUnsupported, Message: "other tables inherit from " + name + ", and a unique index on it does not reach their rows", Hint: "scan and plan each of the tables by itself"}
	case why != forVerify && !f.origin:
		return &plan.Problem{Code: plan.CodeUnsupported, Message: "session_replication_role is not origin for this role, so foreign keys would not be kept", Hint: "run as a role without that setting"}
	case why != forVerify && !f.counts:
		return &plan.Problem{Code: plan.CodeUnsupported, Message: "track_counts is off for this role, so the effects of the clean-up could not be counted", Hint: "run as a role without that setting"}
	}
	return nil
}

// columns compares the table's columns with those of the scan, and learns the
// types of the id columns.
func (s *postgresSession) columns(ctx context.Context) error {
	rows, err := s.conn.Query(ctx, queries.Postgres("apply_columns"), s.facts.oid)
	if err != nil {
		return explain(ctx, "reading the columns", err)
	}
	now, err := readColumns(rows)
	if err != nil {
		return explain(ctx, "reading the columns", err)
	}
	if err := sameColumns(s.w, now); err != nil {
		return err
	}
	types := map[string]string{"ctid": "pg_catalog.tid", "tableoid": "pg_catalog.oid"}
	for _, c := range now {
		types[c.Name] = c.Type
	}
	for _, name := range s.w.Case.ID {
		s.idTypes = append(s.idTypes, types[name])
	}
	return nil
}

// readColumns takes the columns from the rows of apply_columns.
func readColumns(rows pgx.Rows) ([]plan.Column, error) {
	var columns []plan.Column
	var c plan.Column
	_, err := pgx.ForEachRow(rows, []any{&c.Name, &c.Type, &c.Generated}, func() error { columns = append(columns, c); return nil })
	return columns, err
}

// sameColumns refuses a table that was altered since the scan.
func sameColumns(w *plan.Work, now []plan.Column) error {
	altered := func(what string) error {
		return &plan.Problem{Code: plan.CodeDrift, Message: w.Table.Table + " was altered since the scan: " + what + "; nothing was changed", Hint: "scan again into a new case"}
	}
	then := w.Case.Columns
	for i, c := range now {
		if i >= len(then) || then[i].Name != c.Name {
			return altered("the column " + c.Name + " is new or has moved")
		}
		if then[i].Type != c.Type || then[i].Generated != c.Generated {
			return altered(fmt.Sprintf("the column %s was %s and is %s", c.Name, then[i].Type, c.Type))
		}
	}
	if len(then) > len(now) {
		return altered("the column " + then[len(now)].Name + " is gone")
	}
	return nil
}
