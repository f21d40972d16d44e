// Package table writes a report for a terminal: what whoever is on call reads
// at three in the morning. It is the only importer of tablewriter, and knows
// nothing but the document.
package table

import (
	"fmt"
	"io"
	"strings"

	"twinrow/report"
)

// Options say how the terminal is.
type Options struct {
	// Width in columns; 0 is 80, and less than 72 counts as 72.
	Width int
	// Lines is about how many lines there may be: 0 is all that there is to say.
	Lines int
	// Color is true where escape sequences for colour are wanted.
	Color bool
}

const (
	// maxGroups is how many groups of a table are printed.
	maxGroups = 20
	// maxReasons is how many groups are few enough to give the reasons of each.
	maxReasons = 5
	// maxUnknown is how many things that could not be known are printed.
	maxUnknown = 6
)

// Render writes the document. Values are shortened to fit, and what a terminal
// would act on is shown as an escape.
func Render(w io.Writer, doc *report.Document, opts Options) error {
	p := newPage(opts)
	write := p.all
	if opts.Lines > 0 {
		write = func(doc *report.Document) error { return p.firstScreen(doc, opts.Lines) }
	}
	if err := write(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, p.text.String())
	return err
}

// all writes everything that is written for a terminal.
func (p *page) all(doc *report.Document) error {
	for i := range doc.Tables {
		if i > 0 {
			p.line("")
		}
		if err := p.table(doc, &doc.Tables[i]); err != nil {
			return err
		}
	}
	p.checks(doc)
	var events []string
	for _, e := range doc.Timeline {
		events = append(events, report.Instant(&e.At)+": "+e.Text)
	}
	p.list("Timeline (UTC)", events)
	p.next(doc)
	p.masked(doc)
	return nil
}

func (p *page) table(doc *report.Document, t *report.Table) error {
	p.headline(t)
	for _, a := range t.Answers {
		if a.Question != report.WhatHappened {
			p.label(a.Question, a.Text(), maxLines)
		}
	}
	p.label("Looked at", read(t), maxLines)
	if len(t.Groups) == 0 {
		p.facts(t)
		return nil
	}
	p.line("")
	shown := t.Groups[:min(len(t.Groups), maxGroups)]
	if err := p.some(doc, t, len(shown)); err != nil {
		return err
	}
	p.reasons(shown)
	p.list("Could not be known", t.UnknownLines(maxUnknown))
	p.facts(t)
	return nil
}

// some are the first groups, and how to get the others.
func (p *page) some(doc *report.Document, t *report.Table, shown int) error {
	if err := p.groups(t.Groups[:shown]); err != nil {
		return err
	}
	if more := len(t.Groups) - shown; more > 0 {
		p.line(fmt.Sprintf("and %s more: twinrow report %s --format csv", report.Number(more), report.Plain(report.ShellWord(doc.Dir))))
	}
	return nil
}

// headline is what was found, in one sentence.
func (p *page) headline(t *report.Table) {
	p.hang("", 0, 0, 2, p.bold(fit(report.Plain(t.Name), 40)+":")+" "+t.Found()+".")
	if t.Totals.Groups == 0 {
		if already := t.Already(); already != "" {
			p.wrap("", report.Sentence(already))
		}
	} else if len(t.UniqueBy) > 0 {
		p.label("Mind", report.Sentence(t.Already()), 2)
	}
}

// read is what was read to find this, and by which key.
func read(t *report.Table) string {
	text := "Key " + t.KeyText() + "; " + t.Read() + "."
	if t.Where != "" {
		text += " Only rows where " + report.Plain(t.Where) + "."
	}
	return text
}

// marks are the signs of the checklist; the words stand beside them.
var marks = map[report.CheckState]string{
	report.CheckDone: "✓", report.CheckPartly: "◐", report.CheckOpen: "○", report.CheckFailed: "✗", report.CheckByHand: "☐",
}

// begun tells whether anything was done about the duplicates yet.
func begun(doc *report.Document) bool {
	return doc.Plan != nil || doc.Journal != nil || doc.Mails != nil || len(doc.Probes) > 0
}

func (p *page) checks(doc *report.Document) {
	if !begun(doc) {
		return
	}
	var lines []string
	for _, c := range doc.Checklist {
		line := marks[c.State] + " " + c.Name + " (" + string(c.State) + "): " + c.Text
		if c.Detail != "" {
			line += "; " + c.Detail
		}
		lines = append(lines, line)
	}
	p.list("What ends the incident", lines)
}

func (p *page) masked(doc *report.Document) {
	if doc.Redacted {
		p.line("")
		p.wrap("", "Values are masked: the same value has the same mask within this case.")
	}
}

// reasons gives those of every group where there are few, and else of the
// first group of each class.
func (p *page) reasons(groups []report.Group) {
	var lines []string
	for _, g := range report.Examples(groups, maxReasons) {
		line := fmt.Sprintf("#%d %s: %s", g.Number, g.Class, strings.Join(g.Reasons, "; "))
		if len(g.Differs) > 0 {
			line += "; copies differ in " + strings.Join(g.Differs, ", ")
		}
		if g.Choice != nil && g.Choice.Held != "" {
			line += "; held: " + g.Choice.Held
		}
		lines = append(lines, report.Plain(line))
	}
	heading := "Why"
	if len(lines) < len(groups) {
		heading = "Why (one group of each class)"
	}
	p.list(heading, lines)
}

// next are the steps to take, each with its line to type, which is never broken.
func (p *page) next(doc *report.Document) {
	steps := doc.Next()
	if len(steps) == 0 {
		return
	}
	p.line("")
	p.line(p.bold("Next"))
	for _, s := range steps {
		p.wrap("  ", s.Does+":")
		p.line("    " + report.Plain(s.Command))
	}
}
