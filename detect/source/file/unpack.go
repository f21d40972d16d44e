package file

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"

	"twinrow/detect/key"
)

const (
	magicGzip = "\x1f\x8b"
	magicZstd = "\x28\xb5\x2f\xfd"
)

// maxWindow is how far back a zstd stream may refer, which is memory. The zstd
// program allows as much unless it is told otherwise.
const maxWindow = 128 << 20

// isPacked tells by the first bytes whether they are compressed.
func isPacked(start []byte) bool {
	return strings.HasPrefix(string(start), magicGzip) || strings.HasPrefix(string(start), magicZstd)
}

// unpacked reads on through what compresses a stream, told by its first bytes.
func unpacked(from io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(from, 64<<10)
	start, err := buffered.Peek(len(magicZstd))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case strings.HasPrefix(string(start), magicGzip):
		reader, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, &packError{"gzip", err}
		}
		return &packReader{reader, "gzip", reader.Close}, nil
	case strings.HasPrefix(string(start), magicZstd):
		reader, err := zstd.NewReader(buffered, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, &packError{"zstd", err}
		}
		return &packReader{reader, "zstd", func() error { reader.Close(); return nil }}, nil
	}
	return io.NopCloser(buffered), nil
}

// packReader marks the errors of unpacking as such.
type packReader struct {
	io.Reader
	kind  string
	close func() error
}

func (p *packReader) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &packError{p.kind, err}
	}
	return n, err
}

func (p *packReader) Close() error { return p.close() }

type packError struct {
	kind  string // "gzip" or "zstd"
	cause error
}

func (p *packError) Error() string { return p.cause.Error() }
func (p *packError) Unwrap() error { return p.cause }

// packProblem explains why a stream could not be unpacked.
func packProblem(name string, err *packError) error {
	p := &key.Problem{Code: key.CodeBadInput, Message: name + ": its " + err.kind + " data are damaged", Hint: "fetch it again; check it with: " + err.kind + " -t FILE", Err: err.cause}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		p.Message = name + ": its " + err.kind + " data are cut short"
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		p.Code, p.Message = key.CodeUnsupported, fmt.Sprintf("%s: unpacking it needs more than %d MiB of memory", name, maxWindow>>20)
		p.Hint = "unpack it first, as with: zstd --long=31 -dc FILE | twinrow scan - …"
	}
	return p
}

// OpenText opens a text file that another adapter reads from start to end,
// unpacked on the way where it is compressed. Errors of the reader that tell
// of a damaged file are *key.Problem.
func OpenText(path string) (io.ReadCloser, error) {
	f, _, err := openPath(path)
	if err != nil {
		return nil, err
	}
	reader, err := unpacked(f)
	if err != nil {
		return nil, errors.Join(textProblem(path, err), f.Close())
	}
	return &textReader{reader, f, path}, nil
}

type textReader struct {
	io.ReadCloser
	file *os.File
	path string
}

func (t *textReader) Read(b []byte) (int, error) {
	n, err := t.ReadCloser.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = textProblem(t.path, err)
	}
	return n, err
}

func (t *textReader) Close() error { return errors.Join(t.ReadCloser.Close(), t.file.Close()) }

func textProblem(path string, err error) error {
	if damage, ok := errors.AsType[*packError](err); ok {
		return packProblem(path, damage)
	}
	return unreadable(path, err)
}

// roomLeft is how much of a disk a copy leaves free, and checkRoom how often
// it looks: what unpacks to a thousand times its size must not fill the disk
// that others write to.
const (
	roomLeft  = 256 << 20
	checkRoom = 16 << 20
)

// Room is how many bytes a copy of an input may take on the disk of TMPDIR, so
// that others can still write; 0 where that is not known.
func Room() int64 {
	free, known := freeRoom(os.TempDir())
	if !known {
		return 0
	}
	return max(1, int64(free)-roomLeft)
}

// bounded is a file that is written to as long as there is room beside it and
// somebody waits for it.
type bounded struct {
	ctx     context.Context
	to      io.Writer
	free    func() (bytes uint64, known bool)
	written int64
	looked  int64
}

// noRoomError says that a copy was stopped before it filled the disk.
type noRoomError struct{ written int64 }

func (n *noRoomError) Error() string {
	return fmt.Sprintf("the disk has less than %d MiB left after %d MiB", roomLeft>>20, n.written>>20)
}

func (b *bounded) Write(data []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if b.written-b.looked >= checkRoom {
		b.looked = b.written
		if free, known := b.free(); known && free < roomLeft {
			return 0, &noRoomError{b.written}
		}
	}
	n, err := b.to.Write(data)
	b.written += int64(n)
	return n, err
}
