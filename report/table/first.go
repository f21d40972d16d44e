package table

import (
	"fmt"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"twinrow/report"
)

const (
	// answerLines is how many lines an answer may take on the first screen.
	answerLines = 2
	// whyLines is how many are kept for the reasons, with their heading.
	whyLines = 6
	// minGroupLines is what the shortest list of groups takes: its head and one group.
	minGroupLines = 5
	// maxSteps is how many of the next steps the first screen has.
	maxSteps = 2
)

// firstScreen answers what happened, since when, whether it goes on, who is
// affected and what to do next, and fills what is left of the lines with
// groups, then reasons, then what could not be known.
func (p *page) firstScreen(doc *report.Document, limit int) error {
	head, err := p.lines(func(p *page) error { p.heads(doc, limit/2); return nil })
	if err != nil {
		return err
	}
	foot, err := p.lines(func(p *page) error { p.foot(doc); return nil })
	if err != nil {
		return err
	}
	left := limit - len(head) - len(foot) - 1 // the last for what is left out
	body, cut, err := p.body(doc, left)
	if err != nil {
		return err
	}
	for _, line := range append(append(head, body...), foot...) {
		p.line(line)
	}
	if cut || p.cut {
		p.label("All of it", "twinrow report "+report.Plain(report.ShellWord(doc.Dir))+" --verbose", 1)
	}
	return nil
}

// heads are the answers of every table: all of them for one, and for several
// as many as there is room for.
func (p *page) heads(doc *report.Document, limit int) {
	for i := range doc.Tables {
		if i > 0 && strings.Count(p.text.String(), "\n") >= limit {
			p.line("and " + report.Count(len(doc.Tables)-i, "more table"))
			return
		}
		t := &doc.Tables[i]
		p.headline(t)
		for _, a := range t.Answers {
			if a.Question == report.WhatHappened || len(doc.Tables) > 1 && a.Question != report.SinceWhen && a.Question != report.StillGoingOn {
				continue
			}
			p.answer(a)
		}
		if len(doc.Tables) == 1 {
			p.label("Looked at", read(t), answerLines)
		}
		if t.Totals.Groups == 0 && t.KeyLab != nil && len(t.KeyLab.Says) > 0 {
			p.label("Other keys", report.Sentence(report.Plain(t.KeyLab.Says[0])), answerLines) // the key may be the wrong one
		}
	}
}

// answer writes as many of the sentences as there is room for, but at least one.
func (p *page) answer(a report.Answer) {
	room := answerLines * (p.width - labelWidth - 8) // a line may end early
	text := ""
	for _, s := range a.Sentences {
		if text != "" && twwidth.Width(text)+1+twwidth.Width(s) > room {
			p.cut = true
			break
		}
		text = strings.TrimPrefix(text+" "+s, " ")
	}
	p.label(a.Question, text, answerLines)
}

// foot is how far the incident is, and what to do next.
func (p *page) foot(doc *report.Document) {
	p.line("")
	if begun(doc) && len(doc.Checklist) > 0 {
		var parts []string
		for _, c := range doc.Checklist {
			parts = append(parts, marks[c.State]+" "+c.Name)
		}
		p.words(p.dim("So far")+strings.Repeat(" ", labelWidth-len("So far")), labelWidth, labelWidth, parts)
	}
	for i, s := range doc.Next() {
		if i == maxSteps {
			break
		}
		about := ""
		if i == 0 {
			about = "What to do next"
		}
		p.label(about, s.Does+":", 1)
		p.line(strings.Repeat(" ", labelWidth+2) + report.Plain(s.Command))
	}
	if doc.Redacted {
		p.label("", "Values are masked: the same value has the same mask within this case.", 2)
	}
}

// body is groups, reasons and what could not be known, in the lines that are
// left; cut is true where not all of it is there.
func (p *page) body(doc *report.Document, left int) (body []string, cut bool, err error) {
	var found []*report.Table
	for i := range doc.Tables {
		if len(doc.Tables[i].Groups) > 0 {
			found = append(found, &doc.Tables[i])
		}
	}
	if len(doc.Tables) != 1 {
		body, err = p.shares(doc, found, left)
		return body, len(found) > 0, err
	}
	if len(found) == 0 {
		return nil, false, nil
	}
	t := found[0]
	why, err := p.lines(func(p *page) error { p.examples(t.Groups[:min(len(t.Groups), maxGroups)]); return nil })
	if err != nil {
		return nil, false, err
	}
	if left-len(why) < minGroupLines {
		why = nil
	}
	body, shown, err := p.fitting(doc, t, left-len(why))
	if err != nil {
		return nil, false, err
	}
	body = append(body, why...)
	unknown, err := p.lines(func(p *page) error {
		p.list("Could not be known", t.UnknownLines(maxUnknown))
		return nil
	})
	if len(body)+len(unknown) > left {
		cut, unknown = true, nil
	}
	return append(body, unknown...), cut || len(why)-headLines < shown || shown < len(t.Groups), err
}

// headLines are those of a list beside its items: a blank one and the heading.
const headLines = 2

// examples are the reasons for the first group of each class, in a line each.
func (p *page) examples(groups []report.Group) {
	var lines []string
	for _, g := range report.Examples(groups, 0) {
		line := report.Plain(fmt.Sprintf("#%d %s: %s", g.Number, g.Class, strings.Join(g.Reasons, "; ")))
		short := fitEnd(line, p.width-headLines)
		p.cut = p.cut || short != line
		lines = append(lines, short)
	}
	lines = lines[:min(len(lines), whyLines-headLines)]
	if len(lines) < len(groups) {
		p.list("Why (one group of each class)", lines)
		return
	}
	p.list("Why", lines)
}

// shares are the groups of several tables. Each has the same number of lines,
// and what one does not need the others have.
func (p *page) shares(doc *report.Document, found []*report.Table, left int) (body []string, err error) {
	if len(found) == 0 || left/len(found) < minGroupLines+1 {
		return nil, nil
	}
	lists := make([][]string, len(found))
	order := make([]int, len(found))
	for i, t := range found {
		order[i] = i
		if lists[i], _, err = p.fitting(doc, t, left); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(lists[a]) - len(lists[b]) })
	for n, i := range order {
		if lists[i], _, err = p.fitting(doc, found[i], left/(len(order)-n)-1); err != nil {
			return nil, err
		}
		if len(lists[i]) > 0 {
			left -= len(lists[i]) + 1
		}
	}
	for i, list := range lists {
		if len(list) > 0 {
			body = append(append(body, "", p.bold(fit(report.Plain(found[i].Name), p.width))), list[1:]...)
		}
	}
	return body, nil
}

// fitting are as many groups as fit into the lines, from the first.
func (p *page) fitting(doc *report.Document, t *report.Table, left int) (lines []string, shown int, err error) {
	for shown = min(len(t.Groups), left); shown > 0; shown-- {
		lines, err = p.lines(func(p *page) error {
			p.line("")
			return p.some(doc, t, shown)
		})
		if err != nil || len(lines) <= left {
			return lines, shown, err
		}
	}
	return nil, 0, nil
}
