package file

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// batchSize is how many fingerprints are handed on at once, checkEvery how
// many records are read between two looks at the context.
const (
	batchSize  = 4096
	checkEvery = 1024
)

var errNotInspected = errors.New("the table was not inspected by this source")

// Prints reads the file from start to end.
func (s *Source) Prints(ctx context.Context, t *source.Table, pass source.Pass, visit func([]source.Print) error) (source.Count, error) {
	var count source.Count
	if err := s.ready(ctx); err != nil {
		return count, err
	}
	p := s.plans[t]
	if p == nil {
		return count, errNotInspected
	}
	batch := make([]source.Print, 0, batchSize)
	var buf []byte
	err := s.records(ctx, &count, func(rec *record) error {
		var null bool
		if buf, null = p.appendKey(buf[:0], rec); null && !p.nullsEqual {
			count.NullKeys++
			return nil
		}
		hash := maphash.Bytes(s.seed, buf)
		if !pass.Holds(hash) {
			return nil
		}
		batch = append(batch, source.Print{Hash: hash, Locator: uint64(rec.offset)})
		if len(batch) < cap(batch) {
			return nil
		}
		err := visit(batch)
		batch = batch[:0]
		return err
	})
	if err == nil && len(batch) > 0 {
		err = visit(batch)
	}
	if err == nil {
		err = s.input.unchanged()
	}
	return count, err
}

// records hands on every readable record and counts all.
func (s *Source) records(ctx context.Context, count *source.Count, visit func(*record) error) error {
	reader := s.open(scanChunk)
	reader.seek(s.first, s.firstLine)
	at := s.first
	for n := 0; ; n++ {
		rec, err := reader.next()
		if n%checkEvery == 0 && rec != nil {
			if err := s.opts.Pace.Spend(ctx, rec.offset-at); err != nil {
				return err
			}
			at = rec.offset
		}
		switch {
		case err == nil:
			count.Rows++
			s.lines.note(mark{rec.offset, rec.line})
			if err := visit(rec); err != nil {
				return err
			}
		case errors.Is(err, io.EOF):
			return nil
		default:
			if err := s.skip(err); err != nil {
				return err
			}
			count.BadLines++
		}
	}
}

// skip settles whether a record that cannot be read may be left out.
func (s *Source) skip(err error) error {
	bad, ok := errors.AsType[*badRecord](err)
	switch {
	case !ok:
		return unreadable(s.input.name, err)
	case !s.opts.SkipBadLines || bad.final:
		return s.badLine(bad)
	}
	return nil
}

func (s *Source) badLine(bad *badRecord) error {
	// Where the file was changed under us, that is the reason.
	if err := s.input.unchanged(); err != nil {
		return err
	}
	hint := "correct the line, or leave such lines out with --skip-bad-lines"
	if bad.final {
		hint = "correct the line"
	}
	return &key.Problem{Code: key.CodeBadInput, Message: s.input.name + ": " + bad.Error(), Hint: hint}
}

// appendKey appends the key's fields so that they do not run together; null is
// true where one is NULL.
func (p *plan) appendKey(buf []byte, rec *record) (out []byte, null bool) {
	for _, place := range p.key {
		f := rec.fields[place]
		if f.null {
			null = true
			buf = append(buf, 'n')
			continue
		}
		text := f.text
		if f.equal != nil {
			text = f.equal
		}
		buf = binary.AppendUvarint(append(buf, 't'), uint64(len(text)))
		buf = append(buf, text...)
	}
	return buf, null
}
