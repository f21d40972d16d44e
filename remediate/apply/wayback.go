package apply

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/remediate/plan"
)

// wayBack takes back what was rehearsed, the last entry first, in the
// transaction that did it and before it is rolled back.
func (r *runner) wayBack(ctx context.Context, works []*plan.Work, done []TableResult) error {
	for i, w := range slices.Backward(works) {
		if done[i].Rows == 0 {
			continue
		}
		if err := r.entryBack(ctx, w, i+1); err != nil {
			return closed(err)
		}
	}
	return nil
}

func (r *runner) entryBack(ctx context.Context, w *plan.Work, n int) error {
	s, err := r.t.begin(ctx, w, n, forTrial)
	if err != nil {
		return err
	}
	defer s.rollback()
	there, err := s.state(ctx)
	if err != nil || there.rows() == 0 {
		return err
	}
	got, err := s.takeBack(ctx, false)
	if err == nil && got != there.rows() {
		err = r.quarantineChanged(w, there.rows(), got)
	}
	return err
}

// batchBack takes a batch back before it is rolled back.
func (s *postgresSession) batchBack(ctx context.Context, change entryData) error {
	s.sql = s.sql.Only(change.Groups)
	if err := s.exec(ctx, "starting a transaction", s.sql.Restoring()); err != nil {
		return err
	}
	_, err := s.allBack(ctx)
	return closed(err)
}

// closed says of an error of the way back that nothing was done yet. A lock
// that did not come stays what it is. Rows that stand beside each other now are
// refused only by an index that lies, or that a build left behind: the rows are
// cleaned all the same, and an undo names that index.
func closed(err error) error {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == "23505" {
		return nil
	}
	problem, ok := errors.AsType[*plan.Problem](err)
	if !ok {
		return err
	}
	return &plan.Problem{Code: problem.Code, Message: "the way back was rehearsed and is not open: " + problem.Message, Hint: problem.Hint, Err: problem.Err}
}
