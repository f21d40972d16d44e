package table

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"twinrow/report"
)

const (
	// between is the space between two columns.
	between = 2
	// minKey is the least width of the key, which gets all that the others leave.
	minKey = 12
	// wideKey is what must be left to the key for a group to stand on one line.
	wideKey = 26
	// classWidth and idsWidth bound two columns of the narrow form, so that it fits 80.
	classWidth = 18
	idsWidth   = 20
)

// groups writes the table. Where the terminal is too narrow for a group on
// one line, it takes two or three, so that its key is not cut.
func (p *page) groups(groups []report.Group) error {
	head, rows := p.wide(groups)
	room := p.room(head, rows)
	if room < wideKey {
		head, rows = p.narrow(groups)
		room = p.room(head, rows)
	}
	for _, row := range rows {
		row[keyColumn] = fitLines(row[keyColumn], max(room, minKey))
	}
	return p.draw(head, rows)
}

// room is what the other columns leave to the key.
func (p *page) room(head []string, rows [][]string) int {
	room := p.width - between*(len(head)-1)
	for column := range head {
		if column != keyColumn {
			room -= columnWidth(head, rows, column)
		}
	}
	return room
}

// keyColumn is the place of the key in both forms of the table.
const keyColumn = 1

// wide has everything of a group in one line.
func (p *page) wide(groups []report.Group) (head []string, rows [][]string) {
	head = []string{"#", "KEY", "CLASS", "GAP", "FIRST ROW (UTC)", "ROWS", "COPIES"}
	for i := range groups {
		g := &groups[i]
		rows = append(rows, []string{
			strconv.Itoa(g.Number), report.Values(g.Key, " · "), p.class(g.Class) + ", " + g.Sureness(),
			strings.Join(g.Gaps(2), ", "), first(g), ids(g, 32), p.dim(copies(g)),
		})
	}
	return head, rows
}

// narrow puts the parts of the key, and what belongs together, one below the other.
func (p *page) narrow(groups []report.Group) (head []string, rows [][]string) {
	head = []string{"#", "KEY", "CLASS, GAP", "FIRST (UTC)", "ROWS, COPIES"}
	for i := range groups {
		g := &groups[i]
		rows = append(rows, []string{
			strconv.Itoa(g.Number), narrowKey(g), p.narrowClass(g),
			strings.Replace(first(g), " ", "\n", 1), ids(g, idsWidth) + "\n" + p.dim(copies(g)),
		})
	}
	return head, rows
}

// narrowClass is the class, how sure it is and the gaps on two lines, or three
// where the words are long.
func (p *page) narrowClass(g *report.Group) string {
	gaps := strings.Join(g.Gaps(2), ", ")
	if twwidth.Width(gaps) > classWidth {
		gaps = strings.Join(g.Gaps(1), ", ")
	}
	between := ", "
	if len(g.Class)+len(between)+len(g.Sureness()) > classWidth {
		between = "\n"
	}
	return p.class(g.Class) + between + g.Sureness() + "\n" + fit(gaps, classWidth)
}

// narrowKey is a key on two lines: its first part, and the others by name,
// for they are often no more than a number.
func narrowKey(g *report.Group) string {
	if len(g.Key) < 2 {
		return report.Values(g.Key, "")
	}
	others := make([]string, len(g.Key)-1)
	for i, f := range g.Key[1:] {
		others[i] = report.Plain(f.Name) + " " + report.Value(f.Value)
	}
	return report.Values(g.Key[:1], "") + "\n" + strings.Join(others, " · ")
}

func first(g *report.Group) string {
	if len(g.Rows) == 0 {
		return ""
	}
	if g.Rows[0].Time == nil {
		return "unknown"
	}
	return report.Instant(g.Rows[0].Time)
}

// copies says whether the rows are equal, and which one the plan keeps.
func copies(g *report.Group) string {
	if id, ok := g.Kept(); ok {
		return g.Copies() + ", keep " + fit(report.Values(id, "/"), 8)
	}
	if g.Choice != nil && g.Choice.Held != "" {
		return g.Copies() + ", held"
	}
	return g.Copies()
}

// ids names the rows in order within a width, or the first and how many more there are.
func ids(g *report.Group, width int) string {
	const arrow = " → "
	gap := twwidth.Width(arrow)
	var names []string
	used := -gap
	for _, row := range g.Rows {
		name := fit(report.Values(row.ID, "/"), (width-gap)/2)
		if used += gap + twwidth.Width(name); used > width {
			more := " + " + report.Number(len(g.Rows)-1) + " more"
			return fit(report.Values(g.Rows[0].ID, "/"), max(4, width-len(more))) + more
		}
		names = append(names, name)
	}
	return strings.Join(names, arrow)
}

func columnWidth(head []string, rows [][]string, column int) int {
	width := twwidth.Width(head[column])
	for _, row := range rows {
		for line := range strings.SplitSeq(row[column], "\n") {
			width = max(width, twwidth.Width(line))
		}
	}
	return width
}

func fitLines(cell string, width int) string {
	lines := strings.Split(cell, "\n")
	for i := range lines {
		lines[i] = fit(lines[i], width)
	}
	return strings.Join(lines, "\n")
}

// draw hands the cells to the library, without borders: the columns stand apart by themselves.
func (p *page) draw(head []string, rows [][]string) error {
	for i := range head {
		head[i] = p.dim(head[i])
	}
	padding := tw.Padding{Right: strings.Repeat(" ", between), Overwrite: true}
	cells := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoWrap: tw.WrapNone, AutoFormat: tw.Off},
		Alignment:  tw.CellAlignment{Global: tw.AlignLeft},
		Padding:    tw.CellPadding{Global: padding},
	}
	var out strings.Builder
	writer := tablewriter.NewTable(&out,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Lines: tw.LinesNone, Separators: tw.SeparatorsNone},
		})),
		tablewriter.WithHeaderConfig(cells),
		tablewriter.WithRowConfig(cells),
	)
	writer.Header(head)
	if err := writer.Bulk(rows); err != nil {
		return fmt.Errorf("filling the table: %w", err)
	}
	if err := writer.Render(); err != nil {
		return fmt.Errorf("drawing the table: %w", err)
	}
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(strings.TrimRight(line, " \n"), reset)
		p.line(strings.TrimRight(line, " "))
	}
	return nil
}
