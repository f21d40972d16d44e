package file

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strconv"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// wanted is a record to be handed on.
type wanted struct {
	locator uint64
	group   int
}

// Fetch reads the records twice: once to group them by their keys' bytes, once
// to hand them on, so that only the keys are kept in memory.
func (s *Source) Fetch(ctx context.Context, t *source.Table, locators []uint64, visit func(source.Row) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	p := s.plans[t]
	if p == nil {
		return errNotInspected
	}
	sorted := slices.Sorted(slices.Values(locators))
	reader := s.open(fetchChunk)
	rows, err := s.group(ctx, reader, p, sorted)
	if err != nil {
		return err
	}
	var lines map[uint64]int
	if slices.Contains(p.id, -1) {
		if lines, err = s.lines.of(sorted); err != nil {
			return unreadable(s.input.name, err)
		}
	}
	for _, w := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := s.at(reader, w.locator)
		if err != nil {
			return err
		}
		if err := visit(p.row(w, rec, lines[w.locator])); err != nil {
			return err
		}
	}
	return s.input.unchanged()
}

// group returns the records that have an equal among those at the locators,
// equal ones one after another in the order of the file.
func (s *Source) group(ctx context.Context, reader recordReader, p *plan, sorted []uint64) ([]wanted, error) {
	groups := map[string]int{}
	var sizes []int
	var rows []wanted
	var buf []byte
	for _, locator := range sorted {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rec, err := s.at(reader, locator)
		if err != nil {
			return nil, err
		}
		var null bool
		if buf, null = p.appendKey(buf[:0], rec); null && !p.nullsEqual {
			continue
		}
		g, ok := groups[string(buf)]
		if !ok {
			g = len(sizes)
			groups[string(buf)] = g
			sizes = append(sizes, 0)
		}
		sizes[g]++
		rows = append(rows, wanted{locator, g})
	}
	rows = slices.DeleteFunc(rows, func(w wanted) bool { return sizes[w.group] < 2 })
	slices.SortStableFunc(rows, func(a, b wanted) int { return cmp.Compare(a.group, b.group) })
	return rows, nil
}

// at reads the record at a locator, which was readable before.
func (s *Source) at(reader recordReader, locator uint64) (*record, error) {
	reader.seek(int64(locator), 1)
	rec, err := reader.next()
	var bad *badRecord
	if errors.Is(err, io.EOF) || errors.As(err, &bad) {
		if err := s.input.unchanged(); err != nil {
			return nil, err
		}
		return nil, &key.Problem{Code: key.CodeDrift, Message: s.input.name + " was changed while it was read", Hint: "scan again when nothing writes to it, or scan a copy", Err: err}
	}
	if err != nil {
		return nil, unreadable(s.input.name, err)
	}
	return rec, nil
}

// row puts the fields where they belong.
func (p *plan) row(w wanted, rec *record, line int) source.Row {
	digest := sha256.Sum256(rec.raw)
	row := source.Row{Group: w.group, Locator: w.locator, Image: "sha256:" + hex.EncodeToString(digest[:])}
	for _, f := range rec.fields {
		v := source.Text(f.text)
		v.Null = f.null
		row.Values = append(row.Values, v)
	}
	for _, place := range p.key {
		row.Key = append(row.Key, row.Values[place])
	}
	for _, place := range p.id {
		if place < 0 {
			row.ID = append(row.ID, source.Value{Text: strconv.Itoa(line)})
		} else {
			row.ID = append(row.ID, row.Values[place])
		}
	}
	return row
}
