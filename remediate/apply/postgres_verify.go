package apply

import (
	"context"

	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

// findKept finds survivors of a table without a primary key again.
func (s *postgresSession) findKept(ctx context.Context) error {
	if move := s.sql.RelocateKept(); move != "" {
		return s.exec(ctx, "looking for the rows", move)
	}
	return nil
}

// duplicates counts the keys that several rows have.
func (s *postgresSession) duplicates(ctx context.Context) (int, error) {
	return s.number(ctx, "counting duplicates", s.sql.CountDuplicates())
}

// standing counts held groups of which several rows are there.
func (s *postgresSession) standing(ctx context.Context, held []plan.Held) (int, error) {
	if len(held) == 0 {
		return 0, nil
	}
	other := &postgresSession{conn: s.conn, w: heldWork(s.w, held), idTypes: s.idTypes}
	other.sql = dialect.NewPostgres(other.w, 0)
	if err := other.load(ctx, true); err != nil {
		return 0, err
	}
	rows, err := s.conn.Query(ctx, other.sql.States())
	if err != nil {
		return 0, explain(ctx, "looking at held groups", err)
	}
	defer rows.Close()
	there := map[int]int{}
	for rows.Next() {
		var group, row int
		var keep bool
		var id, state string
		if err := rows.Scan(&group, &row, &keep, &id, &state); err != nil {
			return 0, explain(ctx, "looking at held groups", err)
		}
		if state != "gone" {
			there[group]++
		}
	}
	return several(there), explain(ctx, "looking at held groups", rows.Err())
}

// heldWork is the work of looking at held groups.
func heldWork(w *plan.Work, held []plan.Held) *plan.Work {
	out := *w
	out.Groups = nil
	for _, h := range held {
		g := plan.WorkGroup{Number: h.Number, Key: h.Key, Keep: plan.RowRef{ID: h.Rows[0]}}
		for _, id := range h.Rows[1:] {
			g.Remove = append(g.Remove, plan.RowRef{ID: id})
		}
		out.Groups = append(out.Groups, g)
	}
	return &out
}

func several(there map[int]int) int {
	n := 0
	for _, rows := range there {
		if rows > 1 {
			n++
		}
	}
	return n
}

// overtaken expects rows that a later case changed as it left them, and takes
// survivors out of the work that it removed.
func (s *postgresSession) overtaken(ctx context.Context, later *plan.Work) error {
	after := &postgresSession{conn: s.conn, w: later, sql: s.sql.Of(later)}
	if err := after.recall(ctx); err != nil {
		return err
	}
	there, err := s.exists(ctx, s.sql.Quarantine())
	if err != nil || !there || len(later.Set) > 0 { // rows that were set are kept, and there
		return err
	}
	return s.exec(ctx, "looking at what was cleaned since", after.sql.Overtaken())
}

// checks runs the dialect's checks but the first, which is about duplicates.
func (s *postgresSession) checks(ctx context.Context) ([]Check, error) {
	if len(s.w.Groups) > 0 {
		if err := s.findKept(ctx); err != nil {
			return nil, err
		}
	}
	kept, err := s.exists(ctx, s.sql.Quarantine())
	if err != nil {
		return nil, err
	}
	var out []Check
	for _, c := range s.sql.Checks()[1:] {
		check := Check{Name: c.Name}
		if c.Name == dialect.KeptCheck && !kept {
			check.Detail = "there is no quarantine " + s.sql.Quarantine()
		} else if err := s.conn.QueryRow(ctx, c.SQL).Scan(&check.OK, &check.Detail); err != nil {
			return nil, explain(ctx, "verifying that "+c.Name, err)
		}
		out = append(out, check)
	}
	return out, nil
}
