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
	for i := range doc.Tables {
		if i > 0 {
			p.line("")
		}
		if err := p.table(doc, &doc.Tables[i]); err != nil {
			return err
		}
	}
	p.list("Done", doc.Done())
	p.next(doc)
	if doc.Redacted {
		p.line("")
		p.wrap("", "Values are masked: the same value has the same mask within this case.")
	}
	_, err := io.WriteString(w, p.text.String())
	return err
}

func (p *page) table(doc *report.Document, t *report.Table) error {
	p.head(t)
	if len(t.Groups) == 0 {
		return nil
	}
	shown := t.Groups[:min(len(t.Groups), maxGroups)]
	p.line("")
	if err := p.groups(shown); err != nil {
		return err
	}
	if more := len(t.Groups) - len(shown); more > 0 {
		p.line(fmt.Sprintf("and %s more: twinrow report %s --format csv", report.Number(more), report.Plain(report.ShellWord(doc.Dir))))
	}
	p.reasons(shown)
	p.list("Could not be known", report.UnknownLines(t.Groups, maxUnknown))
	return nil
}

// head is what was found, in one sentence, and what was read to find it.
func (p *page) head(t *report.Table) {
	p.wrap("", p.bold(fit(report.Plain(t.Name), 40)+":")+" "+t.Found()+".")
	if when := t.When(); when != "" {
		p.wrap("", report.Sentence(when))
	}
	p.wrap("", "Key "+t.KeyText()+"; "+t.Read()+".")
	if t.Where != "" {
		p.wrap("", "Only rows where "+report.Plain(t.Where)+".")
	}
	for _, fact := range []string{t.Already(), t.TimeTrouble()} {
		if fact != "" {
			p.wrap("", report.Sentence(fact))
		}
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
