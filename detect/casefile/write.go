package casefile

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"twinrow/detect/key"
)

// Writer makes a case directory. Until Commit it is a hidden directory beside
// the place it will have, so a scan that fails leaves nothing half-written.
type Writer struct {
	dir, partial string
	lock         io.Closer
	file         *os.File
	buffer       *bufio.Writer
	digest       hash.Hash
	groups       int
	done         bool
}

// Create prepares a case at dir, which must not exist or be an empty directory.
// Call Abort when done with it; after Commit that does nothing.
func Create(dir string) (*Writer, error) {
	if err := vacant(dir); err != nil {
		return nil, err
	}
	partial, lock, err := makePartial(dir)
	if problem, ok := errors.AsType[*Problem](err); ok {
		return nil, problem
	} else if err != nil {
		return nil, diskProblem("creating the case "+dir, err)
	}
	// Another run may have ended since.
	if err := vacant(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(partial), lock.Close())
	}
	file, err := os.OpenFile(filepath.Join(partial, EvidenceName), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, diskProblem("creating the evidence", errors.Join(err, os.RemoveAll(partial), lock.Close()))
	}
	w := &Writer{dir: dir, partial: partial, lock: lock, file: file, digest: sha256.New()}
	w.buffer = bufio.NewWriterSize(io.MultiWriter(file, w.digest), 1<<16)
	return w, nil
}

func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return diskProblem("looking at "+dir, err)
	case len(entries) > 0:
		return &Problem{Code: key.CodeExists, Message: dir + " exists and is not empty", Hint: "name another directory with --case; a case is never overwritten"}
	}
	return nil
}

// Add appends a group to the evidence and numbers it.
func (w *Writer) Add(group *Group) error {
	w.groups++
	group.Number = w.groups
	if err := w.write(group); err != nil {
		return diskProblem("writing the evidence", err)
	}
	return nil
}

// write writes a group's line a row at a time: one of a million rows is half a
// gigabyte of text. The rows are the last of a group.
func (w *Writer) write(group *Group) error {
	head := *group
	head.Rows = []Row{}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(head); err != nil {
		return err
	}
	const end = "]}\n"
	if _, err := w.buffer.Write(bytes.TrimSuffix(text.Bytes(), []byte(end))); err != nil {
		return err
	}
	for i := range group.Rows {
		text.Reset()
		if i > 0 {
			text.WriteByte(',')
		}
		if err := encoder.Encode(&group.Rows[i]); err != nil {
			return err
		}
		if _, err := w.buffer.Write(bytes.TrimSuffix(text.Bytes(), []byte("\n"))); err != nil {
			return err
		}
	}
	_, err := w.buffer.WriteString(end)
	return err
}

// Commit writes case.json, makes everything durable and moves the case to its
// place. It fills the case's Schema, ID and Evidence.
func (w *Writer) Commit(c *Case) error {
	err := errors.Join(w.buffer.Flush(), w.file.Sync(), w.file.Close())
	if err != nil {
		return diskProblem("writing the evidence", err)
	}
	c.Schema = CaseSchema
	c.ID = newID()
	c.Evidence = Evidence{File: EvidenceName, Schema: EvidenceSchema, SHA256: hex.EncodeToString(w.digest.Sum(nil)), Groups: w.groups}
	if err := WriteJSON(filepath.Join(w.partial, CaseName), c); err != nil {
		return err
	}
	if err := vacant(w.dir); err != nil {
		return err
	}
	if err := os.Remove(w.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return diskProblem("replacing the empty directory "+w.dir, err)
	}
	if err := os.Rename(w.partial, w.dir); err != nil {
		return diskProblem("moving the case to "+w.dir, err)
	}
	w.done = true
	return errors.Join(syncDir(filepath.Dir(w.dir)), w.lock.Close())
}

// AddFile puts a further document into the case before it is committed.
func (w *Writer) AddFile(name string, content []byte) error {
	return WriteFile(filepath.Join(w.partial, name), func(to io.Writer) error {
		_, err := to.Write(content)
		return err
	})
}

// Abort removes what was written so far, unless the case was committed or
// aborted before.
func (w *Writer) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	_ = w.file.Close() // closed already where Commit failed half-way
	return errors.Join(os.RemoveAll(w.partial), w.lock.Close())
}

func newID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead (crypto/rand)
	return hex.EncodeToString(b[:])
}

// WriteJSON writes a document as indented JSON, atomically.
func WriteJSON(path string, document any) error {
	return WriteFile(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(document)
	})
}

// WriteFile writes a file so that it is seen whole or not at all: to a
// temporary name beside it, made durable, then renamed. Its mode is 0600.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".partial-")
	if err != nil {
		return diskProblem("creating "+path, err)
	}
	defer func() {
		if err != nil {
			err = diskProblem("writing "+path, errors.Join(err, os.Remove(file.Name())))
		}
	}()
	buffer := bufio.NewWriterSize(file, 1<<16)
	if err := write(buffer); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(buffer.Flush(), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a rename in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening %s: %w", dir, err)
	}
	return errors.Join(d.Sync(), d.Close())
}

func diskProblem(doing string, err error) error {
	return &Problem{Code: key.CodeDisk, Message: doing, Hint: "look at the rights and the free space of the directory, then run the command again", Err: err}
}
