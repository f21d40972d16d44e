// Package sqlite is the source for SQLite files, the local files of Cloudflare
// D1 among them. It owns how such a file is opened so that it can only be
// read, how keys are compared as SQLite compares them, and how rows are found
// again. It must not know what the rows mean.
//
// One read transaction lasts from Open to Close. In WAL mode that stops no
// writer. In the older rollback modes a writer's commit waits for it, as it
// waits for any reader. Like every reader of a WAL database that nobody else
// has open, it leaves the empty -wal and the -shm file that SQLite makes.
package sqlite

import (
	"context"
	"errors"
	"hash/maphash"
	"path/filepath"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// Options are what a caller may choose; the zero value is right for most.
type Options struct {
	// BusyTimeout is how long a lock of another program is waited for; 0 means 5 seconds.
	BusyTimeout time.Duration
	// Pace holds the reading back; nil does not. What SQLite reads is worked out
	// from the file's size and how far the rowids have come.
	Pace *source.Pace
}

// defaultBusyTimeout is longer than an application's commits take.
const defaultBusyTimeout = 5 * time.Second

// Source is one snapshot of one SQLite file.
type Source struct {
	conn  *sqlite.Conn
	path  string
	info  source.Info
	busy  time.Duration
	bytes int64 // of the file
	pace  *source.Pace
	utf16 bool
	seed  maphash.Seed
	plans map[*source.Table]*plan
}

var (
	_ source.Finder  = (*Source)(nil)
	_ source.Querier = (*Source)(nil)
)

// Open opens a SQLite or local D1 file read-only and takes its snapshot. Rows
// that are still in the write-ahead log are seen. It creates no database, and
// every error is a *key.Problem.
func Open(ctx context.Context, path string, opts Options) (*Source, error) {
	abs, err := checkPath(path)
	if err != nil {
		return nil, err
	}
	s := &Source{path: abs, busy: opts.BusyTimeout, pace: opts.Pace, seed: maphash.MakeSeed(), plans: map[*source.Table]*plan{}}
	if s.busy <= 0 {
		s.busy = defaultBusyTimeout
	}
	if s.conn, err = connect(abs); err != nil {
		return nil, err
	}
	err = s.begin(ctx)
	if err == nil {
		err = s.whole()
	}
	if err != nil {
		s.conn.Close()
		s.conn = nil
		return nil, err
	}
	return s, nil
}

// begin takes the snapshot and reads what Info says.
func (s *Source) begin(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, s.busy)
	defer cancel()
	s.conn.SetInterrupt(waiting.Done())
	defer s.conn.SetInterrupt(nil)
	var version, encoding string
	err := run(s.conn, "BEGIN", nil)
	if err == nil {
		// The first read takes the snapshot; BEGIN alone does not.
		err = run(s.conn, "SELECT count(*) FROM main.sqlite_schema", func(*sqlite.Stmt) error { return nil })
	}
	if err == nil {
		err = run(s.conn, "SELECT sqlite_version(), encoding, page_count * page_size FROM pragma_encoding, pragma_page_count, pragma_page_size", func(stmt *sqlite.Stmt) error {
			version, encoding, s.bytes = stmt.ColumnText(0), stmt.ColumnText(1), stmt.ColumnInt64(2)
			return nil
		})
	}
	if err != nil {
		return s.openProblem(ctx, err)
	}
	s.utf16 = strings.HasPrefix(encoding, "UTF-16")
	return s.describe(ctx, version)
}

// describe fills in Info; it tells a D1 file by where it lies or by its own tables.
func (s *Source) describe(ctx context.Context, version string) error {
	s.info = source.Info{
		Engine: "sqlite", Version: version, Database: filepath.Base(s.path), Location: s.path,
		Unknown: []string{"SQLite keeps no transaction times"},
	}
	tables, err := s.tables()
	if err != nil {
		return s.problem(ctx, "reading the catalogue", err)
	}
	d1 := strings.Contains(filepath.ToSlash(s.path), "/miniflare-D1DatabaseObject/")
	for _, t := range tables {
		d1 = d1 || t.name == "_cf_METADATA" || t.name == "d1_migrations"
	}
	if d1 {
		s.info.Engine = "d1"
	}
	return nil
}

// Info says what the file is.
func (s *Source) Info() source.Info { return s.info }

// Close ends the snapshot. Closing again does nothing.
func (s *Source) Close() error {
	if s.conn == nil {
		return nil
	}
	conn := s.conn
	s.conn = nil
	err := errors.Join(run(conn, "ROLLBACK", nil), conn.Close())
	if err != nil {
		return &key.Problem{Code: key.CodeBadInput, Message: "closing " + s.path + " failed", Err: err}
	}
	return nil
}

// interruptible makes a cancelled context stop the statement that runs; the
// function returned ends that. It fails on a closed source.
func (s *Source) interruptible(ctx context.Context) (func(), error) {
	if s.conn == nil {
		return nil, errors.New("the source is closed")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.conn.SetInterrupt(ctx.Done())
	return func() { s.conn.SetInterrupt(nil) }, nil
}
