package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// shut is a column that we may not read in one of the tables that hold
// the rows.
type shut struct{ column, quoted, heap string }

// readRights leaves out of the table's columns what this role may not read, and
// refuses by name where one of them is needed. A role that may read the whole
// table is not asked about.
func (s *Source) readRights(ctx context.Context, r *relation, t *source.Table) error {
	if !r.limited {
		return nil
	}
	rows, err := s.main.rows(ctx, "table_unreadable", r.oid)
	if err != nil {
		return err
	}
	var all, needed []shut
	for _, row := range rows {
		one := shut{row[0], row[1], row[2]}
		all = append(all, one)
		if needs(t, one.column) {
			needed = append(needed, one)
		}
	}
	if len(needed) > 0 {
		return s.missingRight(t, needed)
	}
	// What else an expression reads, as a whole row, only the server tells.
	err = s.main.attempt(ctx, func() error { return s.main.do(ctx, r.fill("rights_check", "table", r.name)) })
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == "42501" {
		return s.missingRight(t, all)
	}
	if err != nil {
		return err
	}
	for _, one := range all {
		t.Columns = slices.DeleteFunc(t.Columns, func(c source.Column) bool { return c.Name == one.column })
		if !slices.Contains(r.unread, one.column) {
			r.unread = append(r.unread, one.column)
		}
	}
	items := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		items[i] = r.column(c.Name)
	}
	r.readable = strings.Join(items, ", ")
	return nil
}

// needs tells whether the request cannot do without a column.
func needs(t *source.Table, column string) bool {
	roles := append([]string{t.Time, t.Email, t.NameColumn, t.Amount}, t.ID...)
	return slices.Contains(roles, column) || slices.ContainsFunc(t.Key.Parts, func(p key.Part) bool {
		return p.Text == column && !p.Expression || p.Expression && key.Mentions(p.Text, []string{column})
	}) || key.Mentions(t.Key.Where, []string{column})
}

// missingRight names the columns, and the grants that are missing.
func (s *Source) missingRight(t *source.Table, missing []shut) error {
	var names, heaps, grants []string
	for _, m := range missing {
		if !slices.Contains(names, m.column) {
			names = append(names, m.column)
		}
		if !slices.Contains(heaps, m.heap) {
			heaps = append(heaps, m.heap)
		}
	}
	for _, heap := range heaps {
		var columns []string
		for _, m := range missing {
			if m.heap == heap {
				columns = append(columns, m.quoted)
			}
		}
		grants = append(grants, fmt.Sprintf("GRANT SELECT (%s) ON %s TO %s", strings.Join(columns, ", "), heap, s.server.role))
	}
	if len(grants) > 3 {
		grants = append(grants[:3], fmt.Sprintf("and the same on %d tables more that hold its rows", len(heaps)-3))
	}
	return &key.Problem{
		Code:    key.CodePermission,
		Message: fmt.Sprintf("the role %s may not read %s of %s, which the key, the predicate or a named column needs", s.server.role, strings.Join(names, ", "), t.Name),
		Hint:    strings.Join(grants, "; "),
	}
}

// unreadCaveats say of each table what was not read of it.
func (s *Source) unreadCaveats() []string {
	var says []string
	for _, r := range s.tables {
		if len(r.unread) > 0 {
			says = append(says, fmt.Sprintf("the role %s may not read %s of %s: copies are compared in the other columns only", s.server.role, strings.Join(r.unread, ", "), r.name))
		}
	}
	slices.Sort(says)
	return slices.Compact(says)
}
