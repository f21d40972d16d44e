package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/queries"
)

// References counts the rows of another table that refer to the rows.
func (s *Source) References(ctx context.Context, t *source.Table, k source.ForeignKey, locators []uint64, visit func(uint64, int64) error) error {
	r, err := s.relation(t)
	if err != nil || len(locators) == 0 {
		return err
	}
	if r.book != nil {
		err := s.steady(ctx, func() error { return s.referencesByID(ctx, r, k, locators, visit) })
		return explain(ctx, "counting the rows of "+k.Table+" that refer to "+t.Name, err)
	}
	wanted := make(map[uint64]bool, len(locators))
	for _, l := range locators {
		wanted[l] = true
	}
	err = s.steady(ctx, func() error {
		on, err := s.refersOn(ctx, r, k)
		if err != nil {
			return err
		}
		sql := r.fill("evidence_references", "table", r.name, "child", childRows(k), "on", on)
		return s.main.stream(ctx, 0, sql, []string{r.places(locators)}, func(f [][]byte) error {
			if l, ok := r.locatorOf(string(f[0]), string(f[1])); ok && wanted[l] {
				return visit(l, number(string(f[2])))
			}
			return nil
		})
	})
	return explain(ctx, "counting the rows of "+k.Table+" that refer to "+t.Name, err)
}

// childRows are the rows that can refer, as a FROM takes them.
func childRows(k source.ForeignKey) string {
	if k.Where == "" {
		return k.Table
	}
	return "(SELECT * FROM " + k.Table + " WHERE (" + k.Where + "\n))"
}

// refersOn is the condition under which a row of the child refers to one of
// the table. What no constraint declares is compared in the child's own type.
func (s *Source) refersOn(ctx context.Context, r *relation, k source.ForeignKey) (string, error) {
	casts := map[string]string{}
	if k.OnDelete == "" {
		columns, err := s.columnsOf(ctx, k.Table)
		if err != nil {
			return "", err
		}
		for _, c := range columns {
			casts[c.Name] = "::" + strings.TrimSuffix(c.Type, "[]")
		}
	}
	terms := make([]string, len(k.Columns))
	for i := range k.Columns {
		column, to := "twinrow_child."+queries.Ident(k.Columns[i]), r.column(k.References[i])+casts[k.Columns[i]]
		if terms[i] = column + " = " + to; k.Array {
			terms[i] = to + " = ANY (" + column + ")"
		}
	}
	return strings.Join(terms, " AND "), nil
}

// oidByName is the OID of a table as a statement takes it.
func (s *Source) oidByName(ctx context.Context, table string) (string, error) {
	rows, err := s.main.rows(ctx, "table_oid", table)
	if err != nil {
		return "", err
	}
	return rows[0][0], nil
}

func (s *Source) columnsOf(ctx context.Context, table string) ([]source.Column, error) {
	oid, err := s.oidByName(ctx, table)
	if err != nil {
		return nil, err
	}
	var t source.Table
	err = s.readColumns(ctx, &relation{oid: oid}, &t, source.Request{})
	return t.Columns, err
}

// Child reads the catalogue about a table that refers.
func (s *Source) Child(ctx context.Context, t *source.Table, k source.ForeignKey) (source.Child, error) {
	var out source.Child
	err := s.outlive(ctx, func() error {
		return s.main.attempt(ctx, func() (err error) {
			out, err = s.child(ctx, k)
			return err
		})
	})
	return out, explain(ctx, "reading the catalogue about "+k.Table+", which refers to "+t.Name, err)
}

func (s *Source) child(ctx context.Context, k source.ForeignKey) (source.Child, error) {
	oid, err := s.oidByName(ctx, k.Table)
	if err != nil {
		return source.Child{}, err
	}
	var t source.Table
	if err := s.readColumns(ctx, &relation{oid: oid}, &t, source.Request{}); err != nil {
		return source.Child{}, err
	}
	out := source.Child{Columns: t.Columns}
	if slices.ContainsFunc(t.Columns, func(c source.Column) bool { return c.Name == t.ID[0] }) {
		out.ID = t.ID
	}
	unique, err := s.main.rows(ctx, "table_unique", oid)
	if err != nil {
		return out, err
	}
	out.Unique = uniqueKeys(unique, k.Columns)
	triggers, err := s.main.rows(ctx, "table_triggers", oid)
	if err != nil {
		return out, err
	}
	for _, row := range triggers {
		out.Triggers = append(out.Triggers, row[0])
	}
	incoming, err := s.main.rows(ctx, "table_incoming_keys", oid)
	out.Incoming = incomingKeys(incoming)
	return out, err
}

// uniqueKeys are the unique indexes that hold one of the columns.
func uniqueKeys(rows [][]string, columns []string) []source.UniqueKey {
	var all []source.UniqueKey
	for _, row := range rows {
		name, predicate, part, expression := row[0], row[1], row[2], row[3] == "t"
		if len(all) == 0 || all[len(all)-1].Name != name {
			// NULLs are equal unless one of the parts shows that they are not.
			all = append(all, source.UniqueKey{Name: name, Where: predicate, NullsEqual: row[6] == "t", Unclear: key.Mentions(predicate, columns)})
		}
		u := &all[len(all)-1]
		switch {
		case !expression && slices.Contains(columns, part):
			u.Columns = append(u.Columns, part)
		default:
			u.Rest = append(u.Rest, key.Part{Text: part, Expression: expression})
			u.Unclear = u.Unclear || expression && key.Mentions(part, columns)
		}
	}
	return slices.DeleteFunc(all, func(u source.UniqueKey) bool { return len(u.Columns) == 0 && !u.Unclear })
}

// Collisions counts what would be too many under a unique key of the child.
func (s *Source) Collisions(ctx context.Context, t *source.Table, k source.ForeignKey, u source.UniqueKey, groups [][]uint64, visit func(int, int64, int64) error) error {
	r, err := s.relation(t)
	if err != nil || len(groups) == 0 || r.book != nil { // what is found by id alone is not cleaned
		return err
	}
	var rest, parts []string
	known := []string{"true"}
	for i, p := range u.Rest {
		text := queries.Ident(p.Text)
		if p.Expression {
			text = "(" + p.Text + "\n)"
		}
		rest, parts = append(rest, fmt.Sprintf("%s AS u%d", text, i)), append(parts, fmt.Sprintf("u.u%d", i))
		if !u.NullsEqual {
			known = append(known, "pg_catalog.num_nulls("+text+") = 0")
		}
	}
	if len(rest) == 0 {
		rest, parts = []string{"1 AS u0"}, []string{"u.u0"}
	}
	if u.Where != "" {
		known = append(known, "("+u.Where+"\n)")
	}
	var numbers, heaps []string
	var all []uint64
	for i, group := range groups {
		for _, l := range group {
			numbers, heaps = append(numbers, strconv.Itoa(i)), append(heaps, strconv.FormatUint(uint64(r.heapOf(l).oid), 10))
		}
		all = append(all, group...)
	}
	err = s.steady(ctx, func() error {
		on, err := s.refersOn(ctx, r, k)
		if err != nil {
			return err
		}
		sql := r.fill("evidence_collisions", "table", r.name, "child", childRows(k), "on", on, "rest", strings.Join(rest, ", "), "names", strings.Join(parts, ", "), "condition", strings.Join(known, " AND "))
		args := []string{"{" + strings.Join(numbers, ",") + "}", "{" + strings.Join(heaps, ",") + "}", r.places(all)}
		return s.main.stream(ctx, 0, sql, args, func(f [][]byte) error {
			return visit(int(number(string(f[0]))), number(string(f[1])), number(string(f[2])))
		})
	})
	return explain(ctx, "looking for collisions under "+u.Name+" of "+k.Table, err)
}

// readDeclared resolves the references that no constraint declares. One that a
// foreign key declares all the same is not told twice.
func (s *Source) readDeclared(ctx context.Context, t *source.Table, declared []source.Declared) error {
	for _, d := range declared {
		f, err := s.find(ctx, d.Table)
		if err != nil {
			return err
		}
		columns, err := s.columnsOf(ctx, f.qualified)
		if err != nil {
			return err
		}
		if err := arrayOf(d, f.qualified, columns); err != nil {
			return err
		}
		k, known, err := source.DeclaredKey(t, d, f.qualified, (&source.Table{Columns: columns}).ColumnNames())
		if err != nil {
			return err
		}
		if !known {
			t.IncomingKeys = append(t.IncomingKeys, k)
		}
	}
	return nil
}
