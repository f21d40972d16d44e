package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// A standby must stop whoever reads what its primary has cleaned up, and ends
// all sessions that share the snapshot when it does. What was read stays good;
// the rest is read in a new snapshot, so a row that was updated in between may
// be missed, which Caveats says.

// mostRenewals is how often in a row a reading is taken up again without
// getting on.
const mostRenewals = 5

// outlive runs f, and again in a new snapshot as often as a standby stops it.
// f must go on where it was stopped. Where a visitor of rows is to blame for an
// error it is no standby's.
func (s *Source) outlive(ctx context.Context, f func() error) error {
	for tries := 0; ; tries++ {
		err := f()
		if err == nil || ctx.Err() != nil || !s.stoppedByReplay(err) {
			return err
		}
		if tries == mostRenewals {
			return tooOften(tries+1, err)
		}
		if err := s.renew(ctx); err != nil {
			return err
		}
	}
}

// steady runs f aside, which asks about rows by the places at which they were
// found. In a new snapshot another row may be there, so that is no longer asked.
func (s *Source) steady(ctx context.Context, f func() error) error {
	if s.moved {
		return errMoved
	}
	return s.once(ctx, f)
}

// once runs f aside, which cannot begin again. Where a standby stops it, what
// follows goes on in a new snapshot.
func (s *Source) once(ctx context.Context, f func() error) error {
	err := s.main.aside(ctx, f)
	if err == nil || ctx.Err() != nil || !s.stoppedByReplay(err) {
		return err
	}
	if err := s.renew(ctx); err != nil {
		return err
	}
	return errMoved
}

var errMoved = &key.Problem{
	Code: key.CodeStopped, Message: "the standby ended the snapshot in which it was to be read, to keep up with its primary",
	Hint: "set hot_standby_feedback, or a longer max_standby_streaming_delay, on the standby, or scan the primary; nothing was changed",
}

// beginAgain takes a new snapshot where a standby stopped a reading that cannot
// go on where it was, and says so by source.ErrAgain.
func (s *Source) beginAgain(ctx context.Context, err error) error {
	if err == nil {
		s.restarts = 0
	}
	if err == nil || ctx.Err() != nil || !s.stoppedByReplay(err) {
		return err
	}
	if s.restarts++; s.restarts > mostRenewals {
		return tooOften(s.restarts, err)
	}
	return cmp.Or(s.renew(ctx), source.ErrAgain)
}

func tooOften(times int, err error) error {
	return &key.Problem{
		Code: key.CodeStopped, Message: fmt.Sprintf("the standby stopped us %d times to keep up with its primary", times),
		Hint: "set hot_standby_feedback, or a longer max_standby_streaming_delay, on the standby, or scan the primary; nothing was changed", Err: err,
	}
}

// begin forgets the rows of the table before.
func (s *Source) begin(pass source.Pass) {
	if pass.Index == 0 {
		s.placed, s.moved = false, false
	}
}

// stoppedByReplay tells whether the standby ended a session to keep up. A
// session that was idle learns of it only by its connection being gone.
func (s *Source) stoppedByReplay(err error) bool {
	if !s.server.standby {
		return false
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refused.Code == "40001"
	}
	return broken(err)
}

// renew takes a new snapshot and holds the tables in it that were held before,
// if they still lie where they did.
func (s *Source) renew(ctx context.Context) error {
	for _, session := range append(s.helpers, s.main) {
		session.close()
	}
	s.main, s.helpers, s.alone = nil, nil, false
	s.renewals++
	s.moved = s.moved || s.placed
	if err := s.take(ctx); err != nil {
		return err
	}
	for _, r := range s.tables {
		if r.book != nil { // a row may have another key now
			clear(r.book.byID)
		}
		if err := s.hold(ctx, r); err != nil {
			return err
		}
		now, err := s.files(ctx, r)
		if err != nil {
			return err
		}
		if !slices.Equal(now, r.files) {
			return &key.Problem{Code: key.CodeStopped, Message: r.name + " was written anew on the primary while it was read", Hint: "nothing was changed; run the same command again"}
		}
	}
	return nil
}

// files names the files that the table's rows lie in, in the order of its heaps.
func (s *Source) files(ctx context.Context, r *relation) ([]string, error) {
	oids := make([]string, len(r.heaps))
	for i, h := range r.heaps {
		oids[i] = fmt.Sprint(h.oid)
	}
	rows, err := s.main.rows(ctx, "table_files", "{"+strings.Join(oids, ",")+"}")
	var files []string
	for _, row := range rows {
		files = append(files, row[0])
	}
	return files, err
}

var _ source.Remarker = (*Source)(nil)

// Caveats says what a role of few rights and a reader of a standby cannot have seen.
func (s *Source) Caveats() []string {
	says := s.unreadCaveats()
	if !s.server.standby {
		return says
	}
	says = append(says, "the server is a standby, "+s.server.behind()+": the newest rows may be missing")
	if s.renewals > 0 {
		says = append(says, fmt.Sprintf("the standby stopped the reading %d times to keep up with its primary; the rest was read in a new snapshot each time, so a row that was updated meanwhile may be missing", s.renewals))
	}
	return says
}
