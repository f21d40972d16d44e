package postgres

import (
	"context"
	"strings"
	"sync"
	"time"

	"twinrow/detect/source"
)

// Timeline counts rows by the time column, on all sessions at the same time:
// first by what the reading for fingerprints learnt, then it reads what is left
// to know. A column that is of no time type is read as text.
func (s *Source) Timeline(ctx context.Context, t *source.Table, w source.Window) (source.Timeline, error) {
	l := &counting{source: s, table: t, window: w, line: source.Timeline{Counts: make([]int64, w.Buckets)}}
	var err error
	if l.relation, err = s.relation(t); err != nil {
		return l.line, err
	}
	return l.line, explain(ctx, "counting the rows of "+t.Name+" by their time", l.run(ctx))
}

// counting is one count of a table's rows by their time.
type counting struct {
	source   *Source
	relation *relation
	table    *source.Table
	window   source.Window

	mu   sync.Mutex // guards line
	line source.Timeline
}

func (l *counting) run(ctx context.Context) error {
	read := l.readText
	if isTime(l.table, l.table.Time) {
		read = l.readBuckets
	}
	if l.relation.book != nil {
		return l.source.whole(ctx, l.relation, read)
	}
	known := l.relation.profile
	if known == nil || known.column != l.table.Time {
		return l.source.each(ctx, l.relation.heaps, read)
	}
	var few []*unit
	var rest []heap
	for _, h := range l.relation.heaps {
		line, unclear := known.count(h, l.window)
		if l.source.mayRead(h, unclear) {
			l.line.Join(line)
			few = append(few, parts(h, unclear)...)
		} else {
			rest = append(rest, h)
		}
	}
	if err := l.source.readUnits(ctx, few, l.readRanges); err != nil {
		return err
	}
	return l.source.each(ctx, rest, read)
}

// mayRead tells whether some ranges of a heap may be read as such, though
// that leaves their pages in the server's memory.
func (s *Source) mayRead(h heap, spans []span) bool {
	var blocks int64
	for _, one := range spans {
		blocks += one.to - one.from
	}
	return blocks == 0 || s.packs(h) || s.server.number >= rangesSince && blocks*s.server.blockSize <= s.server.sharedBuffers/32
}

// readRanges has the server count the parts of a unit. What one statement says
// of it is taken whole or, where the statement fails, not at all.
func (l *counting) readRanges(ctx context.Context, one *session, u *unit) error {
	if err := u.steer(ctx, one); err != nil {
		return err
	}
	pay := payer{l.source, u.only}
	sql := l.relation.fill("evidence_times", "table", u.heap.name, "column", l.relation.bare(l.table.Time))
	rows, err := l.buckets(ctx, one, sql, u.bounds(), func(f [][]byte) error { return pay.upTo(ctx, number(string(f[3]))) })
	if err != nil {
		return err
	}
	l.add(rows)
	return pay.upTo(ctx, u.to)
}

// readBuckets has the server count a whole stretch, as readRanges does.
func (l *counting) readBuckets(ctx context.Context, one *session, u *unit) error {
	if err := u.steer(ctx, one); err != nil {
		return err
	}
	sql := u.fill(l.relation, "evidence_timeline", "column", l.relation.bare(l.table.Time))
	rows, err := l.buckets(ctx, one, sql, nil, func([][]byte) error { return nil })
	if err != nil {
		return err
	}
	l.add(rows)
	return l.source.moveTo(ctx, u, u.to, 0)
}

// bucket is what a statement says of a bucket.
type bucket struct {
	number, rows int64
	last         string
}

// buckets runs a statement that counts by bucket.
func (l *counting) buckets(ctx context.Context, one *session, sql string, more []string, seen func([][]byte) error) ([]bucket, error) {
	args := append([]string{bounds(l.window), l.window.Now.UTC().Format(time.RFC3339Nano)}, more...)
	var rows []bucket
	err := one.stream(ctx, 0, sql, args, func(f [][]byte) error {
		rows = append(rows, bucket{number(string(f[0])) - 1, number(string(f[1])), string(f[2])})
		return seen(f)
	})
	return rows, err
}

// bounds is an array of where the buckets begin and the last one ends.
func bounds(w source.Window) string {
	var b strings.Builder
	for i := range w.Buckets + 1 {
		b.WriteString([]string{"{", ","}[min(i, 1)])
		b.WriteString(w.From.Add(time.Duration(i) * w.Width).UTC().Format(time.RFC3339Nano))
	}
	b.WriteByte('}')
	return b.String()
}

func (l *counting) add(rows []bucket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, row := range rows {
		l.line.Put(int(row.number), row.rows)
		if at, err := source.ParseInstant(row.last); err == nil {
			l.line.Reach(at.Time)
		}
	}
}

// readText reads the times of a stretch as they print.
func (l *counting) readText(ctx context.Context, one *session, u *unit) error {
	if err := u.steer(ctx, one); err != nil {
		return err
	}
	stretch := source.Timeline{Counts: make([]int64, l.window.Buckets)}
	sql := u.fill(l.relation, "evidence_column", "column", l.relation.bare(l.table.Time))
	if err := one.stream(ctx, 0, sql, nil, func(f [][]byte) error {
		if at, err := source.ParseInstant(string(f[0])); err == nil {
			stretch.Add(l.window, at.Time)
		}
		return nil
	}); err != nil {
		return err
	}
	l.mu.Lock()
	l.line.Join(stretch)
	l.mu.Unlock()
	return l.source.moveTo(ctx, u, u.to, 0)
}

// isTime tells whether a column is of a type that is a point in time.
func isTime(t *source.Table, column string) bool {
	for _, c := range t.Columns {
		if c.Name == column {
			return (strings.HasPrefix(c.Type, "timestamp") || c.Type == "date") && !strings.HasSuffix(c.Type, "]")
		}
	}
	return false
}
