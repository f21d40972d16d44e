// Package markdown writes a report for an incident document or a ticket: the
// finding, a table of the groups, the reasons, what could not be known, what
// was done and what is next. It knows nothing but the document.
package markdown

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/report"
)

const (
	// maxGroups is how many groups of a table are written out.
	maxGroups = 100
	// maxReasons is how many groups are few enough to give the reasons of each.
	maxReasons = 20
	// maxUnknown is how many things that could not be known are written out.
	maxUnknown = 20
	// maxIDs is how many rows of a group are named.
	maxIDs = 8
	// maxValue is the length in characters of a value before its middle is cut out.
	maxValue = 80
)

// Render writes the document in the dialect of GitHub. Values stand in it as
// text: no markup, link, mention or HTML in them takes effect.
func Render(w io.Writer, doc *report.Document) error {
	var b strings.Builder
	for i := range doc.Tables {
		writeTable(&b, doc, &doc.Tables[i])
	}
	writeChecks(&b, doc)
	writeTimeline(&b, doc)
	var steps []string
	for _, s := range doc.Next() {
		steps = append(steps, text(s.Does)+": "+code(report.Plain(s.Command)))
	}
	writeItems(&b, "### Next", steps)
	b.WriteString("---\n\n" + text(doc.Tool.Name+" "+doc.Tool.Version) + ", case " + code(report.Plain(doc.CaseID)) + ", scanned " + text(report.Instant(&doc.ScannedAt)) + " UTC.")
	if doc.Redacted {
		b.WriteString(" Values are masked: the same value has the same mask within this case.")
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

func writeTable(b *strings.Builder, doc *report.Document, t *report.Table) {
	if t.Totals.Groups == 0 {
		fmt.Fprintf(b, "## No duplicates in %s\n\n", text(t.Name))
	} else {
		fmt.Fprintf(b, "## Duplicates in %s\n\n**%s.**\n\n", text(t.Name), text(t.Found()))
		writeAnswers(b, t)
	}
	facts := []string{"key " + text(t.KeyText()), text(t.Read())}
	if already := t.Already(); already != "" && t.Totals.Groups == 0 {
		facts = append(facts, text(already))
	}
	if t.Where != "" {
		facts = append(facts, "only rows where "+code(report.Plain(t.Where)))
	}
	writeItems(b, "", facts)
	if len(t.Groups) > 0 {
		writeGroups(b, doc, t)
	}
	writeFacts(b, t)
}

func writeGroups(b *strings.Builder, doc *report.Document, t *report.Table) {
	shown := t.Groups[:min(len(t.Groups), maxGroups)]
	writeHead(b, t)
	for i := range shown {
		writeGroup(b, &shown[i])
	}
	b.WriteByte('\n')
	if more := len(t.Groups) - len(shown); more > 0 {
		fmt.Fprintf(b, "And %s more: %s\n\n", report.Number(more), code(report.Plain("twinrow report "+report.ShellWord(doc.Dir)+" --format csv")))
	}
	var why []string
	for _, g := range report.Examples(shown, maxReasons) {
		why = append(why, fmt.Sprintf("group %d, %s: %s%s", g.Number, text(string(g.Class)), strings.Join(texts(g.Reasons), "; "), differences(&g)+choice(&g)))
	}
	if len(why) < len(shown) {
		writeItems(b, "### Why (one group of each class)", why)
	} else {
		writeItems(b, "### Why", why)
	}
	writeItems(b, "### What could not be known", texts(t.UnknownLines(maxUnknown)))
}

func writeHead(b *strings.Builder, t *report.Table) {
	head := []string{"#"}
	for _, part := range t.Key {
		head = append(head, text(part))
	}
	head = append(head, "class", "gap", "first row (UTC)", "rows", "copies")
	writeLine(b, head)
	for i := range head {
		head[i] = "---"
	}
	head[0] = "--:"
	writeLine(b, head)
}

func writeGroup(b *strings.Builder, g *report.Group) {
	cells := []string{strconv.Itoa(g.Number)}
	for _, f := range g.Key {
		cells = append(cells, value(f.Value))
	}
	first := ""
	if len(g.Rows) > 0 {
		first = text(report.Instant(g.Rows[0].Time))
	}
	differ := ""
	if len(g.Differs) > 0 {
		differ = ": " + text(strings.Join(g.Differs, ", "))
	}
	writeLine(b, append(cells,
		text(string(g.Class)+" ("+g.Sureness()+")"), text(strings.Join(g.Gaps(3), ", ")), first, ids(g), g.Copies()+differ))
}

// ids names the rows in order, the one that the plan keeps in bold.
func ids(g *report.Group) string {
	var names []string
	for i, row := range g.Rows {
		if i == maxIDs {
			names = append(names, "…")
			break
		}
		name := id(row.ID)
		if row.Fate == report.Keep {
			name = "**" + name + "**"
		}
		names = append(names, name)
	}
	return strings.Join(names, " → ")
}

func id(id casefile.Fields) string {
	return code(report.Shorten(report.Values(id, "/"), maxValue, nil))
}

// choice is the plan's decision about the group as the end of a sentence.
func choice(g *report.Group) string {
	if g.Choice == nil {
		return ""
	}
	if g.Choice.Held != "" {
		return "; held: " + text(g.Choice.Held)
	}
	if kept, ok := g.Kept(); ok {
		return "; keep " + id(kept) + ": " + text(g.Choice.Reason)
	}
	return ""
}

func writeItems(b *strings.Builder, heading string, items []string) {
	if len(items) == 0 {
		return
	}
	if heading != "" {
		b.WriteString(heading + "\n\n")
	}
	for _, item := range items {
		b.WriteString("- " + item + "\n")
	}
	b.WriteByte('\n')
}

func writeLine(b *strings.Builder, cells []string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}
