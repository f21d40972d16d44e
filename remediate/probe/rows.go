package probe

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe/expect"
)

// pollEvery is the pause between two readings of the same rows.
const pollEvery = 50 * time.Millisecond

// watch is one row check for one key in one round, or for the whole run.
type watch struct {
	check *rowCheck
	args  []string
	// key is the number of the key and round that of the round; both are -1
	// for the whole run.
	key, round int
	// before was read before anything was sent.
	before, last int64
	// rightSince is zero while the count is not right.
	rightSince time.Time
	settled    bool
	// err is why the last reading failed.
	err error
}

// outcome is how the last count stands to the expectation.
func (w *watch) outcome() expect.Outcome { return w.check.count.Of(w.last) }

// unchanged tells whether rows that should have appeared did not: whatever is
// there was there before.
func (w *watch) unchanged() bool { return w.settled && w.last == w.before }

// asksForRows tells whether the check can be met by rows at all.
func (c *rowCheck) asksForRows() bool {
	most, bounded := c.count.Most()
	return c.count.Least() > 0 || bounded && most > 0
}

// watchRun begins the checks for the whole run.
func (r *runner) watchRun(ctx context.Context) error {
	for _, st := range r.spec.judged() {
		for i := range st.rows {
			c := &st.rows[i]
			if !c.perRun {
				continue
			}
			args, err := filledIn(c.args, nil)
			if err != nil {
				return err
			}
			w, err := r.begin(ctx, &watch{check: c, args: args, key: -1, round: -1})
			if err != nil {
				return err
			}
			r.watches = append(r.watches, w)
		}
	}
	return nil
}

// watchCells begins the checks of one round, a watch for each list of
// arguments: one a key, or one a message where messages differ.
func (r *runner) watchCells(ctx context.Context, rows []rowCheck, cells []cell) ([]*watch, error) {
	var watches []*watch
	for i := range rows {
		c := &rows[i]
		known := map[string]bool{}
		for k := range cells {
			if c.perRun {
				break
			}
			w, err := r.watchOf(c, &cells[k])
			if err != nil {
				return nil, err
			}
			if made := fmt.Sprintf("%d %q", w.key, w.args); known[made] {
				continue
			} else {
				known[made] = true
			}
			if w, err = r.begin(ctx, w); err != nil {
				return nil, err
			}
			watches = append(watches, w)
		}
	}
	return watches, nil
}

func (r *runner) watchOf(c *rowCheck, of *cell) (*watch, error) {
	args, err := filledIn(c.args, of.moment.data(of.vars))
	if err != nil {
		return nil, err
	}
	r.made.note(c, args)
	return &watch{check: c, args: args, key: max(0, slices.Index(r.spec.keys, of.moment.Key)), round: of.moment.Round}, nil
}

// begin reads what is there before anything is sent, which also shows a wrong
// statement while no harm is done.
func (r *runner) begin(ctx context.Context, w *watch) (*watch, error) {
	if err := r.read(ctx, w); err != nil {
		return nil, err
	}
	w.before = w.last
	return w, nil
}

// read reads one count: one row with one whole number.
func (r *runner) read(ctx context.Context, w *watch) error {
	rows, err := r.sources[w.check.location].Query(ctx, w.check.sql, w.args)
	if err != nil {
		return err
	}
	if len(rows) == 1 && len(rows[0]) == 1 && rows[0][0] != nil {
		if n, err := strconv.ParseInt(*rows[0][0], 10, 64); err == nil {
			w.last = n
			return nil
		}
	}
	return &casefile.Problem{Code: casefile.CodeBadInput, Message: fmt.Sprintf("%s: the statement, or the command, must return one whole number", w.check.where),
		Hint: "write it as SELECT count(*) FROM …, or a command that prints a number and nothing else"}
}

// settleLast settles what was left for the end of the run: all rounds'
// checks together where rounds can be told apart, and those of the whole run.
func (r *runner) settleLast(ctx context.Context) error {
	return r.settle(ctx, r.watches)
}

// settle reads the counts again until each has been right for its settle time
// without a break, at most for its within time.
func (r *runner) settle(ctx context.Context, watches []*watch) error {
	began := time.Now()
	for open := watches; len(open) > 0; {
		var next []*watch
		for _, w := range open {
			w.err = r.read(ctx, w)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if now := time.Now(); !w.decide(began, now) {
				next = append(next, w)
			}
		}
		if open = next; len(open) == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
	}
	return nil
}

// decide takes a reading into account and tells whether it was the last.
func (w *watch) decide(began, now time.Time) (done bool) {
	right := w.err == nil && w.outcome() == expect.Right
	if !right {
		w.rightSince = time.Time{}
		w.settled = w.err == nil && now.Sub(began) >= w.check.within
		return now.Sub(began) >= w.check.within
	}
	if w.rightSince.IsZero() {
		w.rightSince = now
	}
	w.settled = now.Sub(w.rightSince) >= w.check.settle
	// A count that came right late may still take its time to settle.
	return w.settled
}
