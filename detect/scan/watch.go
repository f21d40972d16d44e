package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/classify"
	"twinrow/detect/key"
	"twinrow/detect/source"
)

// startRows is how far below the newest row a watch begins: rows that were
// being written when it began may lie under those that were committed first.
const startRows = 1000

// mostKnown bounds the groups that are remembered. Once they are forgotten,
// one that stands within the overlap may be said a second time.
const mostKnown = 100_000

// longestWait is the longest pause between attempts to reach a server again.
const longestWait = 30 * time.Second

// Watch looks again and again for groups that new rows belong to.
type Watch struct {
	// Every is the pause between two looks, Overlap how long after a row got
	// its value of the column it may still be committed and be seen.
	Every, Overlap time.Duration
	// For ends the watch after a time; 0 is never.
	For time.Duration
	// Since begins at a value of the column, and says the groups that stand
	// from there on; the zero Mark begins now.
	Since     source.Mark
	Windows   classify.Windows
	Schedules []classify.Schedule
	// Found hears of each new group, and again of one that has grown. Its
	// error ends the watch and is returned.
	Found func(g *casefile.Group, grown bool) error
	// Said hears in plain words what a person should know.
	Said func(message string)
	// Memory is the most bytes that the fingerprints of a table without an index
	// on the key may take; 0 means DefaultMemory.
	Memory int64
	// Before is told what will be read for them, before it is; its error ends
	// the watch. nil asks for no forecast. Progress hears how far that is.
	Before   func([]Forecast) error
	Progress Progress

	src   source.Source
	table *source.Table
	feed  source.Feed
	// marks are the newest values seen, oldest first; the first is the one to
	// look from.
	marks []markAt
	// memory is nil where the feed needs none or has no room for one.
	memory *memory
	// known counts the rows of the groups that were found, by key.
	known map[string]int
}

type markAt struct {
	at   time.Time
	mark source.Mark
}

// Start resolves the request, closes the source's snapshot, which would hold
// back vacuum, and looks for the first time. column is the one to go by, ""
// for the time column, else the id. Call Close in the end.
func (w *Watch) Start(ctx context.Context, src source.Source, request source.Request, column string) error {
	if err := w.Windows.Check(); err != nil {
		return err
	}
	follower, ok := src.(source.Follower)
	if !ok {
		return &key.Problem{Code: key.CodeUnsupported, Message: "only a Postgres, SQLite or local D1 database can be watched", Hint: "scan a file whenever there is a new one, with `twinrow scan --exit-code`"}
	}
	table, err := src.Inspect(ctx, request)
	if err != nil {
		return err
	}
	if column, err = watchedColumn(table, column); err != nil {
		return err
	}
	if w.feed, err = follower.Follow(ctx, table, column); err != nil {
		return err
	}
	w.src, w.table = src, table
	start := w.Since
	if start == (source.Mark{}) {
		if start, err = w.feed.Newest(ctx, startRows); err != nil {
			return err
		}
	}
	w.marks = []markAt{{mark: start}}
	if err := w.remember(ctx, start); err != nil {
		return err
	}
	if err := src.Close(); err != nil {
		return err
	}
	for _, slow := range w.feed.Slow() {
		w.Said(slow)
	}
	return w.first(ctx, column)
}

// remember reads the table once where no index finds the other rows of a key
// and there is room for what must be kept of them.
func (w *Watch) remember(ctx context.Context, start source.Mark) error {
	feed, ok := w.feed.(source.Rememberer)
	if !ok || !feed.Forgetful() {
		return nil
	}
	bound := cmp.Or(w.Memory, DefaultMemory)
	needs := foreseen(w.table.EstimatedRows)
	if needs > bound {
		w.Said(fmt.Sprintf("the fingerprints of %s would take %s, over --memory; an index on the key needs none", w.table.Name, humanSize(needs)))
		return nil
	}
	w.Said(fmt.Sprintf("no index begins with a part of the key, so the fingerprints of all rows are read once and kept in memory, about %s", humanSize(max(needs, leastSlots*slotBytes))))
	if w.Before != nil {
		ahead, err := forecast(ctx, w.src, []inspected{{table: w.table}}, Options{Memory: bound})
		if err == nil {
			err = w.Before(ahead)
		}
		if err != nil {
			return err
		}
	}
	if w.Progress == nil {
		w.Progress = silence{}
	}
	w.memory = newMemory(w.table.EstimatedRows*21/20, bound)
	w.Progress.Start("reading "+w.table.Name, w.table.EstimatedRows)
	fits, err := feed.Remember(ctx, start, w.memory, w.Progress.Add)
	w.Progress.Done()
	if err == nil && !fits {
		w.memory = nil
		w.Said(noRoom)
	}
	return err
}

const noRoom = "there are more rows than --memory has room for, so they are not remembered"

// humanSize writes bytes for people.
func humanSize(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }

// watchedColumn is the column that new rows are told by.
func watchedColumn(t *source.Table, asked string) (string, error) {
	switch {
	case asked != "":
		return key.ResolveColumn("column to watch by", asked, t.ColumnNames())
	case t.Time != "":
		return t.Time, nil
	case len(t.ID) == 1:
		if column, err := key.ResolveColumn("id column", t.ID[0], t.ColumnNames()); err == nil {
			return column, nil
		}
	}
	return "", &key.Problem{Code: key.CodeUsage, Message: "no column tells which rows of " + t.Name + " are new", Hint: "name one that grows, as in --by id or --time created_at"}
}

// first takes note of the groups that stand where the watch begins.
func (w *Watch) first(ctx context.Context, column string) error {
	newest, err := w.feed.Newest(ctx, 0)
	if err != nil {
		return err
	}
	if newest.Text != "" {
		w.Said(fmt.Sprintf("watching %s by %s, now at %s", w.table.Name, column, newest.Text))
	} else {
		w.Said(fmt.Sprintf("watching %s by %s; it has no rows yet", w.table.Name, column))
	}
	if w.Since != (source.Mark{}) {
		return nil
	}
	standing := 0
	if err := w.look(ctx, time.Now(), func(*casefile.Group, bool) error { standing++; return nil }); err != nil {
		return err
	}
	if standing > 0 {
		w.Said(fmt.Sprintf("groups that stand among the newest rows already and are not reported: %d; `twinrow scan` tells of them", standing))
	}
	return nil
}

// Run looks until the context ends, the time is up, or Found returns an error.
func (w *Watch) Run(ctx context.Context) error {
	begun := time.Now()
	var lost time.Time
	failures := 0
	for {
		wait := w.Every
		switch err := w.look(ctx, time.Now(), w.Found); {
		case err == nil && failures > 0:
			w.Said(fmt.Sprintf("the database answers again after %s; nothing that was committed meanwhile is missed", time.Since(lost).Round(time.Second)))
			failures = 0
		case err == nil:
		case !passes(err) || ctx.Err() != nil:
			return err
		default:
			if failures == 0 {
				lost = time.Now()
			}
			wait = min(time.Second<<min(failures, 10), longestWait)
			failures++
			w.Said(fmt.Sprintf("%v; trying again in %s", err, wait))
		}
		if w.For > 0 && time.Since(begun)+wait > w.For {
			return w.atTheEnd(failures)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// atTheEnd says that the last look failed: then nothing is known of the rows
// since, and a gate must not open.
func (w *Watch) atTheEnd(failures int) error {
	if failures == 0 {
		return nil
	}
	return &key.Problem{Code: key.CodeConnection, Message: "the time is up, and the database did not answer the last looks", Hint: "watch again when it is back, with --since and the value that was said at the start"}
}

// passes tells whether an error may pass by itself.
func passes(err error) bool {
	problem, ok := errors.AsType[*key.Problem](err)
	return ok && (problem.Code == key.CodeConnection || problem.Code == key.CodeBusy)
}

// look looks once and hands on what is new since the last look.
func (w *Watch) look(ctx context.Context, now time.Time, found func(*casefile.Group, bool) error) error {
	newest, err := w.feed.Newest(ctx, 0)
	if err != nil {
		return err
	}
	var groups []*candidate
	err = w.feed.Groups(ctx, w.marks[0].mark, func(row source.Row) error {
		if n := len(groups); n == 0 || groups[n-1].number != row.Group {
			groups = append(groups, &candidate{number: row.Group})
		}
		last := groups[len(groups)-1]
		last.rows = append(last.rows, row)
		return nil
	})
	if err != nil {
		return err
	}
	if w.memory != nil && w.memory.full {
		w.memory = nil
		w.Said(noRoom + " any longer; whenever there are new ones the whole table is read to compare them with")
	}
	if w.known == nil || len(w.known) > mostKnown {
		w.known = map[string]int{}
	}
	for _, c := range groups {
		name := nameOf(c.rows)
		before := w.known[name]
		w.known[name] = len(c.rows)
		if len(c.rows) <= before {
			continue
		}
		if err := found(w.group(c), before > 0); err != nil {
			return err
		}
	}
	w.advance(now, newest)
	return nil
}

// advance remembers the newest value and forgets those that lie further back
// than the overlap, but for the last of them, which is the one to look from.
func (w *Watch) advance(now time.Time, newest source.Mark) {
	w.marks = append(w.marks, markAt{now, newest})
	for len(w.marks) > 1 && now.Sub(w.marks[1].at) >= w.Overlap {
		w.marks = w.marks[1:]
	}
}

// group classifies one group by the time between its rows.
func (w *Watch) group(c *candidate) *casefile.Group {
	e := &engine{src: w.src, table: w.table, groups: []*candidate{c}}
	e.readTimes()
	digits, step := e.resolution()
	c.sort()
	return e.group(w.table.Name, c, digits, classify.Facts{Windows: w.Windows, Step: step, Schedules: w.Schedules})
}

// nameOf is the same for a group whichever of its rows comes first, though
// equal keys may print differently, as 1.0 and 1.00 do.
func nameOf(rows []source.Row) string {
	name := keyText(rows[0].Key)
	for _, row := range rows[1:] {
		name = min(name, keyText(row.Key))
	}
	return name
}

// keyText is the same for keys that print the same; NULL is unlike any text.
func keyText(values []source.Value) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, "%t%q", v.Null, v.Text)
	}
	return b.String()
}

// Close ends the connection.
func (w *Watch) Close() error {
	if w.feed == nil {
		return nil
	}
	return w.feed.Close()
}
