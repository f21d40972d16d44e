package apply

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"

	gocmp "github.com/google/go-cmp/cmp"
)

// tally counts what became of random databases.
type tally struct {
	sync.Mutex
	counts map[string]int
}

func (y *tally) add(what ...string) {
	y.Lock()
	defer y.Unlock()
	for _, w := range what {
		y.counts[w]++
	}
}

// TestUndoIsExactOnRandomSchemas: undo(apply(x)) = x by dump, on databases drawn
// from seeds. What triggers wrote to the audit's table stays, as an audit must.
func TestUndoIsExactOnRandomSchemas(t *testing.T) {
	first, _ := strconv.Atoi(cmp.Or(os.Getenv("TWINROW_TEST_SEED"), "1"))
	n, _ := strconv.Atoi(cmp.Or(os.Getenv("TWINROW_TEST_SCHEMAS"), "12"))
	y := &tally{counts: map[string]int{}}
	t.Run("seed", func(t *testing.T) {
		for seed := first; seed < first+n; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				y.random(t, uint64(seed))
			})
		}
	})
	if y.counts["exact"] != n {
		t.Errorf("%d of %d are exact", y.counts["exact"], n)
	}
	var lines []string
	for what, count := range y.counts {
		lines = append(lines, fmt.Sprintf("  %4d %s", count, what))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(b, a) })
	t.Logf("undo(apply(x)) = x on %d of %d random schemas, seeds %d to %d:\n%s", y.counts["exact"], n, first, first+n-1, strings.Join(lines, "\n"))
}

// random does one seed.
func (y *tally) random(t *testing.T, seed uint64) {
	w := newWorld(seed)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d: %s, %+v, %+v, index %+v\n%s", seed, w.request.Table, w.options, w.rules.References, w.rules.Index, w.sql.String())
		}
	})
	url := pgserver.Database(t)
	psql(t, url, w.sql.String())
	opts := w.options
	opened := scannedCase(t, "postgres", url, w.request)
	opts.Rules = map[string]plan.Rules{opened.Tables[0].Name: w.rules}
	s, err := tryPlan(t, url, opened, opts)
	if problem, ok := errors.AsType[*plan.Problem](err); ok && problem.Code == plan.CodeUnsupported && opts.Strategy == plan.Online {
		opts.Strategy = plan.Atomic
		s, err = tryPlan(t, url, opened, opts)
	}
	if err != nil {
		t.Fatalf("plan: %s", full(err))
	}
	before := s.exactButAudit()
	if _, err := s.try(Options{DryRun: true, Batch: 3}); err != nil && exitOf(err) == "" {
		t.Fatalf("dry run: %s", full(err))
	}
	if diff := gocmp.Diff(before, s.exactButAudit()); diff != "" {
		t.Fatalf("a dry run changed something: %s", diff)
	}
	result, err := s.try(Options{Batch: 3})
	outcome := "applied"
	switch {
	case err != nil && exitOf(err) != "":
		outcome = exitOf(err)
	case err != nil:
		t.Fatalf("apply: %s", full(err))
	default:
		s.asForetold(t, result)
	}
	for range 2 {
		if _, err := s.tryUndo(); err != nil {
			t.Fatalf("undo: %s", full(err))
		}
	}
	if diff := gocmp.Diff(before, s.exactButAudit()); diff != "" {
		t.Fatalf("undo is not exact: %s", diff)
	}
	slices.Sort(w.traits)
	y.add(append(slices.Compact(w.traits), "exact", outcome, opts.Strategy)...)
}

// exitOf names a refusal that leaves everything as it was, "" for another error.
func exitOf(err error) string {
	problem, ok := errors.AsType[*plan.Problem](err)
	switch {
	case ok && problem.Code == plan.CodeRefused && strings.Contains(problem.Message, "held back"):
		return "all held"
	case ok && problem.Code == plan.CodeStopped && strings.Contains(problem.Message, "everything was rolled back"):
		return "rolled back: " + strings.TrimSpace(problem.Message[:min(60, len(problem.Message))])
	}
	return ""
}

// asForetold sees that a plan was carried out as it stands, and that verify agrees.
func (s *story) asForetold(t *testing.T, result *Result) {
	t.Helper()
	table := s.plan.Tables[0]
	want, got := map[string]plan.Effect{}, map[string]plan.Effect{}
	for name, e := range table.Effects {
		if e != (plan.Effect{}) {
			want[name] = e
		}
	}
	for name, e := range result.Tables[0].Effects {
		if !strings.HasSuffix(name, "audit_log") {
			got[name] = e
		}
	}
	if slices.ContainsFunc(table.Notes, func(n string) bool { return strings.Contains(n, "fewer may change than foretold") }) {
		for name, e := range got {
			if w := want[name]; e.Updated <= w.Updated && e.Deleted <= w.Deleted && name != table.Table {
				want[name] = e
			}
		}
	}
	if slices.ContainsFunc(table.Notes, func(n string) bool { return strings.Contains(n, "more updates may be counted than foretold") }) {
		for name, e := range got {
			if w := want[name]; e.Updated >= w.Updated && e.Deleted == w.Deleted && name != table.Table {
				want[name] = e
			}
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("foretold and done (-plan +apply):\n%s", diff)
	}
	for _, c := range s.verify().Checks {
		if !c.OK && len(table.Held) == 0 && !table.NoIndex {
			t.Errorf("%s: %s", c.Name, c.Detail)
		}
	}
}

// audited is a row of the audit's table, as pg_dump and as dumpByCatalogue have it.
var audited = regexp.MustCompile(`^(INSERT INTO .*audit_log VALUES|.*audit_log \((INSERT|UPDATE|DELETE),\d+\)$)`)

// exactButAudit is the whole database without what the audit says.
func (s *story) exactButAudit() string {
	var lines []string
	for line := range strings.SplitSeq(s.exact(), "\n") {
		if !audited.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
