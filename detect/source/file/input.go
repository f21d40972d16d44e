package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// input is bytes that can be read from any place, more than once.
type input struct {
	file *os.File
	// name is what messages call it; location finds it again.
	name, location string
	size           int64
	modified       time.Time
}

// openInput opens a regular file as it is, and copies a pipe, standard input or
// what is compressed first.
func openInput(ctx context.Context, path string, stdin io.Reader) (*input, error) {
	if path == "-" {
		return spool(ctx, stdin, "stdin", "-")
	}
	f, abs, err := openPath(path)
	if err != nil {
		return nil, err
	}
	in, err := describeInput(f, filepath.Base(abs), abs)
	if err != nil {
		return nil, err
	}
	stat, err := f.Stat()
	if err != nil {
		return nil, errors.Join(unreadable(in.name, err), f.Close())
	}
	start := make([]byte, len(magicZstd))
	if stat.Mode().IsRegular() {
		n, _ := f.ReadAt(start, 0) // an error shows again when it is read
		if !isPacked(start[:n]) {
			return in, nil
		}
	}
	defer f.Close()
	copied, err := spool(ctx, f, in.name, in.location)
	if err != nil || !stat.Mode().IsRegular() {
		return copied, err
	}
	if err := in.unchanged(); err != nil {
		return nil, errors.Join(err, copied.Close())
	}
	return copied, nil
}

// openPath opens what is at a path, and returns the path without its short cuts.
func openPath(path string) (*os.File, string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, "", &key.Problem{Code: key.CodeNotFound, Message: "no file " + path, Err: err}
	}
	stat, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", source.MissingFile(abs)
	case err == nil && stat.IsDir():
		return nil, "", &key.Problem{Code: key.CodeBadInput, Message: path + " is a folder", Hint: "give the path of the file itself"}
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(abs)
	}
	if err != nil {
		return nil, "", &key.Problem{Code: key.CodePermission, Message: "cannot open " + path, Hint: "check the rights on the file and its folder", Err: err}
	}
	return f, abs, nil
}

func describeInput(f *os.File, name, location string) (*input, error) {
	stat, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, unreadable(name, err)
	}
	return &input{file: f, name: name, location: location, size: stat.Size(), modified: stat.ModTime()}, nil
}

// spool copies a stream, unpacked where it is compressed, to a temporary file
// (0600) that is unlinked at once, so that nothing of it stays whatever happens.
func spool(ctx context.Context, from io.Reader, name, location string) (*input, error) {
	f, err := os.CreateTemp("", "twinrow-*")
	if err != nil {
		return nil, noRoom(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(noRoom(err), f.Close())
	}
	done := make(chan error, 1)
	go func() { // a read from a terminal or pipe cannot be interrupted; leaving it behind can
		done <- copyUnpacked(&bounded{ctx: ctx, to: f, free: func() (uint64, bool) { return freeRoom(os.TempDir()) }}, from)
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err != nil {
		f.Close()
		return nil, spoolProblem(f.Name(), name, err)
	}
	return describeInput(f, name, location)
}

func copyUnpacked(to io.Writer, from io.Reader) error {
	reader, err := unpacked(from)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, reader)
	return errors.Join(err, reader.Close())
}

// itemised is a copy of pages of items, an item a line. The input is closed.
func (in *input) itemised(ctx context.Context) (*input, error) {
	lines, writer := io.Pipe()
	var wrong error
	read := make(chan struct{})
	go func() {
		defer close(read)
		wrong = itemLines(io.NewSectionReader(in.file, 0, in.size), writer)
		_ = writer.CloseWithError(wrong) // it never fails
	}()
	copied, err := spool(ctx, lines, in.name, in.location)
	_ = lines.Close() // ends the writer, where it still writes
	<-read
	if wrong != nil && !errors.Is(wrong, io.ErrClosedPipe) {
		err = pagesProblem(in.name, wrong)
	}
	if err == nil {
		err = in.unchanged()
	}
	if closed := in.Close(); err == nil {
		err = closed
	}
	if err == nil {
		return copied, nil
	}
	if copied != nil {
		_ = copied.Close() // the error that led here is the one to tell
	}
	return nil, err
}

// spoolProblem tells what is wrong with the stream from what is with the copy.
func spoolProblem(copied, name string, err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok && path.Path == copied {
		return noRoom(err)
	}
	if full, ok := errors.AsType[*noRoomError](err); ok {
		return noRoom(full)
	}
	return textProblem(name, err)
}

func noRoom(err error) error {
	return &key.Problem{Code: key.CodeDisk, Message: "cannot keep a copy of the input to read it twice", Hint: "make room in " + os.TempDir() + ", or set TMPDIR to a folder with room", Err: err}
}

func unreadable(name string, err error) error {
	return &key.Problem{Code: key.CodeBadInput, Message: "reading " + name + " failed", Hint: "check the disk and that the file is still there", Err: err}
}

// unchanged fails where the file is another than when it was opened.
func (in *input) unchanged() error {
	stat, err := in.file.Stat()
	if err != nil {
		return unreadable(in.name, err)
	}
	if stat.Size() != in.size || !stat.ModTime().Equal(in.modified) {
		return &key.Problem{Code: key.CodeDrift, Message: in.name + " was changed while it was read", Hint: "scan again when nothing writes to it, or scan a copy"}
	}
	return nil
}

// Close closes the file; a temporary copy is gone then.
func (in *input) Close() error { return in.file.Close() }
