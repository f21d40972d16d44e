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

// maxDrawn is how many tables of a case have drawings.
const maxDrawn = 20

func table(doc *report.Document, index int, room *room, opts Options) templates.PageTable {
	t := &doc.Tables[index]
	p := templates.PageTable{
		Anchor:   "t" + strconv.Itoa(index+1),
		Heading:  heading(t),
		Figures:  figures(t, index),
		KeysFrom: report.TableField(index, "key_lab"),
		Answers:  answers(t),
		Rules:    rules(t),
	}
	if already := t.Already(); already != "" && len(p.Answers) == 0 {
		p.Notes = append(p.Notes, sentence(report.Sentence(already)))
	}
	p.Groups = groups(t, room)
	if index < maxDrawn {
		p.Charts = drawings(t, index, p.Anchor, p.Groups)
	}
	p.Keys, p.KeysSay = keys(t.KeyLab)
	p.Facts = facts(t, index)
	if more := len(t.Groups) - len(p.Groups); more > 0 {
		p.More = fmt.Sprintf("And %s, which are not on this page:", report.Count(more, "more group"))
		p.MoreCommand = report.Plain("twinrow report " + report.ShellWord(doc.Dir) + " --format csv")
		if opts.CSV != "" {
			p.More = fmt.Sprintf("And %s, which are not on this page but in the file beside it:", report.Count(more, "more group"))
			p.MoreCommand = name(opts.CSV)
		}
	}
	for _, line := range t.UnknownLines(maxUnknown) {
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

// figures are the totals at a glance.
func figures(t *report.Table, index int) []templates.PageFigure {
	var figures []templates.PageFigure
	add := func(field, name, value, detail string) {
		figures = append(figures, templates.PageFigure{Name: name, Value: value, Detail: detail, From: report.TableField(index, field)})
	}
	if t.Totals.Groups > 0 {
		add("totals.surplus", "Surplus rows", report.Number(t.Totals.Surplus), "of "+report.Count(t.Totals.Rows, "row")+" in groups")
		if t.Email != "" {
			add("totals.customers", "Customers", report.Number(t.Totals.Customers), "distinct addresses")
		}
		if t.Impact != nil && t.Impact.Amount != nil {
			add("impact.amount", "Amount", name(*t.Impact.Amount), name(t.Amount)+", surplus rows")
		}
	}
	for _, class := range casefile.Classes {
		if n := t.Totals.ByClass[class]; n > 0 {
			add("totals.by_class", report.Capital(string(class)), report.Number(n), means[class])
		}
	}
	add("scanned_rows", "Rows read", report.Number(t.ScannedRows), "")
	return figures
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
	if t.Incident != nil && t.Incident.Method != "" {
		facts = append(facts, templates.PageFact{Name: "Onset and end", Value: sentence(t.Incident.Method)})
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
