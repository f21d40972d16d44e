// Package html writes a report as one page that needs nothing else: no
// network and no file beside it; its script only filters and sorts. It puts the document into the words
// and marks of the page; templates has the markup and escapes.
package html

import (
	"fmt"
	"io"
	"strings"

	"twinrow/report"
	"twinrow/templates"
)

// Options say what stands beside the page.
type Options struct {
	// CSV is the name of a file in the page's directory that has all groups,
	// named where some are not on the page; empty where there is none.
	CSV string
	// CSVSHA256 is the digest of that file.
	CSVSHA256 string
}

// DigestMark names the element of the page that holds the digest of the file beside it.
const DigestMark = "twinrow-csv-sha256"

// Render writes the page, and says how many groups are not on it. A case of
// any size gives a page of a few megabytes at most: past that, the page says
// how many groups it does not show and where they are.
func Render(w io.Writer, doc *report.Document, opts Options) (left int, err error) {
	page := templates.Page{
		Next:  steps(doc),
		About: about(doc),
	}
	if opts.CSVSHA256 != "" {
		page.Meta = append(page.Meta, templates.PageMeta{Name: DigestMark, Content: opts.CSVSHA256})
	}
	page.Checks, page.Timeline = checks(doc), timeline(doc)
	if doc.Redacted {
		page.Notes = append(page.Notes, "Values are masked: the same value has the same mask within this case.")
	}
	room := newRoom(len(doc.Tables))
	for i := range doc.Tables {
		page.Tables = append(page.Tables, table(doc, i, room, opts))
		left += len(doc.Tables[i].Groups) - len(page.Tables[i].Groups)
	}
	if len(page.Tables) == 1 {
		promote(&page)
	} else {
		contents(&page, doc)
	}
	page.Title = page.Heading + " · twinrow"
	if err := templates.ExecutePage(w, page); err != nil {
		return left, fmt.Errorf("writing the page: %w", err)
	}
	return left, nil
}

// promote makes what the only table says what the page says.
func promote(page *templates.Page) {
	only := &page.Tables[0]
	page.Heading, page.Lead, page.Figures, page.Answers = only.Heading, only.Lead, only.Figures, only.Answers
	page.Notes = append(page.Notes, only.Notes...)
	only.Heading, only.Lead, only.Figures, only.Answers, only.Notes = "", "", nil, nil, nil
}

func contents(page *templates.Page, doc *report.Document) {
	page.Heading = "Duplicates by table"
	for i := range doc.Tables {
		t := &doc.Tables[i]
		page.Contents = append(page.Contents, templates.PageLink{Anchor: page.Tables[i].Anchor, Name: name(t.Name), Text: brief(t), From: report.TableField(i, "totals")})
	}
}

// brief is a table in a few sentences, where several stand on one page.
func brief(t *report.Table) string {
	parts := []string{report.Sentence(t.Found())}
	for _, a := range t.Answers {
		if a.Question == report.SinceWhen || a.Question == report.StillGoingOn {
			parts = append(parts, a.Question+": "+a.Sentences[0])
		}
	}
	return report.Shorten(strings.Join(parts, " "), maxText, nil)
}

// steps leaves out the one that made the page.
func steps(doc *report.Document) []templates.PageStep {
	var steps []templates.PageStep
	for _, s := range doc.Next() {
		if !strings.Contains(s.Command, "--format html") {
			steps = append(steps, templates.PageStep{Does: report.Capital(s.Does) + ":", Command: report.Plain(s.Command)})
		}
	}
	return steps
}

func checks(doc *report.Document) []templates.PageCheck {
	var checks []templates.PageCheck
	for _, c := range doc.Checklist {
		checks = append(checks, templates.PageCheck{
			Name: report.Capital(c.Name), State: string(c.State), StateClass: strings.ReplaceAll(string(c.State), " ", "-"),
			Text: sentence(report.Sentence(c.Text)), Detail: sentence(c.Detail), From: c.From,
		})
	}
	return checks
}

func timeline(doc *report.Document) []templates.PageEvent {
	var events []templates.PageEvent
	for _, e := range doc.Timeline {
		events = append(events, templates.PageEvent{At: e.At, Shown: report.Instant(&e.At), Text: sentence(report.Capital(e.Text)), From: e.From})
	}
	return events
}

func answers(t *report.Table) []templates.PageAnswer {
	var answers []templates.PageAnswer
	for _, a := range t.Answers {
		answers = append(answers, templates.PageAnswer{Question: a.Question, Text: report.Shorten(a.Text(), maxAnswer, nil), From: strings.Join(a.From, ", ")})
	}
	return answers
}

func about(doc *report.Document) []templates.PageFact {
	facts := []templates.PageFact{
		{Name: "Case", Code: report.Plain(doc.CaseID)},
		{Name: "Scanned", Value: report.Instant(&doc.ScannedAt) + " UTC"},
		{Name: "Made by", Value: report.Plain(doc.Tool.Name + " " + doc.Tool.Version)},
	}
	if doc.CaseSHA256 != "" {
		facts = append(facts, templates.PageFact{Name: "SHA-256 of case.json", Code: doc.CaseSHA256})
	}
	return facts
}

// maxText is the length in characters of a sentence or a value before its
// middle is cut out; maxName of a name.
const (
	maxText   = 400
	maxAnswer = 1000
	maxCell   = 160
	maxName   = 80
)

func sentence(s string) string { return report.Shorten(report.Plain(s), maxText, nil) }
func name(s string) string     { return report.Shorten(report.Plain(s), maxName, nil) }

func value(v *string) templates.PageValue {
	if v == nil {
		return templates.PageValue{Null: true}
	}
	return templates.PageValue{Text: report.Shorten(report.Plain(*v), maxCell, nil)}
}
