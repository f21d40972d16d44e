// Package journal owns journal.jsonl: an append-only record of what was done,
// one line a record, each durable before Append returns.
//
// It must not know what a record means, nor a database. A record that was torn
// off by a crash is dropped; anything else that is not as it was written is an
// error. Each record holds the digest of the one before it, so that an edit by
// hand is noticed.
package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Name is the journal's file in a case directory.
const Name = "journal.jsonl"

// ErrBusy says that another process has the journal open for writing.
var ErrBusy = errors.New("another run has the journal open")

// DamagedError says that a journal is not as it was written.
type DamagedError struct {
	// Line is 1 for the first record.
	Line int
	Why  string
}

// Error names the line and the damage.
func (e *DamagedError) Error() string { return fmt.Sprintf("line %d of the journal %s", e.Line, e.Why) }

// Record is one line.
type Record struct {
	// Number is 1 for the first record.
	Number int `json:"n"`
	// Time is RFC 3339 in UTC.
	Time string `json:"time"`
	// Event says what happened; its values are the caller's.
	Event string `json:"event"`
	// Data is the event's own, nil where it has none.
	Data json.RawMessage `json:"data,omitempty"`
	// Before is the SHA-256 of the line before, "" in the first.
	Before string `json:"before"`
}

// medium is what the journal needs of its file.
type medium interface {
	io.Writer
	Sync() error
	Truncate(size int64) error
	Close() error
}

// Journal is a journal that is open for writing. No other process can open it
// until Close.
type Journal struct {
	file    medium
	lock    io.Closer
	size    int64
	last    string
	records []Record
	broken  error
}

// Open locks the case directory, reads its journal, drops a torn last record
// and is ready to append. The error is ErrBusy while another process has it.
// With peek nothing is written, and Append must not be called.
func Open(dir string, peek bool) (*Journal, error) {
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{lock: lock}
	if err := j.load(filepath.Join(dir, Name), peek); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return j, nil
}

func (j *Journal) load(path string, peek bool) error {
	records, whole, err := read(path)
	if err != nil {
		return err
	}
	j.records, j.size = records, whole
	if peek {
		return nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the journal: %w", err)
	}
	j.file = file
	if err := errors.Join(file.Truncate(whole), file.Sync(), syncDir(filepath.Dir(path))); err != nil {
		return errors.Join(fmt.Errorf("preparing the journal: %w", err), file.Close())
	}
	if len(records) > 0 {
		j.last = digest(records[len(records)-1])
	}
	return nil
}

// Records returns what the journal holds.
func (j *Journal) Records() []Record { return j.records }

// Append writes one record and makes it durable. After an error nothing of it
// is left, and no further record is taken, because the disk cannot be trusted.
func (j *Journal) Append(event string, data any) error {
	if j.broken != nil {
		return j.broken
	}
	if j.file == nil {
		return errors.New("the journal was opened for reading")
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	record := Record{Number: len(j.records) + 1, Time: time.Now().UTC().Format(time.RFC3339Nano), Event: event, Data: raw, Before: j.last}
	line := encode(record)
	_, err = j.file.Write(line)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.broken = fmt.Errorf("writing the journal: %w", errors.Join(err, j.file.Truncate(j.size)))
		return j.broken
	}
	j.size += int64(len(line))
	j.records, j.last = append(j.records, record), digest(record)
	return nil
}

// Close lets other processes have the journal.
func (j *Journal) Close() error {
	if j.file == nil {
		return j.lock.Close()
	}
	return errors.Join(j.file.Close(), j.lock.Close())
}

// encode writes a record as its line.
func encode(r Record) []byte {
	line, err := json.Marshal(r)
	if err != nil { // Data is JSON already, and the rest is text and a number
		panic(err)
	}
	return append(line, '\n')
}

func digest(r Record) string {
	sum := sha256.Sum256(encode(r))
	return hex.EncodeToString(sum[:])
}

// read returns the whole records of a file and their length in bytes; no file
// is no records.
func read(path string) ([]Record, int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading the journal: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("reading the journal: %s is not a regular file", path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the journal: %w", err)
	}
	return parse(raw)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening %s: %w", dir, err)
	}
	return errors.Join(d.Sync(), d.Close())
}
