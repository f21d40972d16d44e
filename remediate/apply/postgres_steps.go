package apply

import (
	"context"

	"github.com/jackc/pgx/v5"

	"twinrow/queries"
	"twinrow/remediate/dialect"
)

// lockReferring keeps writers away from the tables whose rows are to change,
// in the order of their names, so that two runs cannot wait for each other.
func (s *postgresSession) lockReferring(ctx context.Context) error {
	for _, table := range dialect.ReferringTables(s.w) {
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
	return lookReferred(ctx, s, s.w, s.sql.Referred())
}

// referrers counts what refers to the rows, by group.
func (s *postgresSession) referrers(ctx context.Context, counts string) (map[int]referredRow, error) {
	rows, err := s.conn.Query(ctx, counts)
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
	return found, explain(ctx, "looking at what refers to the rows", err)
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
		if err := cameBack(back.Table, want, got, lost, s.sql.Changes()); err != nil {
			return err
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
