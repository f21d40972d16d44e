package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
	"twinrow/remediate/apply"
	"twinrow/remediate/dialect"
	"twinrow/remediate/plan"
	"twinrow/report"
	"twinrow/report/progress"
)

func (p *program) cmdApply() *cli.Command {
	return command(cli.Command{
		Name:        "apply",
		Usage:       "carry the plan out: quarantine, delete, build the index",
		UsageText:   "twinrow apply CASE [SOURCE] [--dry-run] [--allow HAZARD,…] [--yes]",
		Description: "SOURCE left out is $DATABASE_URL, then the place that the case was scanned at.\nA plan that is online stops after the batch in hand at Ctrl-C, or when there is a file CASE/stop.\nBefore the first change all is done and taken back in a transaction that is rolled back (of an online plan 16 groups): where the way back is not open, nothing is changed.\nWhere triggers fire, what they add is shown after that, and each transaction is compared with it.\n\nEXAMPLE\n   twinrow apply incident --dry-run",
		Flags: []cli.Flag{
			boolFlag("dry-run", "do everything in a transaction and roll it back"),
			&cli.StringSliceFlag{Name: "allow", Usage: "consent to these `HAZARDS` of the plan, by name"},
			&cli.StringFlag{Name: "until", Usage: "stop after this `STEP`: " + strings.Join(apply.Untils, ", ") + " (what is left is done by the next apply)"},
			&cli.IntFlag{Name: "batch", Value: dialect.OnlineBatch, Usage: "remove at most this many `ROWS` in one transaction, where the plan is online; while other sessions are at work, 100 and five at a time"},
			&cli.DurationFlag{Name: "pause", Value: onlinePause, Usage: "lock and change nothing for this `LONG` between two batches; the next rows are looked at meanwhile; 0 rests for nobody"},
			&cli.DurationFlag{Name: "max-lag", Usage: "wait while a standby is further behind than this `LONG`, as 5s", DefaultText: "not looked at"},
			boolFlag("rescan", "look again at what drifted or arrived since the scan, plan it by the same rules and go on, at most three times"),
			yesFlag(),
			formatFlag("text", "text", "json"),
		},
		Action: func(c *cli.Context) error {
			opts, err := applyOptions(c)
			if err != nil {
				return err
			}
			return p.withPlan(c, func(w *planned) error {
				dry := opts.DryRun
				if _, err := plan.ParseHazards(c.StringSlice("allow")); err != nil {
					return err
				}
				if !dry {
					if err := w.plan.Consent(c.StringSlice("allow")); err != nil {
						return err
					}
					if err := p.confirm(c, w.question()); err != nil {
						return err
					}
				}
				p.tellIdle(c, w)
				opts.Progress = p.steps(c)
				opts.Agree = func(written []apply.Written) error { return p.agree(c, written) }
				result, err := p.carryOut(c, w, opts)
				return p.printResult(c, result, "cleaned", "removed", err)
			})
		},
	})
}

// onlinePause is the time between two batches that leaves the server room for
// the application's own work.
const onlinePause = 20 * time.Millisecond

func applyOptions(c *cli.Context) (apply.Options, error) {
	opts := apply.Options{Allow: c.StringSlice("allow"), DryRun: c.Bool("dry-run"), Until: c.String("until"), Batch: c.Int("batch"), Pause: c.Duration("pause"), MaxLag: c.Duration("max-lag")}
	switch {
	case opts.Until != "" && !slices.Contains(apply.Untils, opts.Until):
		return opts, oneOf("--until", opts.Until, apply.Untils)
	case opts.Batch < 1:
		return opts, &key.Problem{Code: key.CodeUsage, Message: "--batch must be 1 or more", Hint: "leave it out for " + report.Count(dialect.OnlineBatch, "row")}
	case opts.Pause < 0 || opts.MaxLag < 0:
		return opts, &key.Problem{Code: key.CodeUsage, Message: "--pause and --max-lag cannot be negative", Hint: "write them as 20ms or 5s"}
	}
	return opts, nil
}

func (p *program) cmdUndo() *cli.Command {
	return command(cli.Command{
		Name:        "undo",
		Usage:       "take back what the journal says was done",
		UsageText:   "twinrow undo CASE [SOURCE] [--yes]",
		Description: "EXAMPLE\n   twinrow undo incident --yes",
		Flags:       []cli.Flag{yesFlag(), formatFlag("text", "text", "json")},
		Action: func(c *cli.Context) error {
			return p.withPlan(c, func(w *planned) error {
				if err := p.confirm(c, "Put back the removed rows and drop the index that was built?"); err != nil {
					return err
				}
				result, err := p.takeBack(c.Context, w, apply.Options{Pause: onlinePause, Progress: p.steps(c)})
				return p.printResult(c, result, "restored", "put back", err)
			})
		},
	})
}

func (p *program) cmdVerify() *cli.Command {
	return command(cli.Command{
		Name:        "verify",
		Usage:       "see that no duplicate is left, the index holds, and nothing was lost",
		UsageText:   "twinrow verify CASE [SOURCE] [--format table|json]",
		Description: "EXAMPLE\n   twinrow verify incident",
		Flags:       []cli.Flag{formatFlag("table", "table", "json")},
		Action: func(c *cli.Context) error {
			return p.withPlan(c, func(w *planned) error {
				later, err := p.stages(w)
				if err != nil {
					return err
				}
				checked, err := apply.Verify(c.Context, w.target, w.opened, w.plan, later...)
				if err != nil {
					return err
				}
				return p.printChecks(c.String("format"), checked)
			})
		},
	})
}

// planned is a case with its plan and the database that it is about.
type planned struct {
	opened *casefile.Opened
	plan   *plan.Plan
	target apply.Target
	// where is the database, as the command line takes it.
	where string
}

// withPlan opens CASE and [SOURCE] for a verb.
func (p *program) withPlan(c *cli.Context, run func(*planned) error) error {
	args, err := operands(c, "CASE", "[SOURCE]")
	if err != nil {
		return err
	}
	if _, err := chosenFormat(c, "text", "table", "json"); err != nil {
		return err
	}
	w, err := p.openPlanned(c.Context, args[0], args[1])
	if err != nil {
		return err
	}
	defer w.target.Close()
	for _, file := range w.plan.Edited(w.opened.Dir) {
		p.say(c, "%s was changed since the plan was made; twinrow goes by plan.json and not by that file", file)
	}
	return run(w)
}

func (p *program) openPlanned(ctx context.Context, dir, source string) (*planned, error) {
	opened, err := casefile.Open(dir)
	if err != nil {
		return nil, err
	}
	made, err := plan.Read(dir)
	if err != nil {
		return nil, err
	}
	where, err := p.placeOf(opened, source)
	if err != nil {
		return nil, err
	}
	target, err := apply.Open(ctx, made.Engine, where)
	if err != nil {
		return nil, err
	}
	return &planned{opened, made, target, where}, nil
}

// placeOf finds the database of a case: as named, as the configuration has it
// that it was scanned by, as $DATABASE_URL has it, or where the case was
// scanned. One of another engine is refused here, another database of that
// engine by apply.
func (p *program) placeOf(opened *casefile.Opened, source string) (string, error) {
	rules, err := p.configOf(opened)
	if err != nil {
		return "", err
	}
	if source == "" && rules != nil && opened.Config.Source {
		if source, err = rules.Source(); err != nil {
			return "", err
		}
	}
	if _, set := p.getenv("DATABASE_URL"); source == "" && !set {
		if at, err := p.place(opened.Source.Location); err == nil && at.engine == "dump" {
			return "", &key.Problem{Code: key.CodeUsage, Message: "the case is of a dump, which cannot be changed", Hint: "name the database that the dump was made of, as in `twinrow apply CASE shop.db`"}
		}
		return opened.Source.Location, nil
	}
	at, err := p.place(source)
	if err != nil {
		return "", err
	}
	want := opened.Source.Engine
	if want == "d1" {
		want = "sqlite"
	}
	if at.engine != want {
		return "", &key.Problem{Code: key.CodeUsage, Message: "the case is of a " + opened.Source.Engine + " source, and " + at.engine + " was named", Hint: "name the database that was scanned, or unset DATABASE_URL"}
	}
	return at.at, nil
}

// tellIdle names the flags of an online plan that do nothing for this one.
func (p *program) tellIdle(c *cli.Context, w *planned) {
	if slices.ContainsFunc(w.plan.Tables, func(t plan.Table) bool { return t.Strategy == plan.Online }) {
		return
	}
	for _, flag := range []string{"batch", "pause", "max-lag"} {
		if c.IsSet(flag) {
			p.say(c, "--%s does nothing here: the plan is atomic, each table in one transaction", flag)
		}
	}
}

// question says what a yes would set going.
func (w *planned) question() string {
	var parts []string
	for i := range w.plan.Tables {
		t := &w.plan.Tables[i]
		if len(t.Set) > 0 {
			parts = append(parts, fmt.Sprintf("set %s of %s", report.Count(t.SetRows(), "row"), t.Table))
			continue
		}
		parts = append(parts, fmt.Sprintf("remove %s of %s", report.Count(t.Removed(), "row"), t.Table))
	}
	return upperFirst(strings.Join(parts, ", ")) + "?"
}

// steps tells a person what a run does, on request, and how far long work is.
type steps struct {
	*progress.Line
	p *program
	c *cli.Context
}

func (p *program) steps(c *cli.Context) steps { return steps{p.progress(c), p, c} }

func (s steps) Step(table, what string) {
	if s.c.Bool("verbose") {
		s.p.say(s.c, "%s: %s", table, what)
	}
}

// printResult shows what a run did; it is there beside an error that stopped it.
func (p *program) printResult(c *cli.Context, result *apply.Result, groupsWord, rowsWord string, err error) error {
	if result == nil || err != nil && c.String("format") == "json" {
		return err
	}
	if c.String("format") == "json" {
		return p.writeJSON(result)
	}
	if len(result.Tables) == 0 && err == nil {
		fmt.Fprintln(p.stdout, "nothing to take back: the journal says that nothing is done")
	}
	for _, t := range result.Tables {
		switch {
		case t.Already:
			fmt.Fprintf(p.stdout, "%s: nothing left to do, it was done before\n", oneLine(t.Name))
			continue
		case result.DryRun:
			fmt.Fprintf(p.stdout, "%s, rehearsed and rolled back: ", oneLine(t.Name))
		default:
			fmt.Fprintf(p.stdout, "%s: ", oneLine(t.Name))
		}
		did := rowsWord
		if t.Set && did == "removed" {
			did = "set"
		}
		fmt.Fprintf(p.stdout, "%s %s, %s %s", report.Count(t.Groups, "group"), groupsWord, report.Count(t.Rows, "row"), did)
		if t.Index != "" {
			fmt.Fprintf(p.stdout, ", index %s", oneLine(t.Index))
		}
		fmt.Fprintln(p.stdout)
		if t.Healed != "" {
			fmt.Fprintf(p.stdout, "  %s; it was dropped and built again\n", oneLine(t.Healed))
		}
		for _, d := range t.Drifted {
			fmt.Fprintf(p.stdout, "  group %d left alone: row %s is %s\n", d.Group, oneLine(d.Row), d.State)
		}
		for _, late := range t.Late {
			fmt.Fprintf(p.stdout, "  %s of %s came to name a removed row while this was at work, which no constraint forbids; `twinrow verify` looks for them\n", report.Count(late.Rows, "row"), oneLine(late.Table))
		}
		for _, name := range slices.Sorted(maps.Keys(t.ByTriggers)) {
			fmt.Fprintf(p.stdout, "  triggers added %s to %s, which an undo leaves there\n", report.Count(int(t.ByTriggers[name]), "row"), oneLine(name))
		}
		if t.Held > 0 {
			fmt.Fprintf(p.stdout, "  held back by the plan: %s\n", report.Count(t.Held, "group"))
		}
	}
	return err
}

// printChecks shows the checks and makes a failed one the exit status.
func (p *program) printChecks(format string, checked *apply.Report) error {
	if format == "json" {
		document := struct {
			*apply.Report
			OK bool `json:"ok"`
		}{checked, checked.OK()}
		if err := p.writeJSON(document); err != nil {
			return err
		}
	} else {
		for _, check := range checked.Checks {
			mark := "ok    "
			if !check.OK {
				mark = "FAILED"
			}
			fmt.Fprintf(p.stdout, "%s  %s: %s (%s)\n", mark, oneLine(check.Table), check.Name, oneLine(check.Detail))
		}
	}
	if !checked.OK() {
		return &failedCheck{exitCheckFailed}
	}
	return nil
}

// agree shows what triggers will write, as a rehearsal found it, and asks.
func (p *program) agree(c *cli.Context, written []apply.Written) error {
	for _, w := range written {
		p.say(c, "%s: triggers write to %s: %s", oneLine(w.Entry), oneLine(w.Table), oneLine(w.Foretold))
	}
	return p.confirm(c, "Go on, though an undo leaves what triggers write?")
}

func upperFirst(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
