package apply

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
)

const (
	// holdAim is how long the rows of a batch should be locked at most; the
	// batches shrink until they are.
	holdAim = 50 * time.Millisecond
	// firstSize is the number of rows of the first batch at most: how long rows
	// stay locked on this server is not known before it.
	firstSize = 250
	// gentleSize is the number of rows of a batch at most while other sessions
	// are at work. It is gone through in portions of gentlePortion rows, and
	// rests after each, gentleRest at least: what others wait for is how long one
	// core is at work without a rest, and how much more is in the log that their
	// commits wait for.
	gentleSize    = 100
	gentlePortion = 5
	gentleRest    = 3 * time.Millisecond
	// sensePause is the time between two looks at whether they are.
	sensePause = 250 * time.Millisecond
	// smallest is the least number of rows that a batch shrinks to.
	smallest = 10
	// lagPause is the time between two looks at a standby that lags.
	lagPause = 250 * time.Millisecond
)

// outcome is what became of one batch.
type outcome struct {
	// busy are groups of which somebody else had locked a row; left are those for
	// which there was no time.
	busy []int
	left []plan.WorkGroup
	rows int
	// held is how long rows were locked.
	held time.Duration
	// ended is when they were let go.
	ended time.Time
}

// queue holds the groups that are left to do and sets the pace.
type queue struct {
	groups, busy []plan.WorkGroup
	// parts come before the groups, and are not cut.
	parts [][]plan.WorkGroup
	opts  Options
	size  int
	// whole is true where a batch must be one portion: triggers may count
	// statements, and what they write was rehearsed with one for each batch.
	whole bool
	// gentle is true while other sessions are at work, as was seen at sensed.
	gentle bool
	sensed time.Time
	// ended is when the batch before ended; zero before the first.
	ended time.Time
	// pause grows while nothing but locked rows is left, until the deadline.
	pause    time.Duration
	deadline time.Time
}

func newQueue(w *plan.Work, kept map[int]int, opts Options) *queue {
	q := &queue{opts: opts, size: opts.Batch, whole: w.FiresTriggers()}
	if q.size <= 0 {
		q.size = dialect.OnlineBatch
	}
	q.opts.Batch, q.size = q.size, min(q.size, firstSize)
	for _, g := range w.Groups {
		if kept[g.Number] < len(g.Remove) {
			q.groups = append(q.groups, g)
		}
	}
	return q
}

// pace is how a batch is gone through: in portions of so many rows, with a rest
// of at least that long after each, none where it is 0. No portion is begun
// when rows have been locked for hold.
type pace struct {
	rows       int
	rest, hold time.Duration
}

// pause leaves the server to others after a portion, for as long as that took
// at least.
func (p pace) pause(ctx context.Context, took time.Duration) error {
	if p.rest == 0 {
		return nil
	}
	return sleep(ctx, max(p.rest, took))
}

// pace is gentle while others are at work; else a batch is one portion.
func (q *queue) pace() pace {
	if q.gentle && !q.whole {
		return pace{gentlePortion, gentleRest, holdAim}
	}
	return pace{rows: q.opts.Batch}
}

func (q *queue) left() int { return len(q.parts) + len(q.groups) + len(q.busy) }

func (q *queue) rows() int {
	n := 0
	for _, g := range q.groups {
		n += len(g.Remove)
	}
	return n
}

// next takes groups off the queue; those that were locked come again when the
// others are done.
func (q *queue) next() []plan.WorkGroup {
	if len(q.parts) > 0 {
		part := q.parts[0]
		q.parts = q.parts[1:]
		return part
	}
	if len(q.groups) == 0 {
		q.groups, q.busy = q.busy, nil
	}
	size := q.size
	switch {
	case q.gentle && q.whole:
		size = min(size, smallest)
	case q.gentle:
		size = min(size, gentleSize)
	}
	n := dialect.NextBatch(q.groups, size)
	batch := q.groups[:n]
	q.groups = q.groups[n:]
	return batch
}

// took learns from a batch: groups that it left come next, locked ones later, and the size follows the
// time for which rows were locked. It is false where only locked rows have
// been left for too long.
func (q *queue) took(batch []plan.WorkGroup, out outcome) bool {
	if q.ended = out.ended; q.ended.IsZero() {
		q.ended = time.Now() // nothing was locked to the end
	}
	busy := map[int]bool{}
	for _, g := range out.busy {
		busy[g] = true
	}
	for _, g := range batch {
		if busy[g.Number] {
			q.busy = append(q.busy, g)
		}
	}
	if len(out.left) > 0 {
		q.parts = append([][]plan.WorkGroup{out.left}, q.parts...)
	}
	if out.rows > 0 && out.held > 0 {
		fit := int(float64(out.rows) * float64(holdAim) / float64(out.held))
		q.size = min(q.opts.Batch, max(smallest, min(fit, 2*q.size)))
	}
	if len(out.busy) == 0 || out.rows > 0 {
		q.pause = 0
		return true
	}
	if q.pause == 0 {
		q.deadline = time.Now().Add(q.patience())
	}
	q.pause = min(2*max(q.pause, 25*time.Millisecond), 2*time.Second)
	return time.Now().Before(q.deadline)
}

func (q *queue) patience() time.Duration {
	if q.opts.LockWait == 0 {
		return defaultLockWait
	}
	return q.opts.LockWait
}

// wait pauses between two batches, counted from the end of the one before, longer and by chance while rows are locked.
func (q *queue) wait(ctx context.Context) error {
	pause := q.opts.Pause
	if q.ended.IsZero() {
		pause = 0
	}
	if q.pause > 0 {
		pause += q.pause/2 + rand.N(q.pause)
	}
	return sleep(ctx, pause-time.Since(q.ended))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// stopAsked tells whether somebody asked the run to stop here.
func (r *runner) stopAsked(ctx context.Context) error {
	if ctx.Err() != nil {
		return r.pausedBy("interrupted", ctx.Err())
	}
	path := filepath.Join(r.dir, plan.StopFile)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return r.pausedBy("stopped, because there is a file "+path+" (remove it before you go on)", nil)
}
