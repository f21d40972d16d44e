package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"twinrow/detect/key"
	"twinrow/detect/scan"
	"twinrow/detect/source"
	"twinrow/detect/source/dynamodb"
	"twinrow/detect/source/file"
	"twinrow/detect/source/postgres"
	"twinrow/detect/source/sqlite"
)

// place is a SOURCE as the user named it.
type place struct {
	// engine is "postgres", "sqlite", "dynamodb", "file", or "dump" for a .sql file.
	engine string
	// at is a connection string, a path, or the name of a table.
	at string
}

// readOptions are the flags that bear on reading a source.
type readOptions struct {
	jobs             int
	fast             bool
	statementTimeout time.Duration
	skipBadLines     bool
	pace             *source.Pace
	// before hears what a source reads while it is opened; nil is not asked.
	before func([]scan.Forecast) error
}

// place makes out what a SOURCE argument is; empty means $DATABASE_URL.
func (p *program) place(text string) (place, error) {
	if text == "" {
		text, _ = p.getenv("DATABASE_URL")
	}
	switch {
	case text == "":
		return place{}, &key.Problem{Code: key.CodeUsage, Message: "no SOURCE given", Hint: "name a database or a file, or set DATABASE_URL"}
	case strings.HasPrefix(text, "postgres://"), strings.HasPrefix(text, "postgresql://"), isKeywordString(text):
		return place{"postgres", text}, nil
	case strings.HasPrefix(text, "dynamodb:"):
		return place{"dynamodb", strings.TrimPrefix(text, "dynamodb:")}, nil
	case strings.HasPrefix(text, "sqlite:"):
		return place{"sqlite", strings.TrimPrefix(text, "sqlite:")}, nil
	case text == "-":
		return place{"file", text}, nil
	}
	return placeOfFile(text)
}

// isKeywordString tells a libpq connection string, as in "host=db dbname=shop", from a path.
func isKeywordString(text string) bool {
	name, _, ok := strings.Cut(text, "=")
	switch strings.TrimSpace(name) {
	case "host", "hostaddr", "port", "dbname", "user", "password", "passfile", "service", "sslmode", "application_name", "connect_timeout", "options", "target_session_attrs", "sslrootcert", "sslcert", "sslkey":
		return ok
	}
	return false
}

func placeOfFile(path string) (place, error) {
	if strings.Contains(path, "://") {
		return place{}, &key.Problem{Code: key.CodeUsage, Message: "cannot read a source of the kind " + path[:strings.Index(path, "://")] + "://", Hint: "a SOURCE is postgres://…, dynamodb:TABLE, a SQLite or local D1 file, or a file that ends in " + endings}
	}
	_, format := file.SplitName(path)
	switch {
	case slices.Contains(file.Formats, format):
		return place{"file", path}, nil
	case format == "sql":
		return place{"dump", path}, nil
	}
	opened, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return place{}, key.NotFound("file", path, filesBeside(path))
	} else if err != nil {
		return place{}, &key.Problem{Code: key.CodePermission, Message: "opening the source", Hint: "run as a user who may read it", Err: err}
	}
	defer opened.Close()
	// An empty file is a valid SQLite database without tables.
	magic := make([]byte, 16)
	n, _ := io.ReadFull(opened, magic)
	if n == 0 && filepath.Ext(path) != "" || bytes.Equal(magic, []byte("SQLite format 3\x00")) {
		return place{"sqlite", path}, nil
	}
	return place{}, &key.Problem{Code: key.CodeBadInput, Message: path + " is neither a SQLite database nor a file that ends in " + endings, Hint: "name the file by what it holds, or give postgres://… for a server"}
}

// endings are those of files that can be read, for messages.
const endings = ".csv, .tsv, .jsonl, .json or .sql (.gz or .zst behind it)"

func filesBeside(path string) []string {
	entries, _ := os.ReadDir(filepath.Dir(path))
	var files []string
	for _, e := range entries {
		files = append(files, filepath.Join(filepath.Dir(path), e.Name()))
	}
	return files
}

// open opens a source for reading.
func (p *program) open(ctx context.Context, at place, o readOptions) (source.Source, error) {
	switch at.engine {
	case "postgres":
		return postgres.Open(ctx, at.at, postgres.Options{Jobs: o.jobs, Fast: o.fast, StatementTimeout: o.statementTimeout, Pace: o.pace})
	case "sqlite":
		return sqlite.Open(ctx, at.at, sqlite.Options{Pace: o.pace})
	case "dynamodb":
		return openItems(ctx, at.at, o)
	case "dump":
		return openDump(ctx, at.at, o.pace)
	default:
		return file.Open(ctx, at.at, p.stdin, file.Options{SkipBadLines: o.skipBadLines, Pace: o.pace})
	}
}

// openItems reads a table of DynamoDB into a copy, once it was told what that costs.
func openItems(ctx context.Context, table string, o readOptions) (source.Source, error) {
	options := dynamodb.Options{Segments: o.jobs, Pace: o.pace}
	if o.before != nil {
		options.Before = func(items, bytes int64) error {
			return o.before([]scan.Forecast{{Table: table, Bytes: bytes, Rows: items, Passes: 1, Served: true, Way: dynamodb.Way, Reason: dynamodb.WayReason}})
		}
	}
	return dynamodb.Open(ctx, table, options)
}

// openDump reads a dump of SQLite or D1, unpacked on the way.
func openDump(ctx context.Context, path string, pace *source.Pace) (source.Source, error) {
	text, err := file.OpenText(path)
	if err != nil {
		return nil, err
	}
	dump, err := sqlite.OpenDump(ctx, pace.Reader(ctx, text), path, sqlite.DumpOptions{MaxBytes: file.Room()})
	if err != nil {
		return nil, errors.Join(err, text.Close())
	}
	if err := text.Close(); err != nil {
		return nil, errors.Join(err, dump.Close())
	}
	return dump, nil
}
