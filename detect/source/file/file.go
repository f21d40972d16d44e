// Package file is the source for exported tables: CSV, and TSV, which is the
// same with tabs between the fields and the same rules for quotes. It owns how
// records are read and found again by their byte offset. It must not know what
// the rows mean, nor any SQL.
//
// A field without quotes and without text is NULL; "" is the empty string, as
// psql and sqlite3 write them. Keys are equal if their bytes are.
package file

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"path/filepath"
	"strings"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// Options are what a caller may choose.
type Options struct {
	// SkipBadLines leaves out records that cannot be read and counts them,
	// instead of stopping at the first.
	SkipBadLines bool
	// Format is "csv" or "tsv"; empty goes by the file's extension, and is CSV
	// for standard input.
	Format string
}

// Source is one file. It must not change between Open and Close.
type Source struct {
	input  *input
	open   func(chunk int) recordReader
	opts   Options
	info   source.Info
	table  string
	header []string
	// first is the byte behind the header, and firstLine its line.
	first     int64
	firstLine int
	estimate  int64
	seed      maphash.Seed
	lines     *lineIndex
	plans     map[*source.Table]*plan
}

var _ source.Source = (*Source)(nil)

// Open opens a file, or standard input where path is "-", and reads its
// header. What cannot be read twice is first copied to a temporary file that
// has no name. Every error a person can act on is a *key.Problem.
func Open(ctx context.Context, path string, stdin io.Reader, opts Options) (*Source, error) {
	delimiter, err := delimiterOf(path, opts.Format)
	if err != nil {
		return nil, err
	}
	in, err := openInput(ctx, path, stdin)
	if err != nil {
		return nil, err
	}
	s := &Source{input: in, opts: opts, seed: maphash.MakeSeed(), lines: &lineIndex{src: in.file}, plans: map[*source.Table]*plan{}}
	s.open = func(chunk int) recordReader { return newDelimited(in.file, delimiter, len(s.header), chunk) }
	s.table = strings.TrimSuffix(filepath.Base(in.name), filepath.Ext(in.name))
	s.info = source.Info{
		Engine: "csv", Database: filepath.Base(in.name), Location: in.location,
		Unknown: []string{"an export keeps no transaction times"},
	}
	if err := s.readHeader(); err != nil {
		_ = in.Close() // the error that led here is the one to tell
		return nil, err
	}
	return s, nil
}

// delimiterOf settles the format.
func delimiterOf(path, format string) (byte, error) {
	if format == "" && path == "-" {
		format = "csv"
	}
	if format == "" {
		format = strings.TrimPrefix(strings.ToLower(filepath.Ext(path)), ".")
	}
	switch format {
	case "csv":
		return ',', nil
	case "tsv":
		return '\t', nil
	}
	return 0, &key.Problem{Code: key.CodeUnsupported, Message: "cannot tell the format of " + path, Hint: "give a file that ends in .csv or .tsv"}
}

// Info says what the file is.
func (s *Source) Info() source.Info { return s.info }

// Capabilities says that a file is read in its own order.
func (s *Source) Capabilities(*source.Table) source.Capabilities {
	return source.Capabilities{Way: "file order", Reason: "every record is read once from start to end, because a file has no index"}
}

// Close closes the file. Closing again does nothing.
func (s *Source) Close() error {
	if s.input == nil {
		return nil
	}
	in := s.input
	s.input = nil
	return in.Close()
}

// ready fails on a closed source, a cancelled context and a changed file.
func (s *Source) ready(ctx context.Context) error {
	if s.input == nil {
		return errors.New("the source is closed")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.input.unchanged()
}
