// Package file is the source for exported tables: CSV, TSV (the same with tabs
// between the fields and the same rules for quotes) and JSON lines, each also
// compressed by gzip or zstd, and from standard input. It owns how records are
// read and found again by their byte offset. It must not know what the rows
// mean, nor any SQL.
//
// In CSV a field without quotes and without text is NULL; "" is the empty
// string, as psql and sqlite3 write them. In JSON lines null and a missing name
// are NULL; the columns are the names of all objects, for which the file is
// read once more. Keys are equal if their bytes are, so the number 1 and the
// string "1" are one key, and 1 and 1.0 are two.
//
// Items of DynamoDB are JSON whose values carry their type, and are equal as
// DynamoDB has it: the number 1 is 1.0 and is not the string "1", a set has no
// order, NULL is a missing attribute. A .json file holds the pages that
// `aws dynamodb scan` prints; its items are written a line each to a temporary
// file first, and a line number is an item's place among them.
//
// A compressed file is unpacked once, when it is opened, into a temporary file
// (0600) that has no name any more: rows are read a second time by their
// offset, which a compressed stream does not allow. It costs the unpacked size
// on the disk of TMPDIR for as long as the scan runs.
//
// zstd is read by github.com/klauspost/compress, because the standard library
// has none; gzip by the standard library.
package file

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"path/filepath"

	"twinrow/detect/source"
)

// Options are what a caller may choose.
type Options struct {
	// SkipBadLines leaves out records that cannot be read and counts them,
	// instead of stopping at the first.
	SkipBadLines bool
	// Pace holds the reading back; nil does not.
	Pace *source.Pace
	// Format is "csv", "tsv", "jsonl", "json" or Items; empty goes by the file's
	// name, and for standard input by its first line: JSON lines begin with a brace,
	// and TSV has more tabs than commas there.
	Format string
	// Table names the table that standard input is; empty is "stdin".
	Table string
}

// Source is one file. It must not change between Open and Close.
type Source struct {
	input  *input
	format string
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
	format, err := formatOf(path, opts.Format)
	if err != nil {
		return nil, err
	}
	in, err := openInput(ctx, path, stdin)
	if err != nil {
		return nil, err
	}
	if format == "json" {
		if in, err = in.itemised(ctx); err != nil {
			return nil, err
		}
		format = Items
	}
	s := &Source{input: in, opts: opts, seed: maphash.MakeSeed(), lines: &lineIndex{src: in.file}, plans: map[*source.Table]*plan{}}
	if s.table, _ = SplitName(in.name); opts.Table != "" {
		s.table, in.name = opts.Table, opts.Table
	}
	s.info = source.Info{
		Engine: "csv", Database: filepath.Base(in.name), Location: in.location,
		Unknown: []string{"an export keeps no transaction times"},
	}
	if err := s.readStart(ctx, format); err != nil {
		_ = in.Close() // the error that led here is the one to tell
		return nil, err
	}
	return s, nil
}

// readStart settles the format and learns the columns.
func (s *Source) readStart(ctx context.Context, format string) error {
	start, err := s.start()
	if err != nil {
		return err
	}
	if s.format, err = s.settle(format, start); err != nil {
		return err
	}
	if s.format == "jsonl" || s.format == Items {
		return s.readNames(ctx, start)
	}
	delimiter := map[string]byte{"csv": ',', "tsv": '\t'}[s.format]
	s.open = func(chunk int) recordReader { return newDelimited(s.input.file, delimiter, len(s.header), chunk) }
	return s.readHeader(start)
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
