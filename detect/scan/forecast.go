package scan

import (
	"context"
	"fmt"
	"time"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// Forecast is what a table's reading will cost, told before it starts.
type Forecast struct {
	// Table is the canonical name.
	Table string
	// Bytes are read in one pass; Rows and Bytes are the catalogue's guess and 0
	// where it has none.
	Bytes, Rows int64
	// Passes is how often the table is read for its fingerprints.
	Passes int64
	// Again is about how many bytes are read once more if a key repeats.
	Again int64
	// Besides is about how many bytes all passes read beside their one reading,
	// and Why what for.
	Besides int64
	Why     string
	// Unsized is true where Bytes are not all that is read, Unpaced where the
	// reading cannot be held back.
	Unsized, Unpaced bool
	// Expected is what all of this takes by a short trial, 0 where none was made.
	Expected time.Duration
	// Served is true where a server reads the table, whose people should know.
	Served bool
	// Tried is true where there was a trial, or the table is too small for one.
	Tried bool
	// Way and Reason are those of source.Capabilities.
	Way, Reason string
}

// Reads is about how many bytes are read in all, if a key repeats.
func (f *Forecast) Reads() int64 { return f.Bytes*f.Passes + f.Besides + f.Again }

// forecast looks ahead for each table, reading no more than some megabytes of it.
func forecast(ctx context.Context, src source.Source, entries []inspected, opts Options) ([]Forecast, error) {
	var all []Forecast
	for _, in := range entries {
		way := src.Capabilities(in.table)
		e := &engine{table: in.table, opts: opts}
		f := Forecast{Table: in.table.Name, Bytes: in.table.Bytes, Rows: in.table.EstimatedRows, Passes: 1, Way: way.Way, Reason: way.Reason}
		if !way.FindsRepeats {
			f.Passes = int64(e.foreseenPasses())
		}
		if trier, ok := src.(source.Trier); ok {
			f.Served = true
			trial, err := trier.Try(ctx, in.table)
			if err != nil {
				return nil, err
			}
			f.Expected, f.Tried, f.Again = trial.Took*time.Duration(f.Passes), trial.Told, trial.Again
			f.Expected += time.Duration(float64(trial.Took) * float64(f.Again) / float64(max(f.Bytes, 1)))
			f.Besides, f.Why, f.Unsized, f.Unpaced = trial.Each*f.Passes, trial.Why, trial.Unsized, trial.Unpaced
		}
		all = append(all, f)
	}
	return all, nil
}

// bounded ends a scan when its snapshot is too old. age is 0 for no bound.
func bounded(ctx context.Context, engine string, age time.Duration) (context.Context, context.CancelFunc) {
	if age <= 0 {
		return context.WithCancel(ctx)
	}
	held, faster := holdsBack(engine)
	return context.WithTimeoutCause(ctx, age, &key.Problem{
		Code:    key.CodeStopped,
		Message: fmt.Sprintf("the scan took longer than --max-snapshot-age %s%s", age, held),
		Hint:    "nothing was changed and no case was written; " + faster + ", or raise --max-snapshot-age",
	})
}

// holdsBack says what an old snapshot of an engine harms, and how to read faster.
func holdsBack(engine string) (held, faster string) {
	switch engine {
	case "postgres":
		return ", and the server can clean up nothing that its snapshot still sees",
			"scan less at once with --where, read faster without --throttle or with --fast and more --jobs, scan a standby"
	case "sqlite", "d1":
		return ", and the database's write-ahead log grows for as long as it is read", "scan less at once with --where, read faster without --throttle, scan a copy"
	default:
		return "", "read faster without --throttle"
	}
}
