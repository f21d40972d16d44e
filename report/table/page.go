package table

import (
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"twinrow/detect/casefile"
	"twinrow/report"
)

// maxLines is how many lines one sentence may take.
const maxLines = 6

// page gathers the lines.
type page struct {
	text  strings.Builder
	width int
	color bool
}

func newPage(opts Options) *page {
	width := opts.Width
	if width <= 0 {
		width = 80
	}
	return &page{width: max(width, 72), color: opts.Color}
}

func (p *page) line(text string) { p.text.WriteString(text + "\n") }

// wrap writes a text with line breaks at spaces, lines after the first
// indented by the indent and two spaces more where there is one. A word wider
// than the line is shortened, and so is a text of more than a few lines.
func (p *page) wrap(indent, text string) {
	text = fit(text, maxLines*p.width)
	line, used := indent, len(indent)
	hang := indent
	if indent != "" {
		hang += "  "
	}
	empty := true
	for word := range strings.FieldsSeq(text) {
		word = fit(word, p.width-len(hang))
		if wide := twwidth.Width(word); !empty && used+1+wide > p.width {
			p.line(line)
			line, used = hang+word, len(hang)+wide
		} else if empty {
			line, used = line+word, used+wide
		} else {
			line, used = line+" "+word, used+1+wide
		}
		empty = false
	}
	p.line(line)
}

// list writes a heading and the items below it, or nothing where there are none.
func (p *page) list(heading string, items []string) {
	if len(items) == 0 {
		return
	}
	p.line("")
	p.line(p.bold(heading))
	for _, item := range items {
		p.wrap("  ", item)
	}
}

// fit shortens a text to a width in cells of the terminal.
func fit(text string, width int) string {
	if twwidth.Width(text) <= width && len(text) <= 4*width {
		return text
	}
	return report.Shorten(text, width, runeWidth)
}

func runeWidth(r rune) int { return twwidth.Width(string(r)) }

const reset = "\x1b[0m"

func (p *page) bold(text string) string {
	if !p.color {
		return text
	}
	return "\x1b[1m" + text + reset
}

func (p *page) dim(text string) string {
	if !p.color || text == "" {
		return text
	}
	return "\x1b[2m" + text + reset
}

// classColors are of the sixteen that every terminal has and every theme
// makes readable. The word itself always stands beside its colour.
var classColors = map[casefile.Class]string{
	casefile.SameTransaction: "\x1b[35m",
	casefile.Race:            "\x1b[31m",
	casefile.Resubmit:        "\x1b[33m",
	casefile.Retry:           "\x1b[34m",
	casefile.Replay:          "\x1b[36m",
}

func (p *page) class(class casefile.Class) string {
	name := report.Plain(string(class))
	if escape := classColors[class]; p.color && escape != "" {
		return escape + name + reset
	}
	return name
}
