package html

import (
	"fmt"
	"slices"
	"strconv"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/templates"
)

// maxUnknown is how many things that could not be known are listed.
const maxUnknown = 20

func table(doc *report.Document, index int, room *room) templates.PageTable {
	t := &doc.Tables[index]
	p := templates.PageTable{
		Anchor:  "t" + strconv.Itoa(index+1),
		Heading: heading(t),
		Lead:    lead(t),
		Figures: figures(t),
		Rules:   rules(t),
	}
	for _, note := range []string{t.Already(), t.TimeTrouble()} {
		if note != "" {
			p.Notes = append(p.Notes, sentence(report.Sentence(note)))
		}
	}
	p.Groups = groups(t, room)
	p.Chart = chart(t, p.Anchor, p.Groups)
	if more := len(t.Groups) - len(p.Groups); more > 0 {
		p.More = fmt.Sprintf("And %s, which are not on this page:", report.Count(more, "more group"))
		p.MoreCommand = report.Plain("twinrow report " + report.ShellWord(doc.Dir) + " --format csv")
	}
	for _, line := range report.UnknownLines(t.Groups, maxUnknown) {
		p.Unknown = append(p.Unknown, sentence(report.Sentence(line)))
	}
	return p
}

func heading(t *report.Table) string {
	if t.Totals.Groups == 0 {
		return "No duplicates in " + name(t.Name)
	}
	return report.Count(t.Totals.Groups, "group") + " of duplicates in " + name(t.Name)
}

func lead(t *report.Table) string {
	if when := t.When(); when != "" {
		return report.Sentence(when)
	}
	return ""
}

// figures are the totals at a glance.
func figures(t *report.Table) []templates.PageFigure {
	read := templates.PageFigure{Name: "Rows read", Value: report.Number(t.ScannedRows)}
	if t.Totals.Groups == 0 {
		return []templates.PageFigure{read}
	}
	figures := []templates.PageFigure{{Name: "Surplus rows", Value: report.Number(t.Totals.Surplus), Detail: "of " + report.Count(t.Totals.Rows, "row") + " in groups"}}
	if t.Email != "" {
		figures = append(figures, templates.PageFigure{Name: "Customers", Value: report.Number(t.Totals.Customers), Detail: "distinct addresses"})
	}
	for _, class := range casefile.Classes {
		if n := t.Totals.ByClass[class]; n > 0 {
			figures = append(figures, templates.PageFigure{Name: report.Capital(string(class)), Value: report.Number(n), Detail: means[class]})
		}
	}
	return append(figures, read)
}

// means are the classes in a few words: what they stand for, not what was proven.
var means = map[casefile.Class]string{
	casefile.SameTransaction: "a loop or join in the code",
	casefile.Race:            "overlapping writers",
	casefile.Resubmit:        "double click or time-out",
	casefile.Retry:           "redelivery",
	casefile.Replay:          "replay, backfill or import",
	casefile.UntimedClass:    "no usable time",
}

// rules say what was asked and how it was decided.
func rules(t *report.Table) []templates.PageFact {
	facts := []templates.PageFact{
		{Name: "Unique by", Value: sentence(t.KeyText())},
		{Name: "NULL in the key", Value: map[bool]string{true: "equals NULL", false: "equals nothing, as in a unique index"}[t.Nulls == "not-distinct"]},
		{Name: "Read", Value: sentence(report.Sentence(t.Read()))},
		{Name: "Found by", Value: sentence(t.Way + ": " + t.WayReason)},
		{Name: "Windows", Value: windows(t.Windows)},
	}
	for _, f := range []struct {
		name    string
		columns []string
	}{{"Time", []string{t.Time}}, {"Rows identified by", t.ID}, {"Not compared", t.Ignore}} {
		if list := join(f.columns); list != "" {
			facts = append(facts, templates.PageFact{Name: f.name, Value: list})
		}
	}
	if t.Where != "" {
		facts = append(facts, templates.PageFact{Name: "Only rows where", Code: sentence(t.Where)})
	}
	return facts
}

func windows(w casefile.Windows) string {
	return fmt.Sprintf("race up to %s, resubmit up to %s, retry up to %s, replay beyond", report.Duration(w.RaceUS), report.Duration(w.ResubmitUS), report.Duration(w.HorizonUS))
}

// className is the class's name in the style sheet; a class that the style
// sheet does not know has none.
func className(class casefile.Class) string {
	if slices.Contains(casefile.Classes, class) {
		return string(class)
	}
	return ""
}
