package markdown

import (
	"fmt"
	"strings"

	"twinrow/report"
)

const (
	// maxDifferences is how many columns and places are named in which the rows of a group differ.
	maxDifferences = 6
	// maxTrials is how many other keys are listed.
	maxTrials = 20
)

// writeAnswers are the questions of the first screen, but for what the line above said.
func writeAnswers(b *strings.Builder, t *report.Table) {
	var items []string
	for _, a := range t.Answers {
		if a.Question == report.WhatHappened && len(t.UniqueBy) == 0 {
			continue
		}
		items = append(items, "**"+text(a.Question)+":** "+text(a.Text()))
	}
	writeItems(b, "", items)
}

// boxes are those of a task list; what is not done is told in words.
var boxes = map[report.CheckState]string{report.CheckDone: "[x] "}

func writeChecks(b *strings.Builder, doc *report.Document) {
	var items []string
	for _, c := range doc.Checklist {
		box := boxes[c.State]
		if box == "" {
			box = "[ ] "
		}
		item := box + text(report.Capital(c.Name)) + " (" + string(c.State) + "): " + text(c.Text)
		if c.Detail != "" {
			item += "; " + text(c.Detail)
		}
		items = append(items, item)
	}
	writeItems(b, "### What ends the incident", items)
}

func writeTimeline(b *strings.Builder, doc *report.Document) {
	var items []string
	for _, e := range doc.Timeline {
		items = append(items, text(report.Instant(&e.At))+" "+text(e.Text))
	}
	writeItems(b, "### Timeline (UTC)", items)
}

// writeFacts is what else the case tells of the table.
func writeFacts(b *strings.Builder, t *report.Table) {
	if t.Incident != nil {
		writeItems(b, "### Course", texts(t.Incident.Says))
	}
	if t.Clock != nil {
		writeItems(b, "### The clock", texts(t.Clock.Says))
	}
	if t.KeyLab == nil {
		return
	}
	items := texts(t.KeyLab.Says)
	for _, k := range t.KeyLab.Trials[:min(len(t.KeyLab.Trials), maxTrials)] {
		items = append(items, fmt.Sprintf("%s, %s: %s, %s", code("("+report.Plain(strings.Join(k.Key, ", "))+")"), text(k.Variant), report.Count(k.Groups, "group"), report.Count(k.Surplus, "surplus row")))
	}
	writeItems(b, "### Other keys", items)
}

// differences are the columns and places in which the rows of a group differ,
// as the end of a sentence.
func differences(g *report.Group) string {
	var parts []string
	for i, d := range g.Differences {
		if i == maxDifferences {
			parts = append(parts, "and "+report.Number(len(g.Differences)-i)+" more")
			break
		}
		part := code(report.Plain(d.Column + " " + d.Path))
		if d.Path == "" {
			part = code(report.Plain(d.Column))
		}
		var values []string
		for _, v := range d.Values[:min(len(d.Values), 3)] {
			if v.Missing {
				values = append(values, "not there")
			} else {
				values = append(values, value(v.Value))
			}
		}
		parts = append(parts, part+" ("+strings.Join(values, ", ")+")")
	}
	if len(parts) == 0 {
		return ""
	}
	return "; copies differ in " + strings.Join(parts, ", ")
}
