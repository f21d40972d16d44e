package table

import (
	"strings"

	"twinrow/report"
)

// maxTrials is how many other keys are listed.
const maxTrials = 20

// facts are what else the case tells of a table.
func (p *page) facts(t *report.Table) {
	if t.Incident != nil {
		p.list("Course", plain(t.Incident.Says))
	}
	if t.Clock != nil {
		p.list("The clock", plain(t.Clock.Says))
	}
	if t.KeyLab == nil {
		return
	}
	lines := plain(t.KeyLab.Says)
	for _, k := range t.KeyLab.Trials[:min(len(t.KeyLab.Trials), maxTrials)] {
		lines = append(lines, "("+report.Plain(strings.Join(k.Key, ", "))+"), "+report.Plain(k.Variant)+": "+report.Count(k.Groups, "group")+", "+report.Count(k.Surplus, "surplus row"))
	}
	p.list("Other keys", lines)
}

func plain(texts []string) []string {
	lines := make([]string, len(texts))
	for i, text := range texts {
		lines[i] = report.Plain(text)
	}
	return lines
}
