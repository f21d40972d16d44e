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

// openInput opens a regular file as it is, and copies a pipe or standard input first.
func openInput(ctx context.Context, path string, stdin io.Reader) (*input, error) {
	if path == "-" {
		return spool(ctx, stdin, "stdin", "-")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, &key.Problem{Code: key.CodeNotFound, Message: "no file " + path, Err: err}
	}
	stat, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, source.MissingFile(abs)
	case err == nil && stat.IsDir():
		return nil, &key.Problem{Code: key.CodeBadInput, Message: path + " is a folder", Hint: "give the path of the file itself"}
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(abs)
	}
	if err != nil {
		return nil, &key.Problem{Code: key.CodePermission, Message: "cannot open " + path, Hint: "check the rights on the file and its folder", Err: err}
	}
	if !stat.Mode().IsRegular() {
		defer f.Close()
		return spool(ctx, f, filepath.Base(abs), abs)
	}
	return describeInput(f, filepath.Base(abs), abs)
}

func describeInput(f *os.File, name, location string) (*input, error) {
	stat, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, unreadable(name, err)
	}
	return &input{file: f, name: name, location: location, size: stat.Size(), modified: stat.ModTime()}, nil
}

// spool copies a stream to a temporary file (0600) that is unlinked at once,
// so that nothing of it stays whatever happens.
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
		_, err := io.Copy(f, from)
		done <- err
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var path *fs.PathError
	if errors.As(err, &path) && path.Path == f.Name() {
		f.Close()
		return nil, noRoom(err)
	} else if err != nil {
		f.Close()
		return nil, unreadable(name, err)
	}
	return describeInput(f, name, location)
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
