package postgres

import (
	"context"
	"strings"
	"sync"
	"time"

	"twinrow/detect/source"
)

// Timeline counts rows by the time column, on all sessions at the same time. A
// column that is of no time type is read as text.
func (s *Source) Timeline(ctx context.Context, t *source.Table, w source.Window) (source.Timeline, error) {
	l := &counting{source: s, table: t, window: w, line: source.Timeline{Counts: make([]int64, w.Buckets)}}
	var err error
	if l.relation, err = s.relation(t); err != nil {
		return l.line, err
	}
	read := l.readText
	if isTime(t, t.Time) {
		read = l.readBuckets
	}
	each := s.each
	if l.relation.book != nil {
		each = s.whole
	}
	return l.line, explain(ctx, "counting the rows of "+t.Name+" by their time", each(ctx, l.relation, read))
}

// counting is one reading of a table for its time column.
type counting struct {
	source   *Source
	relation *relation
	table    *source.Table
	window   source.Window

	mu   sync.Mutex // guards line
	line source.Timeline
}

// readBuckets has the server count a stretch. What one statement says of it is
// taken whole or, where the statement fails, not at all.
func (l *counting) readBuckets(ctx context.Context, one *session, u *unit) error {
	if err := u.steer(ctx, one); err != nil {
		return err
	}
	sql := u.fill(l.relation, "evidence_timeline", "column", l.relation.bare(l.table.Time))
	args := []string{bounds(l.window), l.window.Now.UTC().Format(time.RFC3339Nano)}
	var rows [][3]string
	if err := one.stream(ctx, 0, sql, args, func(f [][]byte) error {
		rows = append(rows, [3]string{string(f[0]), string(f[1]), string(f[2])})
		return nil
	}); err != nil {
		return err
	}
	l.mu.Lock()
	for _, row := range rows {
		l.add(number(row[0])-1, number(row[1]), row[2])
	}
	l.mu.Unlock()
	return l.source.moveTo(ctx, u, u.to, 0)
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

func (l *counting) add(bucket, rows int64, last string) {
	switch {
	case bucket < 0:
		l.line.Before += rows
	case bucket >= int64(l.window.Buckets):
		l.line.After += rows
	default:
		l.line.Counts[bucket] += rows
	}
	if at, err := source.ParseInstant(last); err == nil && at.Time.After(l.line.Last) {
		l.line.Last = at.Time
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
			return strings.HasPrefix(c.Type, "timestamp") || c.Type == "date"
		}
	}
	return false
}
