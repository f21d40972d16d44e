package html

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/templates"
)

// how says in what way a column differs, as the evidence tells it.
func how(g *report.Group, column string) string {
	for _, d := range g.Differences {
		if d.Column == column && d.Path == "" {
			return sentence(d.Says)
		}
	}
	return ""
}

// maxPaths is how many places within one column's JSON are listed.
const maxPaths = 12

// paths are the places within a column's JSON in which the rows differ, each
// with the values that stand there.
func paths(g *report.Group, column string, rows []report.Row) []templates.PageColumn {
	var places []templates.PageColumn
	more := 0
	for _, d := range g.Differences {
		if d.Column != column || d.Path == "" {
			continue
		}
		if len(places) == maxPaths {
			more++
			continue
		}
		p := templates.PageColumn{Name: name(column), Path: name(d.Path), Differs: true, Remark: sentence(d.Says), Span: len(rows)}
		if cells, ok := placed(rows, &d); ok {
			p.Values = cells
			mark(p.Values)
		} else {
			p.Same, p.Values = true, variantsOf(&d)
		}
		if d.MoreValues > 0 {
			p.Remark = strings.TrimPrefix(p.Remark+"; "+report.Count(d.MoreValues, "more value"), "; ")
		}
		places = append(places, p)
	}
	if more > 0 {
		places[len(places)-1].Remark += fmt.Sprintf("; %s, in the JSON", report.Count(more, "more place"))
	}
	return places
}

// variantsOf are the values that stand in a place, with how many rows have each.
func variantsOf(d *casefile.Difference) []templates.PageValue {
	var cells []templates.PageValue
	for _, v := range d.Values {
		cell := value(v.Value)
		if v.Missing {
			cell = templates.PageValue{Text: missing, Null: true}
		}
		cell.Rows = report.Count(v.Rows, "row")
		cells = append(cells, cell)
	}
	return cells
}

// mark finds what all texts begin and end with, and marks what stands between:
// that is where a reader has to look. Texts with nothing in common stay whole.
func mark(cells []templates.PageValue) {
	var texts [][]rune
	for _, c := range cells {
		if !c.Null {
			texts = append(texts, []rune(c.Text))
		}
	}
	head := common(texts, func(text []rune, i int) rune { return text[i] })
	tail := common(texts, func(text []rune, i int) rune { return text[len(text)-1-i] })
	if len(texts) < 2 || head+tail == 0 {
		return
	}
	for i := range cells {
		if cells[i].Null {
			continue
		}
		text := []rune(cells[i].Text)
		end := max(head, len(text)-tail)
		cells[i].Text, cells[i].Part, cells[i].After = string(text[:head]), string(text[head:end]), string(text[end:])
	}
}

// common is how many characters all texts have in common, from one end.
func common(texts [][]rune, at func([]rune, int) rune) int {
	if len(texts) == 0 {
		return 0
	}
	shortest := slices.MinFunc(texts, func(a, b []rune) int { return len(a) - len(b) })
	for n := range shortest {
		for _, text := range texts {
			if at(text, n) != at(shortest, n) {
				return n
			}
		}
	}
	return len(shortest)
}
