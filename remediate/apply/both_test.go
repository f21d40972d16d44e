package apply

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// both runs a test on Postgres and on SQLite, over the tickets.
func both(t *testing.T, more string, test func(t *testing.T, s *story)) {
	for _, engine := range []string{"postgres", "sqlite"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d := databases[slicesIndex(engine, "tickets")]
			d.script += more
			test(t, d.make(t))
		})
	}
}

// run runs SQL that both engines take.
func (s *story) run(sql string) {
	s.t.Helper()
	if out, err := s.client(sql); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
}

// unchanged sees that a refusal left everything as it was.
func unchanged(t *testing.T, s *story, try func() error) error {
	t.Helper()
	before := s.dump()
	err := try()
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Errorf("something was changed: %s", diff)
	}
	return err
}

func (s *story) tryApply() error {
	_, err := s.try(Options{LockWait: 300 * time.Millisecond})
	return err
}

func logOpen(t *testing.T, s *story) bool {
	t.Helper()
	l, err := openLog(s.opened.Dir, true)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.open()
}

// stopAt cancels when a step begins.
type stopAt struct {
	what string
	stop func()
}

func (s stopAt) Step(_, what string) {
	if strings.HasPrefix(what, s.what) {
		s.stop()
	}
}
