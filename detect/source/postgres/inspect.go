package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/queries"
)

// Inspect resolves a request against the catalogue and keeps the table from
// being rewritten until Close; it reads no row.
func (s *Source) Inspect(ctx context.Context, req source.Request) (*source.Table, error) {
	var t *source.Table
	err := s.outlive(ctx, func() error {
		return s.main.attempt(ctx, func() (err error) {
			t, err = s.inspect(ctx, req)
			return err
		})
	})
	if err != nil {
		return nil, explain(ctx, "reading the catalogue about "+req.Table, err)
	}
	return t, nil
}

func (s *Source) inspect(ctx context.Context, req source.Request) (*source.Table, error) {
	if req.Table == "" {
		return nil, &key.Problem{Code: key.CodeUsage, Message: "no table is named", Hint: "name it with --table"}
	}
	f, err := s.find(ctx, req.Table)
	if err != nil {
		return nil, err
	}
	r := &relation{oid: f.oid, name: f.qualified, alias: queries.Ident(f.table), equal: req.NullsEqual}
	t := &source.Table{Name: f.qualified}
	// Rights first, for a better message than the lock's; then again under the
	// lock, for sizes that hold.
	if err := s.readHeaps(ctx, r, &source.Table{Name: t.Name}); err != nil {
		return nil, err
	}
	r.heaps = nil
	r.lockable = (f.kind == "r" || f.kind == "p") && !r.limited
	if err := s.hold(ctx, r); err != nil {
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return s.readHeaps(ctx, r, t) },
		func() error { return s.readColumns(ctx, r, t, req) },
		func() error { return s.readKey(ctx, r, t, req) },
		func() error { return s.readRights(ctx, r, t) },
		func() error { return s.readSurroundings(ctx, r, t) },
		func() error { return s.readDeclared(ctx, t, req.References) },
		func() error { return s.readFacts(ctx, r, t) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	s.remember(t, r)
	return t, nil
}

// hold keeps the table from being dropped or rewritten until the snapshot ends.
func (s *Source) hold(ctx context.Context, r *relation) error {
	name := "table_hold"
	if r.lockable {
		name = "table_lock"
	}
	return s.main.do(ctx, statement(name, "table", r.name))
}

func (s *Source) readColumns(ctx context.Context, r *relation, t *source.Table, req source.Request) error {
	rows, err := s.main.rows(ctx, "table_columns", r.oid)
	if err != nil {
		return err
	}
	primary := map[int]string{}
	for _, row := range rows {
		t.Columns = append(t.Columns, source.Column{Name: row[0], Type: row[1], NotNull: row[2] == "t", Generated: row[3] == "t", Identity: row[4]})
		if place, _ := strconv.Atoi(row[5]); place > 0 {
			primary[place] = row[0]
		}
	}
	if err := resolveRoles(t, req); err != nil {
		return err
	}
	if len(t.ID) == 0 {
		for place := 1; place <= len(primary); place++ {
			t.ID = append(t.ID, primary[place])
		}
	}
	t.Kind = r.kind()
	if slices.ContainsFunc(r.heaps, func(h heap) bool { return !h.placed }) {
		if len(t.ID) == 0 && slices.Contains(t.ColumnNames(), "id") {
			t.ID = []string{"id"} // whether it tells rows apart is seen when they are read
		}
		for _, c := range t.Columns {
			if c.Type == "text" || strings.HasPrefix(c.Type, "character varying") {
				r.words = c.Name
			}
		}
		return r.keepBook(t)
	}
	switch {
	case len(t.ID) > 0:
	case len(r.heaps) > 1:
		t.ID = []string{"tableoid", "ctid"} // a place alone is in every partition
	default:
		t.ID = []string{"ctid"}
	}
	return nil
}

// resolveRoles settles the columns that the request names for a role.
func resolveRoles(t *source.Table, req source.Request) error {
	names := t.ColumnNames()
	for _, role := range []struct {
		what, name string
		into       *string
	}{
		{"time column", req.Time, &t.Time},
		{"email column", req.Email, &t.Email},
		{"name column", req.Name, &t.NameColumn},
		{"amount column", req.Amount, &t.Amount},
	} {
		if role.name == "" {
			continue
		}
		column, err := key.ResolveColumn(role.what, role.name, names)
		if err != nil {
			return err
		}
		*role.into = column
	}
	var err error
	if t.ID, err = resolveAll("id column", req.ID, names); err != nil {
		return err
	}
	t.Ignore, err = resolveAll("ignored column", req.Ignore, names)
	return err
}

func resolveAll(what string, wanted, names []string) ([]string, error) {
	var out []string
	for _, w := range wanted {
		column, err := key.ResolveColumn(what, w, names)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, column) {
			out = append(out, column)
		}
	}
	return out, nil
}

// readSurroundings reads what forbids duplicates already, what refers to the
// table, and what would fire.
func (s *Source) readSurroundings(ctx context.Context, r *relation, t *source.Table) error {
	unique, err := s.main.rows(ctx, "table_unique", r.oid)
	if err != nil {
		return err
	}
	// An index on a parent says nothing of the tables that inherit from it.
	if len(r.heaps) == 1 || r.heaps[0].oid != oidOf(r.oid) {
		t.UniqueBy = uniqueBy(unique, t.Key)
	}
	keys, err := s.main.rows(ctx, "table_incoming_keys", r.oid)
	if err != nil {
		return err
	}
	t.IncomingKeys = incomingKeys(keys)
	triggers, err := s.main.rows(ctx, "table_triggers", r.oid)
	for _, row := range triggers {
		if row[1] == "t" {
			t.Triggers = append(t.Triggers, row[0])
		}
		if row[2] == "t" {
			t.UpdateTriggers = append(t.UpdateTriggers, row[0])
		}
	}
	return err
}

func incomingKeys(rows [][]string) []source.ForeignKey {
	var keys []source.ForeignKey
	last := ""
	for _, row := range rows {
		if row[5] != last {
			keys = append(keys, source.ForeignKey{Name: row[0], Table: row[1], OnDelete: row[2]})
			last = row[5]
		}
		k := &keys[len(keys)-1]
		k.Columns = append(k.Columns, row[3])
		k.References = append(k.References, row[4])
	}
	return keys
}

func oidOf(text string) uint32 {
	oid, _ := strconv.ParseUint(text, 10, 32)
	return uint32(oid)
}

// uniqueBy names the indexes that leave no room for a second row with the key:
// the index's columns are all in the key, its rows are all rows or those of
// the key's predicate, and it takes NULLs and equality as the key does.
func uniqueBy(rows [][]string, k key.Key) []string {
	forbids := map[string]bool{}
	var order, names []string
	for _, row := range rows {
		name, predicate, part, expression, nullsOnce, sameEquality := row[0], row[1], row[2], row[3] == "t", row[4] == "t", row[5] == "t"
		if _, seen := forbids[name]; !seen {
			order = append(order, name)
			forbids[name] = predicate == "" || plain(predicate) == plain(k.Where)
		}
		fits := sameEquality && (nullsOnce || !k.NullsEqual) && slices.ContainsFunc(k.Parts, func(p key.Part) bool {
			return p.Expression == expression && (p.Text == part || expression && plain(p.Text) == plain(part))
		})
		forbids[name] = forbids[name] && fits
	}
	for _, name := range order {
		if forbids[name] {
			names = append(names, name)
		}
	}
	return names
}

// plain writes SQL without outer parentheses, blanks and capitals, to compare
// what a user wrote with what the catalogue prints. Where it cannot see that
// two are the same, an index is not named, which harms nobody.
func plain(sql string) string {
	if strings.ContainsAny(sql, `'"`) {
		return strings.TrimSpace(trimParentheses(sql))
	}
	return strings.ToLower(strings.Join(strings.Fields(trimParentheses(sql)), ""))
}

// trimParentheses takes off pairs that hold the whole text.
func trimParentheses(sql string) string {
	sql = strings.TrimSpace(sql)
	for strings.HasPrefix(sql, "(") && strings.HasSuffix(sql, ")") && closes(sql) == len(sql)-1 {
		sql = strings.TrimSpace(sql[1 : len(sql)-1])
	}
	return sql
}

// closes is where the parenthesis at the start ends, or -1.
func closes(sql string) int {
	depth := 0
	for i, c := range []byte(sql) {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
