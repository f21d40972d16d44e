package file

import (
	"context"
	"slices"

	"twinrow/detect/source"
)

var (
	_ source.Timeliner = (*Source)(nil)
	_ source.KeyReader = (*Source)(nil)
)

// Timeline reads the file once more for the time column alone.
func (s *Source) Timeline(ctx context.Context, t *source.Table, w source.Window) (source.Timeline, error) {
	out := source.Timeline{Counts: make([]int64, w.Buckets)}
	if err := s.ready(ctx); err != nil {
		return out, err
	}
	place := slices.Index(s.header, t.Time)
	if place < 0 {
		return out, errNotInspected
	}
	var count source.Count
	err := s.records(ctx, &count, func(rec *record) error {
		if at, err := source.ParseInstant(string(rec.fields[place].text)); err == nil {
			out.Add(w, at.Time)
		}
		return nil
	})
	return out, err
}

// Keys reads the file once more for the key alone.
func (s *Source) Keys(ctx context.Context, t *source.Table, visit func([]source.Value) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	p := s.plans[t]
	if p == nil {
		return errNotInspected
	}
	parts := make([]source.Value, len(p.key))
	var count source.Count
	return s.records(ctx, &count, func(rec *record) error {
		for i, place := range p.key {
			f := rec.fields[place]
			parts[i] = source.Text(f.text)
			parts[i].Null = f.null
		}
		return visit(parts)
	})
}
