package apply

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

const (
	// refusals is how often a group by itself is tried that the database
	// refuses, before it is left alone.
	refusals = 3
	// mostRefused is how many groups are left alone for that before the run
	// stops: it is no matter of single rows then.
	mostRefused = 20
)

// stateRefused is the state of a row whose group the database would not let go.
const stateRefused = "refused by a constraint of a table that refers to it, or of its own"

// refusedError is of a batch that a constraint refused: rows came to refer to
// it meanwhile, or its own stand in the way of others.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

// refused marks an error of a constraint, which is worth another look.
func refused(err error) error {
	var code *pgconn.PgError
	if errors.As(err, &code) && strings.HasPrefix(code.Code, "23") {
		return refusedError{err}
	}
	return err
}

// apart does a batch, and where the database refuses it, its halves, down to
// single groups. One that is refused over and over is left alone and told.
func (r *onlineRun) apart(ctx context.Context, groups []plan.WorkGroup, try tryBatch) (out outcome, err error) {
	var no refusedError
	for n := 0; ; n++ {
		err = retryLocks(ctx, r.opts.LockWait, func() error {
			out, err = try(ctx, groups)
			return err
		})
		switch {
		case !errors.As(err, &no):
			return out, err
		case len(groups) > 1:
			return r.halves(ctx, groups, try)
		case n+1 < refusals:
		case r.refused >= mostRefused:
			return out, no.error
		default:
			r.refused++
			r.result.Drifted = append(r.result.Drifted, Drift{Group: groups[0].Number, Row: dialect.IDJSON(groups[0].Remove[0].ID), State: stateRefused})
			return outcome{}, nil
		}
	}
}

// tryBatch does some groups in one transaction.
type tryBatch func(context.Context, []plan.WorkGroup) (outcome, error)

func (r *onlineRun) halves(ctx context.Context, groups []plan.WorkGroup, try tryBatch) (outcome, error) {
	first, err := r.apart(ctx, groups[:len(groups)/2], try)
	if err != nil {
		return first, err
	}
	second, err := r.apart(ctx, groups[len(groups)/2:], try)
	return outcome{busy: append(first.busy, second.busy...), rows: first.rows + second.rows, held: max(first.held, second.held)}, err
}

// follow looks at what refers to the rows of a batch, under the locks on these
// rows: nobody can come to refer to them by a foreign key now. Groups to which
// rows refer otherwise than was foretold are left out and returned; busy are
// those of which somebody else has such a row.
func (s *postgresSession) follow(ctx context.Context, change *entryData) (drifted []Drift, busy []int, err error) {
	if len(s.w.Set) > 0 || len(s.w.References) == 0 {
		return nil, nil, nil
	}
	var left TableResult
	if err := leaveReferred(ctx, s, &left, change); err != nil {
		return nil, nil, err
	}
	for _, look := range s.sql.Busy() {
		for _, sql := range look.Prepare {
			if err := s.exec(ctx, "looking at what refers to the rows", sql); err != nil {
				return nil, nil, err
			}
		}
		rows, err := s.conn.Query(ctx, look.SQL)
		if err != nil {
			return nil, nil, explain(ctx, "locking what refers to the rows", err)
		}
		groups, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err != nil {
			return nil, nil, explain(ctx, "locking what refers to the rows", err)
		}
		if err := s.forget(ctx, groups); err != nil {
			return nil, nil, err
		}
		busy = append(busy, groups...)
	}
	return left.Drifted, busy, nil
}

// late looks, when all batches are done, for rows that came to name one that
// went by a reference that no constraint keeps.
func (r *onlineRun) late(ctx context.Context) error {
	s := r.o.session(r.w)
	for _, look := range r.o.sql.Late() {
		n, err := s.number(ctx, "looking for rows that came late", look.SQL)
		if err != nil {
			return err
		}
		if n > 0 {
			r.result.Late = append(r.result.Late, LateRows{Table: look.Table, Rows: n})
		}
	}
	return nil
}

// backwards are the groups to put back in the parts in which the journal says
// that they went, the last first: an array that two of them changed comes back
// only so. What no journal knows, because files did it, comes first.
func (r *onlineRun) backwards(groups []plan.WorkGroup) [][]plan.WorkGroup {
	left := map[int]plan.WorkGroup{}
	for _, g := range groups {
		left[g.Number] = g
	}
	var parts [][]plan.WorkGroup
	for _, done := range slices.Backward(r.log.done[r.w.Name]) {
		var part []plan.WorkGroup
		for _, number := range done.Groups {
			if g, ok := left[number]; ok {
				part = append(part, g)
				delete(left, number)
			}
		}
		if len(part) > 0 {
			parts = append(parts, part)
		}
	}
	var unknown []plan.WorkGroup
	for _, g := range groups {
		if _, ok := left[g.Number]; ok {
			unknown = append(unknown, g)
		}
	}
	cut := dialect.Batches(unknown, dialect.OnlineBatch)
	slices.Reverse(cut)
	return append(cut, parts...)
}
