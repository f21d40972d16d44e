package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/detect/classify"
	"twinrow/detect/key"
	"twinrow/detect/scan"
	"twinrow/detect/source"
	"twinrow/report"
)

const watchHelp = `Looks at the rows from a mark on, whose column --by has grown since, and looks each of their
keys up in the whole table, so that a new row that repeats an old one is found too. A group
that grows is said again. Holds no snapshot between two looks.

A row is seen if it is committed within --overlap after it got its value of the column. One
that is put in later under an old id or time, or whose column is NULL, is not: scan finds it.
Give --overlap more than the longest transaction that writes to the table takes, and more
than the clocks of the application's hosts differ where the column is a time of theirs.

An index that begins with the column makes a look cheap, one with a part of the key as well;
where there is none, it is said. In Postgres the second may be missing: then the table is read
once at the start, and the fingerprints of its keys, 10 bytes a row, are kept in --memory. A
new row is compared with the table only where its fingerprint was there before: at the place
where the other row was, and where that is gone or moved by one reading of the table. An old
row then counts with the key that it had at the start: one whose key is changed later, or that
is put in under an old id or time, is not compared with those after it; scan finds it. Past
--memory whenever there are new rows the whole table is read. Started anew, it reads anew.
A damaged index may hide a group here: scan trusts none.

As a gate after a deploy: --for 10m --exit-code ends with 0 or 1.

EXAMPLE
   twinrow watch postgres://localhost/shop --table tickets \
     --key payment_intent_id,ticket_number --time created_at`

func (p *program) cmdWatch() *cli.Command {
	return command(cli.Command{
		Name:        "watch",
		Usage:       "look at what is new again and again, and print a line for each new group",
		UsageText:   "twinrow watch [SOURCE] --table T --key A,B [FLAG…]",
		Description: watchHelp,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "table", Usage: "`TABLE` to watch"},
			&cli.StringFlag{Name: "key", Usage: "`COLUMNS` or SQL expressions that must be unique together, as in a,lower(b)"},
			&cli.StringFlag{Name: "time", Usage: "`COLUMN` that says when a row was written"},
			&cli.StringFlag{Name: "id", Usage: "`COLUMNS` that identify a row (default: the primary key)"},
			&cli.StringFlag{Name: "by", Usage: "`COLUMN` that grows with every new row (default: the time, else the id)"},
			&cli.StringFlag{Name: "where", Usage: "SQL `PREDICATE` for the rows that the key speaks of"},
			&cli.StringFlag{Name: "nulls", Value: "distinct", Usage: "`POLICY` for NULL in a key: distinct, or not-distinct"},
			&cli.DurationFlag{Name: "every", Value: 30 * time.Second, Usage: "`PAUSE` between two looks"},
			&cli.DurationFlag{Name: "overlap", Value: time.Minute, Usage: "`TIME` in which a row is still seen that was committed late"},
			&cli.DurationFlag{Name: "for", Usage: "stop after this `TIME`", DefaultText: "never"},
			&cli.StringFlag{Name: "since", Usage: "`VALUE` of the column to begin at, saying the groups from there on (default: now)"},
			&cli.DurationFlag{Name: "race-window", Value: classify.DefaultWindows.Race, Usage: "widest `GAP` that is a race"},
			&cli.DurationFlag{Name: "resubmit-window", Value: classify.DefaultWindows.Resubmit, Usage: "widest `GAP` that is a resubmit"},
			&cli.DurationFlag{Name: "retry-horizon", Value: classify.DefaultWindows.Horizon, Usage: "widest `GAP` that is a retry"},
			&cli.StringFlag{Name: "provider", Usage: "try the retry schedule of `NAME` alone (default: all that are known)"},
			&cli.DurationFlag{Name: "statement-timeout", Value: time.Minute, Usage: "longest `TIME` for one statement"},
			&cli.StringFlag{Name: "memory", Value: "512MiB", Usage: "`SIZE` that fingerprints may take, where no index begins with a part of the key"},
			&cli.StringFlag{Name: "throttle", Usage: "read the table for them at most at `SIZE/s`, as in 50MB/s"},
			&cli.StringFlag{Name: "max-read", Usage: "refuse to read more than `SIZE` for them without --yes"},
			boolFlag("yes", "read more than --max-read"),
			boolFlag("exit-code", "stop at the first new group and exit 1"),
			formatFlag("table", "table", "json"),
		},
		Action: func(c *cli.Context) error {
			args, err := operands(c, "[SOURCE]")
			if err != nil {
				return err
			}
			return p.watch(c, args[0])
		},
	})
}

func (p *program) watch(c *cli.Context, named string) error {
	w, request, err := p.watchRequest(c)
	if err != nil {
		return err
	}
	at, err := p.place(named)
	if err != nil {
		return err
	}
	bounds, err := limitsOf(c)
	if err != nil {
		return err
	}
	if w.Memory, err = memoryFlag(c); err != nil {
		return err
	}
	w.Before, w.Progress = p.foresee(c, bounds), p.progress(c)
	src, err := p.open(c.Context, at, readOptions{jobs: 2, statementTimeout: c.Duration("statement-timeout"), pace: source.NewPace(bounds.throttle)})
	if err != nil {
		return err
	}
	defer src.Close()
	// The fingerprints are one large block: garbage may not grow to as much again.
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	defer func() { _ = w.Close() }()
	if err := w.Start(c.Context, src, request, c.String("by")); err != nil {
		return err
	}
	return w.Run(c.Context)
}

// watchRequest is what the flags ask for.
func (p *program) watchRequest(c *cli.Context) (*scan.Watch, source.Request, error) {
	request, err := scanRequest(c)
	if err != nil {
		return nil, request, err
	}
	format, err := chosenFormat(c, "table", "json")
	if err != nil {
		return nil, request, err
	}
	for _, flag := range []string{"every", "overlap", "for", "statement-timeout"} {
		if d := c.Duration(flag); d < 0 || d == 0 && flag == "every" {
			return nil, request, &key.Problem{Code: key.CodeUsage, Message: fmt.Sprintf("--%s %v is no time to wait", flag, d), Hint: "write it as in --" + flag + " 30s"}
		}
	}
	schedules, err := classify.ChooseSchedules(c.String("provider"), "")
	w := &scan.Watch{
		Every: c.Duration("every"), Overlap: c.Duration("overlap"), For: c.Duration("for"), Since: source.Mark{Text: c.String("since")},
		Windows:   classify.Windows{Race: c.Duration("race-window"), Resubmit: c.Duration("resubmit-window"), Horizon: c.Duration("retry-horizon")},
		Schedules: schedules,
		Said:      func(message string) { p.say(c, "%s", message) },
	}
	w.Found = func(g *casefile.Group, grown bool) error {
		if err := p.printNewGroup(g, grown, format); err != nil {
			return err
		}
		if c.Bool("exit-code") {
			return &failedCheck{exitCheckFailed}
		}
		return nil
	}
	return w, request, err
}

// newGroup is one line of `watch --format json`.
type newGroup struct {
	Schema string `json:"schema"`
	// SeenAt is RFC 3339 in UTC, by this machine's clock.
	SeenAt string `json:"seen_at"`
	Table  string `json:"table"`
	// Grown is true where the group was there at the look before, with fewer rows.
	Grown    bool              `json:"grown"`
	Key      casefile.Fields   `json:"key"`
	Class    casefile.Class    `json:"class"`
	Strength casefile.Strength `json:"strength"`
	SpanUS   *int64            `json:"span_us"`
	Reasons  []string          `json:"reasons"`
	Rows     []newGroupRow     `json:"rows"`
}

type newGroupRow struct {
	ID   casefile.Fields `json:"id"`
	Time *string         `json:"time"`
}

// printNewGroup writes one line, for a person or as one JSON document.
func (p *program) printNewGroup(g *casefile.Group, grown bool, format string) error {
	seen := p.now().UTC()
	if format == "json" {
		line := newGroup{
			Schema: "twinrow/watch/v1", SeenAt: seen.Format(time.RFC3339), Table: g.Table, Grown: grown, Key: g.Key,
			Class: g.Class, Strength: g.Strength, SpanUS: g.SpanUS, Reasons: g.Reasons,
		}
		for _, row := range g.Rows {
			line.Rows = append(line.Rows, newGroupRow{row.ID, row.Time})
		}
		encoder := json.NewEncoder(p.stdout)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(line)
	}
	what := "new group"
	if grown {
		what = "grown group"
	}
	ids := make([]string, len(g.Rows))
	for i, row := range g.Rows {
		ids[i] = report.Values(row.ID, ", ")
	}
	if len(ids) > 10 {
		ids = append(ids[:10], fmt.Sprintf("and %d more", len(g.Rows)-10))
	}
	span := ""
	if g.SpanUS != nil {
		span = ", " + report.Duration(*g.SpanUS)
	}
	_, err := fmt.Fprintln(p.stdout, oneLine(fmt.Sprintf("%s  %s  %s  %s: %s, %s%s, rows %s",
		seen.Format("2006-01-02 15:04:05"), what, g.Table, report.Values(g.Key, " · "), g.Class, g.Strength, span, strings.Join(ids, " → "))))
	return err
}
