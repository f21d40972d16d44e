package apply

import (
	"context"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"twinrow/queries"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// measured is what is compared before and after a change. SQLite counts no
// effects by table: rows are counted, and those that refer to nothing.
type measured struct {
	rows map[string]int
	// orphans are in the order of sums, violations by table.
	sums       []dialect.Sum
	orphans    []int
	violations map[string]int
}

func (s *sqliteSession) measure(ctx context.Context) (measured, error) {
	m := measured{rows: map[string]int{}, violations: map[string]int{}, sums: s.sql.Orphans()}
	names, err := s.countedTables(ctx)
	if err != nil {
		return m, err
	}
	for _, name := range names {
		if m.rows[name], err = s.number(ctx, "counting rows", "SELECT count(*) FROM main."+queries.Ident(name)); err != nil {
			return m, err
		}
	}
	for _, sum := range m.sums {
		n, err := s.number(ctx, "looking for orphans", sum.SQL)
		if err != nil {
			return m, err
		}
		m.orphans = append(m.orphans, n)
		m.violations[sum.Table] = s.violations(ctx, sum.Table)
	}
	for _, name := range s.sql.Touched() {
		m.violations[name] = s.violations(ctx, name)
	}
	return m, ctx.Err()
}

// violations asks SQLite itself how many rows of a table break its foreign
// keys. It does not answer where a parent key is not unique, which counts as none.
func (s *sqliteSession) violations(ctx context.Context, table string) int {
	n, err := s.number(ctx, "checking foreign keys", "SELECT count(*) FROM pragma_foreign_key_check(?)", table)
	if err != nil {
		return 0
	}
	return n
}

// countedTables are the tables whose rows change, and all others where
// triggers could take rows away.
func (s *sqliteSession) countedTables(ctx context.Context) ([]string, error) {
	if !s.triggered {
		return s.sql.Touched(), nil
	}
	var names []string
	err := s.query(ctx, "reading the catalogue", queries.SQLite("apply_tables"), func(stmt *sqlite.Stmt) error {
		if name := stmt.ColumnText(0); !slices.Contains(s.sql.Keeps(), name) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// asForetold compares what was measured. Triggers, to which the plan had
// consent, may add rows elsewhere, and change a row that is changed here.
func (s *sqliteSession) asForetold(ctx context.Context, before measured, foretold effects) (map[string]plan.Effect, error) {
	now, err := s.measure(ctx)
	if err != nil {
		return nil, err
	}
	out, added := map[string]plan.Effect{}, 0
	for name, n := range now.rows {
		want, known := foretold[name]
		change := int64(n - before.rows[name])
		switch {
		case known && change != want.Inserted-want.Deleted, !known && change < 0:
			return nil, differs(fmt.Sprintf("%s has %+d rows, which was not foretold", name, change), "look at the triggers of "+s.w.Table.Table+" and of what refers to it, then run again")
		case known:
			out[name] = want
		case change > 0:
			added += int(change)
			out[name] = plan.Effect{Inserted: change}
		}
	}
	if err := now.orphaned(before); err != nil {
		return nil, err
	}
	return out, s.aftermath(ctx, added)
}

// orphaned refuses a change after which more rows refer to nothing.
func (m measured) orphaned(before measured) error {
	const hint = "look at what refers to the rows, then scan again"
	for i, n := range m.orphans {
		if more := n - before.orphans[i]; more > 0 {
			return differs(fmt.Sprintf("%s of %s would refer to nothing", plan.Count(more, "row"), m.sums[i].Table), hint)
		}
	}
	for name, n := range m.violations {
		if more := n - before.violations[name]; more > 0 {
			return differs(fmt.Sprintf("%s of %s would break a foreign key", plan.Count(more, "row"), name), hint)
		}
	}
	return nil
}

// aftermath refuses changes that triggers or foreign keys made beside rows
// that they added and rows that are changed here anyhow.
func (s *sqliteSession) aftermath(ctx context.Context, added int) error {
	unexplained := s.aside - added
	if unexplained <= 0 {
		return nil
	}
	for _, step := range append(s.sql.Steps(), s.sql.Planned()...) {
		n, err := s.number(ctx, "looking at what triggers did", s.sql.Stamped(step))
		if err != nil {
			return err
		}
		unexplained -= n
	}
	if unexplained > 0 {
		return differs(fmt.Sprintf("triggers or foreign keys changed %s that the plan does not", plan.Count(unexplained, "row")), "look at the triggers of the tables that are changed, then plan again")
	}
	return nil
}
