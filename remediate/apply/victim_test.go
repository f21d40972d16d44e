package apply

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"twinrow/detect/casefile"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

// killer is a target that kills its own process at one point of a run.
type killer struct {
	Target
	at         string
	rehearsing bool // which is not where it dies
}

func (k *killer) together(ctx context.Context) (func(), error) {
	done, err := k.Target.together(ctx)
	k.rehearsing = err == nil
	return func() { k.rehearsing = false; done() }, err
}

type killerSession struct {
	session
	at string
}

// here dies as a machine does: nothing is flushed, closed or rolled back.
func (k killerSession) here(point string) {
	if k.at == point {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (k *killer) begin(ctx context.Context, w *plan.Work, n int, why purpose) (session, error) {
	s, err := k.Target.begin(ctx, w, n, why)
	if err != nil || k.rehearsing {
		return s, err
	}
	killerSession{at: k.at}.here("begun")
	return killerSession{s, k.at}, nil
}

func (k killerSession) clean(ctx context.Context, want int) (map[string]plan.Effect, error) {
	k.here("before clean")
	effects, err := k.session.clean(ctx, want)
	k.here("after clean")
	return effects, err
}

func (k killerSession) buildIndex(ctx context.Context) error {
	err := k.session.buildIndex(ctx)
	k.here("after index")
	return err
}

func (k killerSession) takeBack(ctx context.Context, drop bool) (int, error) {
	n, err := k.session.takeBack(ctx, drop)
	k.here("after takeBack")
	return n, err
}

func (k killerSession) commit() (bool, error) {
	k.here("before commit")
	unknown, err := k.session.commit()
	k.here("after commit")
	return unknown, err
}

func (k killerSession) rollback() {
	k.here("after record")
	k.session.rollback()
}

// victim is the process that gets killed: it carries the plan of a case out,
// or takes it back.
func victim() int {
	engine, where, dir := os.Getenv("TWINROW_TEST_ENGINE"), os.Getenv("TWINROW_TEST_WHERE"), os.Getenv("TWINROW_TEST_CASE")
	opened, err := casefile.Open(dir)
	if err == nil {
		var p *plan.Plan
		if p, err = plan.Read(dir); err == nil {
			err = fall(engine, where, opened, p)
		}
	}
	fmt.Fprintln(os.Stderr, "the victim lived:", err)
	return 1
}

func fall(engine, where string, opened *plan.Case, p *plan.Plan) error {
	ctx := context.Background()
	target, err := Open(ctx, engine, where)
	if err != nil {
		return err
	}
	verb, at, _ := strings.Cut(os.Getenv("TWINROW_TEST_VICTIM"), ":")
	opts := Options{Allow: allHazards, Batch: 3}
	if what, when, counted := strings.Cut(at, "="); counted {
		fallAt(&opts, what, when)
	} else {
		target = &killer{Target: target, at: at}
	}
	if verb == "undo" {
		_, err = Undo(ctx, target, opened, p, opts)
	} else {
		_, err = Run(ctx, target, opened, p, opts)
	}
	return err
}

// fallAt kills the process at the n-th record that it writes to the journal, as
// its n-th step begins, or after n microseconds.
func fallAt(opts *Options, what, when string) {
	n, err := strconv.Atoi(when)
	if err != nil {
		panic(err)
	}
	die := killerSession{at: "now"}
	count := func() {
		if n--; n == 0 {
			die.here("now")
		}
	}
	switch what {
	case "microseconds":
		time.AfterFunc(time.Duration(n)*time.Microsecond, func() { die.here("now") })
	case "record":
		opts.recorded = count
	case "step":
		opts.Progress = falls(count)
	}
}

// stepTold is what a process that is to die at a step says at each.
const stepTold = "step: "

// falls counts steps.
type falls func()

func (f falls) Step(table, what string) {
	fmt.Println(stepTold + what + " of " + table)
	f()
}

// kill runs a victim and sees that it died.
func (s *story) kill(verb, at string) {
	s.t.Helper()
	if died, out := s.strike(verb, at); !died {
		s.t.Fatalf("the victim was not killed: %s", out)
	}
}

// strike runs a victim and tells whether it died before it was done.
func (s *story) strike(verb, at string) (died bool, out string) {
	s.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TWINROW_TEST_VICTIM="+verb+":"+at, "TWINROW_TEST_ENGINE="+s.engine, "TWINROW_TEST_WHERE="+s.where, "TWINROW_TEST_CASE="+s.opened.Dir)
	said, err := cmd.CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL, string(said)
}

// patiently tries again while the server has not noticed the death yet.
func patiently(t testing.TB, run func() (*Result, error)) *Result {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		result, err := run()
		var p *plan.Problem
		if errors.As(err, &p) && p.Code == plan.CodeBusy && time.Now().Before(end) {
			continue
		}
		if err != nil {
			t.Fatal(full(err))
		}
		return result
	}
}

func TestKilledAnywhereItGoesOn(t *testing.T) {
	applyPoints := []string{"begun", "before clean", "after clean", "after index", "before commit", "after commit", "after record"}
	undoPoints := []string{"begun", "after takeBack", "before commit", "after commit", "after record"}
	for _, d := range databases {
		if d.name != "tickets" || d.engine == "d1" {
			continue
		}
		t.Run(d.engine, func(t *testing.T) {
			t.Parallel()
			s := d.make(t)
			before := s.dump()
			for _, at := range applyPoints {
				s.kill("apply", at)
				patiently(t, func() (*Result, error) { return s.try(Options{}) })
				wantOK(t, s.verify())
				s.undo()
				if diff := cmp.Diff(before, s.dump()); diff != "" {
					t.Fatalf("killed in apply %s, then gone on and undone: %s", at, diff)
				}
				s.kill("apply", at)
				patiently(t, s.tryUndo)
				if diff := cmp.Diff(before, s.dump()); diff != "" {
					t.Fatalf("killed in apply %s, then undone: %s", at, diff)
				}
			}
			for _, at := range undoPoints {
				s.apply()
				s.kill("undo", at)
				patiently(t, s.tryUndo)
				if diff := cmp.Diff(before, s.dump()); diff != "" {
					t.Fatalf("killed in undo %s: %s", at, diff)
				}
			}
		})
	}
}

// TestTornJournal loses the last record, as a crash in the middle of writing it does.
func TestTornJournal(t *testing.T) {
	s := databases[slicesIndex("sqlite", "tickets")].make(t)
	before := s.dump()
	s.kill("apply", "before commit")
	path := filepath.Join(s.opened.Dir, plan.Journal)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw[:len(raw)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	s.apply()
	s.undo()
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Fatal(diff)
	}
}

func slicesIndex(engine, name string) int {
	for i, d := range databases {
		if d.engine == engine && d.name == name {
			return i
		}
	}
	panic("no database " + engine + "/" + name)
}
