// Package html writes a report as one page that needs nothing else: no
// network, no script, no file beside it. It puts the document into the words
// and marks of the page; templates has the markup and escapes.
package html

import (
	"fmt"
	"io"
	"strings"

	"twinrow/report"
	"twinrow/templates"
)

// Render writes the page. A case of any size gives a page of a few megabytes
// at most: past that, the page says how many groups it does not show and how
// to get them.
func Render(w io.Writer, doc *report.Document) error {
	page := templates.Page{
		Next:  steps(doc),
		About: about(doc),
	}
	for _, line := range doc.Done() {
		page.Done = append(page.Done, sentence(report.Sentence(line)))
	}
	if doc.Redacted {
		page.Notes = append(page.Notes, "Values are masked: the same value has the same mask within this case.")
	}
	room := newRoom(len(doc.Tables))
	for i := range doc.Tables {
		page.Tables = append(page.Tables, table(doc, i, room))
	}
	if len(page.Tables) == 1 {
		promote(&page)
	} else {
		contents(&page, doc)
	}
	page.Title = page.Heading + " · twinrow"
	if err := templates.ExecutePage(w, page); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// promote makes what the only table says what the page says.
func promote(page *templates.Page) {
	only := &page.Tables[0]
	page.Heading, page.Lead, page.Figures = only.Heading, only.Lead, only.Figures
	page.Notes = append(page.Notes, only.Notes...)
	only.Heading, only.Lead, only.Figures, only.Notes = "", "", nil, nil
}

func contents(page *templates.Page, doc *report.Document) {
	page.Heading = "Duplicates by table"
	for i := range doc.Tables {
		t := &doc.Tables[i]
		page.Contents = append(page.Contents, templates.PageLink{Anchor: page.Tables[i].Anchor, Name: name(t.Name), Text: t.Found()})
	}
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
	maxText = 400
	maxCell = 160
	maxName = 80
)

func sentence(s string) string { return report.Shorten(report.Plain(s), maxText, nil) }
func name(s string) string     { return report.Shorten(report.Plain(s), maxName, nil) }

func value(v *string) templates.PageValue {
	if v == nil {
		return templates.PageValue{Null: true}
	}
	return templates.PageValue{Text: report.Shorten(report.Plain(*v), maxCell, nil)}
}
