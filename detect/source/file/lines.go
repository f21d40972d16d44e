package file

import (
	"bytes"
	"io"
	"slices"
)

// lineIndex tells on which line a byte is, without counting from the start of
// the file each time.
type lineIndex struct {
	src io.ReaderAt
	// marks are ascending; the first reading of the file leaves one every markEvery bytes.
	marks []mark
	buf   []byte
}

// mark says that the byte at offset is on a line, counted from 1.
type mark struct {
	offset int64
	line   int
}

const markEvery = 1 << 20

// note takes a mark if the last one is far enough behind.
func (x *lineIndex) note(m mark) {
	if n := len(x.marks); n == 0 || m.offset >= x.marks[n-1].offset+markEvery {
		x.marks = append(x.marks, m)
	}
}

// of returns the lines of ascending offsets.
func (x *lineIndex) of(offsets []uint64) (map[uint64]int, error) {
	lines := make(map[uint64]int, len(offsets))
	at := mark{0, 1}
	for _, o := range offsets {
		at = x.nearer(at, int64(o))
		if err := x.count(&at, int64(o)); err != nil {
			return nil, err
		}
		lines[o] = at.line
	}
	return lines, nil
}

// nearer is the last place at or before an offset whose line is known.
func (x *lineIndex) nearer(at mark, offset int64) mark {
	i, found := slices.BinarySearchFunc(x.marks, offset, func(m mark, o int64) int { return int(m.offset - o) })
	if !found {
		i--
	}
	if i >= 0 && x.marks[i].offset > at.offset {
		return x.marks[i]
	}
	return at
}

// count moves a mark forward to an offset.
func (x *lineIndex) count(at *mark, offset int64) error {
	if x.buf == nil {
		x.buf = make([]byte, 64<<10)
	}
	for at.offset < offset {
		n, err := x.src.ReadAt(x.buf[:min(int64(len(x.buf)), offset-at.offset)], at.offset)
		at.line += bytes.Count(x.buf[:n], []byte{'\n'})
		at.offset += int64(n)
		if err != nil && at.offset < offset {
			return err
		}
	}
	return nil
}
