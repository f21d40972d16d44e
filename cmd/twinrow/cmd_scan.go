package main

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/detect/casefile/config"
	"twinrow/detect/classify"
	"twinrow/detect/key"
	"twinrow/detect/scan"
	"twinrow/detect/source"
	"twinrow/detect/source/file"
)

// scanOptions is what `scan` was asked.
type scanOptions struct {
	source  place
	read    readOptions
	entries []scan.Entry
	// config is nil where flags said everything.
	config *config.File
	// configSource is the source that config names, "" where SOURCE overrides it.
	configSource string
	windows      classify.Windows
	// schedules are those that gaps are tried against.
	schedules []classify.Schedule
	keyLab    bool
	memory    int64
	limits    limits
	dir       string
	format    string
	// failOnFound is --exit-code.
	failOnFound bool
}

func (p *program) cmdScan() *cli.Command {
	return command(cli.Command{
		Name:        "scan",
		Usage:       "find the rows with one key, classify them, and write a case",
		UsageText:   "twinrow scan [SOURCE] --key A,B [FLAG…]\n   twinrow scan [SOURCE] --config twinrow.yaml [FLAG…]",
		Description: "EXAMPLE\n   twinrow scan postgres://localhost/shop --table tickets \\\n     --key payment_intent_id,ticket_number --time created_at --email customer_email\n\n" + configHelp,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "table", Usage: "`TABLE` to scan; a file of CSV or JSON lines is one table by itself"},
			&cli.StringFlag{Name: "config", Usage: "scan the tables of this `FILE` in one snapshot; it says what the flags of a table say otherwise"},
			&cli.StringFlag{Name: "key", Usage: "`COLUMNS` or SQL expressions that must be unique together, as in a,lower(b)"},
			&cli.StringFlag{Name: "time", Usage: "`COLUMN` that says when a row was written"},
			&cli.StringFlag{Name: "id", Usage: "`COLUMNS` that identify a row (default: the primary key)"},
			&cli.StringFlag{Name: "where", Usage: "SQL `PREDICATE` for the rows that the key speaks of, as of a partial index"},
			&cli.StringFlag{Name: "nulls", Value: "distinct", Usage: "`POLICY` for NULL in a key: distinct, or not-distinct"},
			&cli.StringFlag{Name: "email", Usage: "`COLUMN` of customers' addresses (default: the one whose name says so); none for no column"},
			&cli.StringFlag{Name: "name", Usage: "`COLUMN` of customers' names (default: the one that goes with the address)"},
			&cli.StringFlag{Name: "amount", Usage: "`COLUMN` of amounts"},
			&cli.StringFlag{Name: "ignore", Usage: "`COLUMNS` not to compare between copies"},
			&cli.DurationFlag{Name: "race-window", Value: classify.DefaultWindows.Race, Usage: "widest `GAP` that is a race"},
			&cli.DurationFlag{Name: "resubmit-window", Value: classify.DefaultWindows.Resubmit, Usage: "widest `GAP` that is a resubmit"},
			&cli.DurationFlag{Name: "retry-horizon", Value: classify.DefaultWindows.Horizon, Usage: "widest `GAP` that is a retry"},
			&cli.StringFlag{Name: "provider", Usage: "try the retry schedule of `NAME` alone, as svix or stripe (default: all that are known)"},
			&cli.StringFlag{Name: "schedules", Usage: "YAML `FILE` of retry schedules of your own, tried beside those that are known"},
			boolFlag("key-lab", "count what other keys would find though the table has more than 100,000 rows; reads its keys once more"),
			&cli.StringFlag{Name: "case", Usage: "`DIR` for the case (default: one named by table and time)"},
			&cli.IntFlag{Name: "jobs", Value: 2, Usage: "`N` connections to read with"},
			&cli.StringFlag{Name: "memory", Value: "512MiB", Usage: "`SIZE` that fingerprints may take; past it the table is read in passes"},
			boolFlag("fast", "read packed ranges though they may evict the application's pages"),
			&cli.DurationFlag{Name: "statement-timeout", Value: time.Hour, Usage: "longest `TIME` for one statement"},
			&cli.StringFlag{Name: "throttle", Usage: "read at most `SIZE/s`, as in 50MB/s"},
			&cli.StringFlag{Name: "max-read", Usage: "refuse to read more than `SIZE`, all readings together, without --yes"},
			&cli.DurationFlag{Name: "max-snapshot-age", Value: 12 * time.Hour, Usage: "stop after `TIME`, because a database cannot clean up what the scan still sees; 0 for no bound"},
			boolFlag("yes", "read more than --max-read"),
			boolFlag("skip-bad-lines", "count the lines of a file that cannot be read instead of stopping there"),
			boolFlag("exit-code", "exit 1 where duplicates were found"),
			formatFlag("table", "table", "json"),
		},
		Action: func(c *cli.Context) error {
			options, err := p.scanOptions(c)
			if err != nil {
				return err
			}
			return p.scan(c, options)
		},
	})
}

func (p *program) scanOptions(c *cli.Context) (*scanOptions, error) {
	args, err := operands(c, "[SOURCE]")
	if err != nil {
		return nil, err
	}
	o := &scanOptions{
		read:        readOptions{jobs: c.Int("jobs"), fast: c.Bool("fast"), statementTimeout: c.Duration("statement-timeout"), skipBadLines: c.Bool("skip-bad-lines")},
		windows:     classify.Windows{Race: c.Duration("race-window"), Resubmit: c.Duration("resubmit-window"), Horizon: c.Duration("retry-horizon")},
		dir:         c.String("case"),
		keyLab:      c.Bool("key-lab"),
		failOnFound: c.Bool("exit-code"),
	}
	if o.format, err = chosenFormat(c, "table", "json"); err != nil {
		return nil, err
	}
	if err := p.whatToScan(c, o, args[0]); err != nil {
		return nil, err
	}
	if err := o.windows.Check(); err != nil {
		return nil, err
	}
	if o.read.jobs < 1 {
		return nil, &key.Problem{Code: key.CodeUsage, Message: "--jobs is less than 1", Hint: "give the number of connections to read with, as in --jobs 2"}
	}
	if o.memory, err = memoryFlag(c); err != nil {
		return nil, err
	}
	if o.limits, err = limitsOf(c); err != nil {
		return nil, err
	}
	o.read.pace = source.NewPace(o.limits.throttle)
	o.source, err = p.place(cmp.Or(args[0], o.configSource))
	return o, err
}

func memoryFlag(c *cli.Context) (int64, error) {
	bytes, err := humanize.ParseBytes(c.String("memory"))
	if err != nil || bytes < 1<<20 {
		return 0, &key.Problem{Code: key.CodeUsage, Message: "--memory " + c.String("memory") + " is no size of 1 MiB or more", Hint: "write it as in --memory 256MiB"}
	}
	return int64(bytes), nil
}

func (p *program) scan(c *cli.Context, o *scanOptions) error {
	opened, err := p.scanInto(c.Context, o, p.progress(c), p.foresee(c, o.limits))
	if err != nil {
		return err
	}
	for i := range opened.Tables {
		p.sayFindings(c, &opened.Tables[i], o.entries[i].Request.Email)
	}
	p.say(c, "case written to %s", opened.Dir)
	if err := p.printReport(opened, o.format); err != nil {
		return err
	}
	if o.failOnFound && opened.Evidence.Groups > 0 {
		return &failedCheck{exitCheckFailed}
	}
	return nil
}

// scanInto scans and writes the case, whole or not at all. The place of the
// case is made first, so that a scan of an hour does not end at a wrong name.
func (p *program) scanInto(ctx context.Context, o *scanOptions, progress scan.Progress, before func([]scan.Forecast) error) (*casefile.Opened, error) {
	// The fingerprints are one large block without pointers: garbage may not
	// grow to as much again before it is collected.
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	if o.source.engine == "dynamodb" { // which is read while it is opened
		o.read.before, before = before, nil
	}
	src, err := p.open(ctx, o.source, o.read)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	dir := o.dir
	if dir == "" {
		dir = caseName(o.subject(src), p.now())
	}
	writer, err := casefile.Create(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = writer.Abort() }()
	result, err := scan.Run(ctx, src, o.entries, scan.Options{
		Windows: o.windows, Memory: o.memory, Progress: progress, Schedules: o.schedules, KeyLab: o.keyLab, Now: p.now(),
		MaxSnapshotAge: o.limits.maxAge, Before: before,
	})
	if err != nil {
		return nil, err
	}
	for _, g := range result.Groups {
		if err := writer.Add(g); err != nil {
			return nil, err
		}
	}
	document := result.Case(src, tool(), p.now())
	if o.config != nil {
		document.Config = &casefile.Config{SHA256: casefile.Digest(o.config.Text), Source: o.configSource != ""}
		if err := writer.AddFile(casefile.ConfigName, o.config.Text); err != nil {
			return nil, err
		}
	}
	if err := writer.Commit(document); err != nil {
		return nil, err
	}
	return casefile.Open(dir)
}

// sayFindings tells what a person should know beside the report itself.
// asked is the column of addresses that was asked for.
func (p *program) sayFindings(c *cli.Context, t *casefile.Table, asked string) {
	if t.Email != "" && asked == "" {
		column, how := t.Email, "--email"
		if c.IsSet("config") {
			column, how = t.Name+"."+t.Email, "`email:`"
		}
		p.say(c, "customers are counted by the column %s (%s names another, or none)", column, how)
	}
	if c.Bool("verbose") {
		p.say(c, "read in the way called %s: %s", t.Way, t.WayReason)
	}
	if len(t.UniqueBy) > 0 && t.Totals.Groups == 0 {
		p.say(c, "the key is already unique by %s; scanned anyway", strings.Join(t.UniqueBy, ", "))
	}
	if t.ScannedRows == 0 {
		p.say(c, "%s has no rows", t.Table)
	}
	for _, caveat := range t.Caveats {
		p.say(c, "mind: %s", caveat)
	}
	if t.BadLines > 0 {
		p.say(c, "skipped %d lines that could not be read", t.BadLines)
	}
	if t.Untimed != nil {
		first := "NULL"
		if t.Untimed.First != nil {
			first = fmt.Sprintf("%q", *t.Untimed.First)
		}
		p.say(c, "%d rows have no usable time in %s; the first such value is %s", t.Untimed.Rows, t.Time, first)
	}
}

// subject is what a case is named by: the table that was asked for, or the
// database where there are several; a file is one table by itself, named
// without its ending.
func (o *scanOptions) subject(src source.Source) string {
	if o.source.engine == "file" || len(o.entries) > 1 {
		name, _ := file.SplitName(src.Info().Database)
		return name
	}
	return o.entries[0].Request.Table
}

// caseName is the default directory: the table, without its schema, and the
// time in UTC.
func caseName(table string, now time.Time) string {
	plain := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, table[strings.LastIndex(table, ".")+1:])
	return path.Clean("twinrow-" + plain + "-" + now.UTC().Format("20060102T150405.000Z"))
}

func tool() casefile.Tool { return casefile.Tool{Name: "twinrow", Version: version} }
