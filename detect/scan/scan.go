// Package scan is the engine: it carries a fingerprint of every row's key
// away from a source, finds the ones that repeat in its own memory, fetches
// only those rows and groups them by the database's own equality, so that a
// collision of fingerprints never makes a wrong group.
//
// It must not know any particular engine, nor what is done with a group.
package scan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/classify"
	"twinrow/detect/key"
	"twinrow/detect/source"
)

// Options bound a scan.
type Options struct {
	Windows classify.Windows
	// Memory is the most bytes that fingerprints may take; past it the table
	// is read in passes. 0 means DefaultMemory.
	Memory int64
	// Schedules are the providers' that gaps are tried against; nil tries all known.
	Schedules []classify.Schedule
	// KeyLab tries other keys whatever the table's size; else only where it
	// has few rows.
	KeyLab bool
	// Now is the time of the scan, after which a row's time is in the future;
	// zero means the clock's.
	Now time.Time
	// MaxSnapshotAge ends the scan when it has taken longer; 0 does not.
	MaxSnapshotAge time.Duration
	// Before is told what will be read, before it is; its error ends the scan.
	// nil asks for no forecast.
	Before func([]Forecast) error
	// Progress hears how far the scan is; nil is silence.
	Progress Progress

	// narrow keeps only these bits of a fingerprint, so that a test can force
	// collisions; 0 keeps all.
	narrow uint64
}

// DefaultMemory holds the fingerprints of about 50 million rows.
const DefaultMemory = 512 << 20

// Progress hears how far a scan is.
type Progress interface {
	// Start begins a piece of work of total rows; 0 where that is not known.
	Start(label string, total int64)
	// Add counts rows done.
	Add(rows int64)
	// Done ends the piece.
	Done()
}

// Entry is one table to scan. A table may stand in several entries, each with
// a predicate of its own.
type Entry struct {
	// Name tells the entry apart in the case. Where it is empty, it is
	// Request.Name if the table stands in several entries and has no such
	// column, else the table's own name, with a number where that is taken.
	Name    string
	Request source.Request
	// Place is where the entry was written, for errors; "" where it is the only one.
	Place string
	// Schedules are those that gaps are tried against; nil takes those of Options.
	Schedules []classify.Schedule
}

// Result is what a scan of all its entries saw.
type Result struct {
	Tables []casefile.Table
	// Groups are in order of entry, then first time, then key.
	Groups []*casefile.Group
}

// Run scans the entries in the source's one snapshot. All are resolved before
// the first is read, so that a wrong name in the last does not cost an hour.
func Run(ctx context.Context, src source.Source, entries []Entry, opts Options) (*Result, error) {
	if err := opts.Windows.Check(); err != nil {
		return nil, err
	}
	if opts.Memory == 0 {
		opts.Memory = DefaultMemory
	}
	if opts.Schedules == nil {
		opts.Schedules = classify.Providers()
	}
	if opts.Now.IsZero() {
		opts.Now = time.Now()
	}
	if opts.Progress == nil {
		opts.Progress = silence{}
	}
	ctx, stop := bounded(ctx, src.Info().Engine, opts.MaxSnapshotAge)
	defer stop()
	result, err := run(ctx, src, entries, opts)
	if old, ok := errors.AsType[*key.Problem](context.Cause(ctx)); ok && err != nil {
		return nil, old
	}
	return result, err
}

func run(ctx context.Context, src source.Source, entries []Entry, opts Options) (*Result, error) {
	inspected, err := inspect(ctx, src, entries)
	if err != nil {
		return nil, err
	}
	if opts.Before != nil {
		ahead, err := forecast(ctx, src, inspected, opts)
		if err != nil {
			return nil, err
		}
		if err := opts.Before(ahead); err != nil {
			return nil, err
		}
	}
	result := &Result{}
	for i := range inspected {
		if err := result.scan(ctx, src, &inspected[i], inspected, opts); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func (r *Result) scan(ctx context.Context, src source.Source, in *inspected, all []inspected, opts Options) error {
	if in.schedules != nil {
		opts.Schedules = in.schedules
	}
	e := &engine{src: src, table: in.table, way: src.Capabilities(in.table), opts: opts, entries: all}
	if err := e.find(ctx); err != nil {
		return fmt.Errorf("scanning %s: %w", in.name, err)
	}
	document, groups, err := e.document(ctx, in.name)
	if err != nil {
		return fmt.Errorf("asking about the rows of %s: %w", in.name, err)
	}
	if remarker, ok := src.(source.Remarker); ok {
		document.Caveats = remarker.Caveats()
	}
	r.Tables = append(r.Tables, document)
	r.Groups = append(r.Groups, groups...)
	return nil
}

type silence struct{}

func (silence) Start(string, int64) {}
func (silence) Add(int64)           {}
func (silence) Done()               {}
