package file

import (
	"bytes"
	"io"
	"slices"
)

// maxRecord is the size in bytes past which a record is taken for one that was
// never ended, as by a missing quote.
const maxRecord = 64 << 20

// window is the stretch of a file that a reader of records has in memory.
type window struct {
	src   io.ReaderAt
	chunk int

	// buf[pos:] is what comes next; buf[0] is at byte base of the file.
	buf  []byte
	pos  int
	base int64
	eof  bool
	line int
}

func (w *window) seek(offset int64, line int) {
	w.line = line
	if offset >= w.base && offset <= w.base+int64(len(w.buf)) {
		w.pos = int(offset - w.base)
		return
	}
	w.buf, w.pos, w.base, w.eof = w.buf[:0], 0, offset, false
}

// skipLine leaves out the line that a bad record starts on, and no more: what
// follows may only seem to belong to it, because of a stray quote.
func (w *window) skipLine(data []byte, reason string) error {
	end := bytes.IndexByte(data, '\n') + 1
	bad := &badRecord{line: w.line, reason: reason, final: end == 0 && !w.eof}
	if end == 0 {
		end = len(data)
	}
	w.advance(end)
	return bad
}

func (w *window) advance(n int) {
	w.line += bytes.Count(w.buf[w.pos:w.pos+n], []byte{'\n'})
	w.pos += n
}

// fill reads on, at least a chunk and at least as much as is there already,
// so that a long record is not parsed again too often.
func (w *window) fill() error {
	kept := copy(w.buf, w.buf[w.pos:])
	w.base += int64(w.pos)
	w.pos = 0
	want := max(w.chunk, kept)
	w.buf = slices.Grow(w.buf[:kept], want)
	n, err := w.src.ReadAt(w.buf[kept:kept+want], w.base+int64(kept))
	w.buf = w.buf[:kept+n]
	w.eof = err == io.EOF
	if w.eof {
		err = nil
	}
	return err
}
