package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"twinrow/queries"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// steps carries out changes beside the delete, each of exactly as many rows as
// it must change.
func (s *postgresSession) steps(ctx context.Context, foretold effects, steps ...dialect.Step) error {
	for _, step := range steps {
		for _, sql := range step.Prepare {
			if err := s.exec(ctx, step.Doing, sql); err != nil {
				return err
			}
		}
		want, err := s.number(ctx, step.Doing, step.Want)
		if err != nil {
			return err
		}
		got, err := s.count(ctx, step.Doing, step.SQL)
		if err != nil {
			return err
		}
		if got != want {
			return differs(fmt.Sprintf("%s was to change %s, and changed %d", step.Doing, plan.Count(want, "row"), got), "a trigger or rule of "+step.Table+" keeps rows from being changed; look at it, then plan again")
		}
		e := plan.Effect{Updated: int64(want)}
		if step.Deletes {
			e = plan.Effect{Deleted: int64(want)}
		}
		foretold.add(step.Table, e)
		foretold.add(s.sql.Changes(), plan.Effect{Inserted: int64(want)})
	}
	return nil
}

// lockReferring keeps writers away from the tables whose rows are to change,
// in the order of their names, so that two runs cannot wait for each other.
func (s *postgresSession) lockReferring(ctx context.Context) error {
	var tables []string
	for _, r := range s.w.References {
		if r.Rows > 0 && r.Table != s.w.Table.Table && !slices.Contains(tables, r.Table) {
			tables = append(tables, r.Table)
		}
	}
	slices.Sort(tables)
	for _, table := range tables {
		if err := s.exec(ctx, "locking "+table, "LOCK TABLE "+dialect.PostgresName(table)+" IN SHARE ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
	}
	return nil
}

// referred lists the loaded groups to which other rows refer otherwise than
// was foretold.
func (s *postgresSession) referred(ctx context.Context) ([]Drift, error) {
	if len(s.w.Set) > 0 {
		return nil, nil
	}
	if err := s.lockReferring(ctx); err != nil {
		return nil, err
	}
	var drifted []Drift
	for _, r := range s.sql.Referred() {
		for _, sql := range r.Prepare {
			if err := s.exec(ctx, "looking at what refers to the rows", sql); err != nil {
				return nil, err
			}
		}
		rows, err := s.conn.Query(ctx, r.Counts)
		if err != nil {
			return nil, explain(ctx, "looking at what refers to the rows", err)
		}
		found := map[int]referredRow{}
		var group int
		var one referredRow
		_, err = pgx.ForEachRow(rows, []any{&group, &one.id, &one.Rows, &one.Dropped, &one.Merged}, func() error {
			found[group] = one
			return nil
		})
		if err != nil {
			return nil, explain(ctx, "looking at what refers to the rows", err)
		}
		loaded, err := s.loadedGroups(ctx)
		if err != nil {
			return nil, err
		}
		drifted = append(drifted, referredOtherwise(s.w, r.Number, found, loaded)...)
	}
	return drifted, nil
}

// loadedGroups are the groups in the work.
func (s *postgresSession) loadedGroups(ctx context.Context) (map[int]bool, error) {
	rows, err := s.conn.Query(ctx, s.sql.Loaded())
	if err != nil {
		return nil, explain(ctx, "looking at the work", err)
	}
	groups, err := pgx.CollectRows(rows, pgx.RowTo[int])
	loaded := map[int]bool{}
	for _, g := range groups {
		loaded[g] = true
	}
	return loaded, explain(ctx, "looking at the work", err)
}

// referredRow is what refers to the rows of one group that go.
type referredRow struct {
	id string
	plan.GroupReference
}

// referredOtherwise compares one reference with what was foretold of it.
func referredOtherwise(w *plan.Work, number int, found map[int]referredRow, loaded map[int]bool) []Drift {
	var drifted []Drift
	for _, g := range w.Groups {
		if !loaded[g.Number] {
			continue
		}
		want := plan.GroupReference{Number: number}
		for _, c := range g.References {
			if c.Number == number {
				want = c
			}
		}
		got, there := found[g.Number]
		got.Number = number
		if got.GroupReference == want {
			continue
		}
		if !there {
			got.id = dialect.IDJSON(g.Remove[0].ID)
		}
		drifted = append(drifted, Drift{Group: g.Number, Row: got.id, State: stateReferred})
	}
	return drifted
}

// stateReferred is the state of a row to which others refer otherwise than the
// evidence has it.
const stateReferred = "referred to differently"

// putBack takes the given steps back.
func (s *postgresSession) putBack(ctx context.Context, backs []dialect.Back) error {
	for _, back := range backs {
		loud, err := s.quiet(ctx, back.Table)
		if err != nil {
			return err
		}
		var want, got, lost int
		if err := s.conn.QueryRow(ctx, back.SQL).Scan(&want, &got, &lost); err != nil {
			return s.restoreProblem(ctx, err)
		}
		if got != want {
			return &plan.Problem{Code: plan.CodeDrift, Message: fmt.Sprintf("%d of %s of %s cannot be put back, because they were changed or removed since; everything was rolled back and nothing was changed", want-got, plan.Count(want, "changed row"), back.Table), Hint: "compare the table with what stands in " + s.sql.Changes()}
		}
		if lost > 0 {
			return differs(fmt.Sprintf("%s of %s did not come back as they were", plan.Count(lost, "row"), back.Table), "a trigger of that table changes them, and only its owner can keep it from that: run the undo as the owner")
		}
		if err := s.exec(ctx, "checking foreign keys", "SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
			return s.restoreProblem(ctx, err)
		}
		for _, sql := range loud {
			if err := s.exec(ctx, "enabling triggers", sql); err != nil {
				return err
			}
		}
	}
	return nil
}

// quiet keeps the table's triggers from changing what is put back; it returns
// the statements that enable them again. Only an owner may, and for others
// they fire.
func (s *postgresSession) quiet(ctx context.Context, table string) (loud []string, err error) {
	rows, err := s.conn.Query(ctx, queries.Postgres("apply_triggers"), dialect.PostgresName(table))
	if err != nil {
		return nil, explain(ctx, "reading the triggers", err)
	}
	type trigger struct {
		name, mode string
		owned      bool
	}
	var triggers []trigger
	var t trigger
	if _, err := pgx.ForEachRow(rows, []any{&t.name, &t.mode, &t.owned}, func() error { triggers = append(triggers, t); return nil }); err != nil {
		return nil, explain(ctx, "reading the triggers", err)
	}
	for _, t := range triggers {
		if !t.owned {
			return nil, nil
		}
		alter := "ALTER TABLE " + dialect.PostgresName(table)
		if err := s.exec(ctx, "disabling triggers", alter+" DISABLE TRIGGER "+queries.Ident(t.name)); err != nil {
			return nil, err
		}
		loud = append(loud, alter+" ENABLE "+t.mode+"TRIGGER "+queries.Ident(t.name))
	}
	return loud, nil
}
