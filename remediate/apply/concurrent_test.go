package apply

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

func TestTwoAtOnce(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		before := s.dump()
		l, err := openLog(s.opened.Dir, false)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, s.tryApply(), plan.CodeBusy, "another run works on this case")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		// Two machines, each with its copy of the case.
		copied := *s
		copied.opened = &plan.Case{Case: s.opened.Case, SHA256: s.opened.SHA256, Dir: filepath.Join(t.TempDir(), "copy")}
		if err := os.CopyFS(copied.opened.Dir, os.DirFS(s.opened.Dir)); err != nil {
			t.Fatal(err)
		}
		results := make(chan error, 2)
		for _, one := range []*story{s, &copied} {
			target := one.open()
			defer target.Close()
			go func() {
				_, err := Run(context.Background(), target, one.opened, one.plan, Options{Allow: allHazards})
				results <- err
			}()
		}
		for range 2 {
			if err := <-results; err != nil {
				wantCode(t, err, plan.CodeBusy, "another run works on this case in the database")
			}
		}
		wantOK(t, s.verify())
		s.apply() // the one that was refused, or had nothing to do, now knows
		if !logOpen(t, s) {
			s = &copied
		}
		s.undo()
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLockThatNeverComes(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		s := databases[slicesIndex("postgres", "tickets")].make(t)
		conn, err := pgx.Connect(t.Context(), s.where)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(t.Context(), "BEGIN; UPDATE tickets SET email = email WHERE id = 104"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, s.tryApply(), plan.CodeStopped, "another session holds a lock")
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		s := databases[slicesIndex("sqlite", "tickets")].make(t)
		other := s.open().(*sqliteTarget)
		defer other.Close()
		if err := execute(other.conn, "BEGIN IMMEDIATE", nil); err != nil {
			t.Fatal(err)
		}
		wantCode(t, s.tryApply(), plan.CodeStopped, "another session holds a lock")
	})
}

func TestCancelled(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		err := unchanged(t, s, func() error {
			target := s.open()
			defer target.Close()
			ctx, cancel := context.WithCancel(t.Context())
			_, err := Run(ctx, target, s.opened, s.plan, Options{Allow: allHazards, Progress: stopAt{"building", cancel}})
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		s.apply()
	})
}
