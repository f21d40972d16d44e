package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/queries"
)

// References counts the rows of another table that refer to the rows.
func (s *Source) References(ctx context.Context, t *source.Table, k source.ForeignKey, locators []uint64, visit func(uint64, int64) error) error {
	p, done, err := s.asking(ctx, t)
	if err != nil {
		return err
	}
	defer done()
	names, err := p.namesOf(locators)
	if err != nil {
		return err
	}
	query := statement("references", "table", p.from, "place", p.place(), "child", childRows(k), "on", refersOn(k))
	err = run(s.conn, query, func(stmt *sqlite.Stmt) error {
		return visited(visit(p.locator(stmt), stmt.ColumnInt64(1)))
	}, names)
	return s.problem(ctx, "counting the rows of "+k.Table+" that refer to "+t.Name, err)
}

// childRows are the rows that can refer, as a FROM takes them.
func childRows(k source.ForeignKey) string {
	name := "main." + queries.Ident(k.Table)
	if k.Where == "" {
		return name
	}
	return "(SELECT * FROM " + name + " WHERE " + parenthesised(k.Where) + ")"
}

// refersOn is the condition under which a row c of the child refers to a row t,
// by the collation of t, as a foreign key compares. An array is JSON; what is
// not JSON refers to nothing.
func refersOn(k source.ForeignKey) string {
	terms := make([]string, len(k.Columns))
	for i := range k.Columns {
		child, parent := "c."+queries.Ident(k.Columns[i]), "t."+queries.Ident(k.References[i])
		if terms[i] = parent + " = " + child; k.Array {
			terms[i] = "EXISTS (SELECT 1 FROM json_each(iif(json_valid(" + child + "), " + child + ", '[]')) AS e WHERE e.value = " + parent + ")"
		}
	}
	return strings.Join(terms, " AND ")
}

// Child reads the catalogue about a table that refers.
func (s *Source) Child(ctx context.Context, t *source.Table, k source.ForeignKey) (source.Child, error) {
	done, err := s.interruptible(ctx)
	if err != nil {
		return source.Child{}, err
	}
	defer done()
	out, err := s.child(k)
	return out, s.problem(ctx, "reading the catalogue about "+k.Table+", which refers to "+t.Name, err)
}

func (s *Source) child(k source.ForeignKey) (source.Child, error) {
	fields, err := s.fields(k.Table)
	if err != nil {
		return source.Child{}, err
	}
	out := source.Child{ID: primaryKey(fields)}
	for _, f := range fields {
		out.Columns = append(out.Columns, f.Column)
	}
	all, err := s.tables()
	if err != nil {
		return out, err
	}
	place := slices.IndexFunc(all, func(e entry) bool { return strings.EqualFold(e.name, k.Table) })
	if place >= 0 && !all[place].withoutRowid {
		out.Rowid = freeRowid(fields)
	}
	if out.Unique, err = s.uniqueKeys(k, fields); err != nil {
		return out, err
	}
	if out.Incoming, err = s.incomingKeys(k.Table, fields); err != nil {
		return out, err
	}
	err = run(s.conn, statement("triggers"), func(stmt *sqlite.Stmt) error {
		out.Triggers = append(out.Triggers, stmt.ColumnText(0))
		return nil
	}, k.Table)
	return out, err
}

// freeRowid is a name of the rowid that no column hides, else "".
func freeRowid(fields []field) string {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !slices.ContainsFunc(fields, func(f field) bool { return strings.EqualFold(f.Name, name) }) {
			return name
		}
	}
	return ""
}

// Collisions counts what would be too many under a unique key of the child.
func (s *Source) Collisions(ctx context.Context, t *source.Table, k source.ForeignKey, u source.UniqueKey, groups [][]uint64, visit func(int, int64, int64) error) error {
	p, done, err := s.asking(ctx, t)
	if err != nil {
		return err
	}
	defer done()
	child, rest, known := collidingRows(k, u)
	var pairs [][2]any
	for i, group := range groups {
		for _, l := range group {
			pairs = append(pairs, [2]any{i, p.nameOf(l)})
		}
	}
	list, err := json.Marshal(pairs)
	if err != nil {
		return err
	}
	query := statement("collisions", "table", p.from, "place", p.place(), "child", child, "on", refersOn(k),
		"rest", strings.Join(rest, ", "), "known", strings.Join(known, " AND "))
	err = run(s.conn, query, func(stmt *sqlite.Stmt) error {
		return visited(visit(stmt.ColumnInt(0), stmt.ColumnInt64(1), stmt.ColumnInt64(2)))
	}, string(list))
	return s.problem(ctx, "looking for collisions under "+u.Name+" of "+k.Table, err)
}

// collidingRows are the rows that can refer and be the same under a key, with
// what the key holds beside the columns that refer, and what must hold of it.
// Expressions are computed where their names are the child's own.
func collidingRows(k source.ForeignKey, u source.UniqueKey) (from string, rest, known []string) {
	computed, rest, known := "", []string{"1"}, []string{"1"}
	add := func(sql string) string {
		name := fmt.Sprintf("twinrow_part_%d", len(rest))
		computed += ", " + parenthesised(sql) + " AS " + name
		return "c." + name
	}
	for _, part := range u.Rest {
		column := "c." + queries.Ident(part.Text)
		if part.Expression {
			column = add(part.Text)
		}
		rest = append(rest, column)
		if !u.NullsEqual {
			known = append(known, column+" IS NOT NULL")
		}
	}
	if u.Where != "" {
		known = append(known, add(u.Where))
	}
	return "(SELECT *" + computed + " FROM " + childRows(k) + ")", rest, known
}

// declared resolves the references that no constraint declares. One that a
// foreign key declares all the same is not told twice.
func (s *Source) declared(t *source.Table, declared []source.Declared) error {
	all, err := s.tables()
	if err != nil || len(declared) == 0 {
		return err
	}
	var names []string
	for _, e := range all {
		names = append(names, e.name)
	}
	for _, d := range declared {
		table, err := resolveTable(d.Table, names)
		if err != nil {
			return key.NotFound("table", d.Table, names)
		}
		fields, err := s.fields(table)
		if err != nil {
			return err
		}
		var columns []string
		for _, f := range fields {
			columns = append(columns, f.Name)
		}
		k, known, err := source.DeclaredKey(t, d, table, columns)
		if err != nil {
			return err
		}
		if !known {
			t.IncomingKeys = append(t.IncomingKeys, k)
		}
	}
	return nil
}
