package postgres

import (
	"context"
	"errors"
	"strings"

	"twinrow/detect/source"
	"twinrow/queries"
)

var _ source.Tracer = (*Source)(nil)

// errNoPlaces is why rows that are known by their ids alone cannot be followed.
var errNoPlaces = errors.New("the rows have no places from which to follow what refers to them")

// Referring says where the rows of another table lie that refer to the rows.
func (s *Source) Referring(ctx context.Context, t *source.Table, k source.ForeignKey, locators []uint64, visit func(uint64, string)) error {
	r, err := s.relation(t)
	if err != nil || len(locators) == 0 {
		return err
	}
	if r.book != nil {
		return errNoPlaces
	}
	child := k.Table
	if k.Where != "" {
		child = "(SELECT c.tableoid, c.ctid, c.* FROM " + k.Table + " AS c WHERE (" + k.Where + "\n))"
	}
	err = s.steady(ctx, func() error {
		on, err := s.refersOn(ctx, r, k)
		if err != nil {
			return err
		}
		sql := r.fill("evidence_referring", "table", r.name, "child", child, "on", on)
		return s.main.stream(ctx, 0, sql, []string{r.places(locators)}, func(f [][]byte) error {
			if l, ok := r.locatorOf(string(f[0]), string(f[1])); ok {
				visit(l, string(f[2])+" "+string(f[3]))
			}
			return nil
		})
	})
	return explain(ctx, "looking for the rows of "+k.Table+" that refer to "+t.Name, err)
}

// KeysTo reads the foreign keys that refer to a table.
func (s *Source) KeysTo(ctx context.Context, table string) (keys []source.ForeignKey, err error) {
	err = s.outlive(ctx, func() error {
		oid, err := s.oidByName(ctx, table)
		if err != nil {
			return err
		}
		rows, err := s.main.rows(ctx, "table_incoming_keys", oid)
		keys = incomingKeys(rows)
		return err
	})
	return keys, explain(ctx, "reading what refers to "+table, err)
}

// Further says where the rows lie that refer to rows at the places.
func (s *Source) Further(ctx context.Context, table string, k source.ForeignKey, places []string, visit func(int, string)) error {
	heaps, at := make([]string, len(places)), make([]string, len(places))
	for i, p := range places {
		heaps[i], at[i], _ = strings.Cut(p, " ")
	}
	on := make([]string, len(k.Columns))
	for i, c := range k.Columns {
		on[i] = "c." + queries.Ident(c) + " = p." + queries.Ident(k.References[i])
	}
	err := s.steady(ctx, func() error {
		sql := statement("evidence_further", "table", table, "child", k.Table, "on", strings.Join(on, " AND "))
		return s.main.stream(ctx, 0, sql, []string{"{" + strings.Join(heaps, ",") + "}", `{"` + strings.Join(at, `","`) + `"}`}, func(f [][]byte) error {
			visit(int(number(string(f[0])))-1, string(f[1])+" "+string(f[2]))
			return nil
		})
	})
	return explain(ctx, "looking for the rows of "+k.Table+" that refer to "+table, err)
}
