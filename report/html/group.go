package html

import (
	"slices"
	"strconv"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/templates"
)

const (
	// maxRows is how many rows of a group stand side by side.
	maxRows = 6
	// maxColumns is how many columns of a row are shown, those that differ first.
	maxColumns = 60
	// maxIDs is how many rows are named in the list of groups.
	maxIDs = 6
)

// groups are those that there is room for, from the first.
func groups(t *report.Table, room *room) []templates.PageGroup {
	var groups []templates.PageGroup
	for i := range t.Groups {
		group := group(t, &t.Groups[i])
		if !room.take(&group, len(groups)) {
			break
		}
		groups = append(groups, group)
	}
	room.next()
	return groups
}

func group(t *report.Table, g *report.Group) templates.PageGroup {
	p := templates.PageGroup{
		From:   "evidence.jsonl: number " + strconv.Itoa(g.Number),
		Anchor: "g" + strconv.Itoa(g.Number), Number: report.Number(g.Number),
		Class: name(string(g.Class)), ClassName: className(g.Class), Sureness: g.Sureness(),
		Gap: strings.Join(g.Gaps(3), ", "), IDs: ids(g), Copies: g.Copies(), Differs: len(g.Differs) > 0,
		Decision: decision(g), SortGap: sortGap(g), SortRows: strconv.Itoa(len(g.Rows)),
	}
	for _, f := range g.Key {
		p.Key = append(p.Key, templates.PagePair{Name: name(f.Name), PageValue: value(f.Value)})
	}
	for _, r := range g.Reasons {
		p.Reasons = append(p.Reasons, sentence(report.Sentence(r)))
	}
	p.Used = used(g)
	if len(g.Rows) > 0 {
		p.First = report.Instant(g.Rows[0].Time)
	}
	shown := g.Rows[:min(len(g.Rows), maxRows)]
	for i := range shown {
		head := row(&shown[i])
		if !g.Mixed {
			head.Class = "" // it is the group's
		}
		p.Rows = append(p.Rows, head)
	}
	if more := len(g.Rows) - len(shown); more > 0 {
		p.MoreRows = report.Count(more, "more row") + " in this group; all are in the CSV."
	}
	columns := columns(t, g, shown)
	if more := len(columns) - maxColumns; more > 0 {
		p.MoreColumns = report.Count(more, "more column") + "; all are in the JSON."
	}
	p.Columns = columns[:min(len(columns), maxColumns)]
	return p
}

// sortGap is the least gap, which the group's class goes by; empty without any.
func sortGap(g *report.Group) string {
	least := ""
	var us int64
	for _, r := range g.Rows {
		if r.GapUS != nil && (least == "" || *r.GapUS < us) {
			us = *r.GapUS
			least = strconv.FormatInt(us, 10)
		}
	}
	return least
}

func decision(g *report.Group) string {
	switch {
	case g.Choice == nil:
		return ""
	case g.Choice.Held != "":
		return sentence("Held for a person to decide: " + g.Choice.Held + ".")
	}
	if kept, ok := g.Kept(); ok {
		return sentence("Keep " + report.Values(kept, "/") + ": " + g.Choice.Reason + ".")
	}
	return ""
}

// maxUsed is how many rows of a group are told to have been used.
const maxUsed = 6

// used says which rows were used after they were written.
func used(g *report.Group) []string {
	var lines []string
	for i := range g.Rows {
		r := &g.Rows[i]
		told := slices.Clone(r.UsedSince)
		if len(told) == 0 {
			for _, ref := range r.References {
				told = append(told, report.Count(ref.Rows, "row")+" of "+ref.Table+" refer to it")
			}
		}
		if len(told) == 0 {
			continue
		}
		if len(lines) == maxUsed {
			return append(lines, "And more rows, in the JSON.")
		}
		lines = append(lines, sentence(report.Values(r.ID, "/")+" was used since: "+strings.Join(told, "; ")+"."))
	}
	return lines
}

func row(r *report.Row) templates.PageRow {
	p := templates.PageRow{ID: name(report.Values(r.ID, "/")), Time: report.Instant(r.Time), Fate: string(r.Fate)}
	if r.GapUS != nil {
		p.Gap = report.Duration(*r.GapUS)
	}
	if r.Class != nil {
		p.Class, p.Strength = name(string(*r.Class)), string(r.Strength)
		p.ClassName = className(*r.Class)
	}
	if r.Written != nil {
		p.Written = written(r.Written)
	}
	return p
}

// written is the evidence of the row's transaction in a few words.
func written(w *casefile.Written) string {
	var parts []string
	if w.XID != "" {
		parts = append(parts, "transaction "+w.XID)
	}
	if w.Began != nil {
		parts = append(parts, "began "+report.Instant(w.Began))
	}
	if w.Committed != nil {
		parts = append(parts, "committed "+report.Instant(w.Committed))
	}
	return sentence(strings.Join(append(parts, w.How), "; "))
}

func ids(g *report.Group) string {
	var names []string
	for i := range g.Rows {
		if i == maxIDs {
			names = append(names, "…")
			break
		}
		names = append(names, report.Shorten(report.Values(g.Rows[i].ID, "/"), 40, nil))
	}
	return strings.Join(names, " → ")
}

// columns are the rows' values, column by column: first those in which the
// evidence says that they differ, then the others, without what the head of
// each row shows already.
func columns(t *report.Table, g *report.Group, rows []report.Row) []templates.PageColumn {
	if len(rows) == 0 {
		return nil
	}
	var differing, others []templates.PageColumn
	for i, f := range rows[0].Values {
		if slices.Contains(t.ID, f.Name) || f.Name == t.Time && rows[0].Time != nil {
			continue
		}
		column := templates.PageColumn{Name: name(f.Name), Differs: slices.Contains(g.Differs, f.Name), Span: len(rows)}
		if slices.Contains(t.Ignore, f.Name) {
			column.Remark = "not compared"
		}
		column.Values, column.Same = cells(rows, i)
		if column.Differs {
			column.Remark = how(g, f.Name)
			if !column.Same {
				mark(column.Values)
			}
			differing = append(differing, column)
			differing = append(differing, paths(g, f.Name, rows)...)
		} else {
			others = append(others, column)
		}
	}
	return append(differing, others...)
}

// cells are the values of one column, and only the first where all are the same text.
func cells(rows []report.Row, column int) (cells []templates.PageValue, same bool) {
	same = true
	for _, r := range rows {
		var v *string
		if column < len(r.Values) {
			v = r.Values[column].Value
		}
		cells = append(cells, value(v))
		same = same && equal(v, rows[0].Values[column].Value)
	}
	if same {
		cells = cells[:1]
	}
	return cells, same
}

func equal(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func join(columns []string) string { return sentence(strings.Join(columns, ", ")) }
