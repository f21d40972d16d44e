package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// entry is one table or view of the catalogue.
type entry struct {
	name, kind, sql string
	withoutRowid    bool
}

func (s *Source) tables() ([]entry, error) {
	var out []entry
	err := run(s.conn, statement("tables"), func(stmt *sqlite.Stmt) error {
		out = append(out, entry{
			name: stmt.ColumnText(0), kind: stmt.ColumnText(1), sql: stmt.ColumnText(2), withoutRowid: stmt.ColumnBool(3),
		})
		return nil
	})
	return out, err
}

// internal tells the engine's own tables, which are never suggested.
func internal(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, "sqlite_") || strings.HasPrefix(lower, "_cf_") || lower == "d1_migrations"
}

// Inspect resolves a request against the catalogue.
func (s *Source) Inspect(ctx context.Context, req source.Request) (*source.Table, error) {
	done, err := s.interruptible(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := s.findTable(ctx, req.Table)
	if err != nil {
		return nil, err
	}
	table, p, err := s.resolve(found, req)
	if err != nil {
		return nil, s.problem(ctx, "reading the catalogue of "+found.name, err)
	}
	s.plans[table] = p
	return table, nil
}

// findTable finds the table that a name means.
func (s *Source) findTable(ctx context.Context, name string) (entry, error) {
	all, err := s.tables()
	if err != nil {
		return entry{}, s.problem(ctx, "reading the catalogue", err)
	}
	var names, suggested []string
	for _, t := range all {
		names = append(names, t.name)
		if !internal(t.name) && t.kind == "table" {
			suggested = append(suggested, t.name)
		}
	}
	if name == "" {
		return entry{}, &key.Problem{Code: key.CodeUsage, Message: "no table is named", Hint: "name one with --table; " + theTables(suggested)}
	}
	exact, err := resolveTable(name, names)
	if err != nil {
		p := key.NotFound("table", name, suggested)
		p.Message += " in " + s.info.Database
		if p.Hint == "" {
			p.Hint = theTables(suggested)
		}
		return entry{}, p
	}
	return readable(all[slices.Index(names, exact)])
}

func theTables(names []string) string {
	if len(names) == 0 {
		return "the database has no tables; check that this is the file that the application writes to"
	}
	return "there are: " + strings.Join(names[:min(len(names), 12)], ", ")
}

// resolveTable takes an exact name, one in other case or in quotes, and the
// same after "main.".
func resolveTable(name string, names []string) (string, error) {
	exact, err := key.ResolveColumn("table", name, names)
	if bare, ok := strings.CutPrefix(name, "main."); ok && err != nil {
		return key.ResolveColumn("table", bare, names)
	}
	return exact, err
}

// readable refuses what has no rows of its own.
func readable(t entry) (entry, error) {
	switch {
	case t.kind == "view":
		return entry{}, &key.Problem{Code: key.CodeUnsupported, Message: t.name + " is a view, and its rows cannot be found again by an identity", Hint: "scan the table that it reads from, with the view's condition as --where"}
	case strings.HasPrefix(strings.ToUpper(strings.Join(strings.Fields(t.sql), " ")), "CREATE VIRTUAL TABLE"):
		return entry{}, &key.Problem{Code: key.CodeUnsupported, Message: t.name + " is a virtual table, and what it reads is not in its own rows", Hint: "scan the table that holds its content"}
	}
	return t, nil
}

// field is a column with what only SQLite knows of it.
type field struct {
	source.Column
	// primary is the column's place in the primary key, 0 for none.
	primary int
}

func (s *Source) fields(table string) ([]field, error) {
	var out []field
	err := run(s.conn, statement("columns"), func(stmt *sqlite.Stmt) error {
		hidden := stmt.ColumnInt(4)
		out = append(out, field{
			Column: source.Column{
				Name: stmt.ColumnText(0), Type: typeName(stmt.ColumnText(1)), NotNull: stmt.ColumnBool(2),
				Generated: hidden == 2 || hidden == 3, // virtual, stored
			},
			primary: stmt.ColumnInt(3),
		})
		return nil
	}, table)
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("the table %q has no columns", table)
	}
	return out, err
}

// typeName names the type of a column declared without one, as SQLite's documents do.
func typeName(declared string) string {
	if declared == "" {
		return "ANY"
	}
	return declared
}

// primaryKey returns the columns of the primary key in its order.
func primaryKey(fields []field) []string {
	var names []string
	for place := 1; ; place++ {
		i := slices.IndexFunc(fields, func(f field) bool { return f.primary == place })
		if i < 0 {
			return names
		}
		names = append(names, fields[i].Name)
	}
}
