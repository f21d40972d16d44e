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
	// cut is true where something was left out for want of room.
	cut bool
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
// indented by the indent and two spaces more where there is one.
func (p *page) wrap(indent, text string) {
	hang := len(indent)
	if indent != "" {
		hang += 2
	}
	p.hang(indent, len(indent), hang, maxLines, text)
}

// hang writes a text behind a prefix that is wide cells wide, lines after the
// first indented by hang. A word wider than the line is shortened, and so is a
// text of more than limit lines.
func (p *page) hang(prefix string, wide, hang, limit int, text string) {
	text = fit(text, limit*(p.width-max(wide, hang))-limit) // a line may end early by a word
	p.words(prefix, wide, hang, strings.Fields(text))
}

// words writes words, none of which is broken unless it is wider than the line.
func (p *page) words(prefix string, wide, hang int, words []string) {
	line, used := prefix, wide
	empty := true
	for _, word := range words {
		word = fit(word, p.width-hang)
		if cells := twwidth.Width(word); !empty && used+1+cells > p.width {
			p.line(line)
			line, used = strings.Repeat(" ", hang)+word, hang+cells
		} else if empty {
			line, used = line+word, used+cells
		} else {
			line, used = line+" "+word, used+1+cells
		}
		empty = false
	}
	p.line(line)
}

// label writes a text behind what it is about, in a column of its own.
func (p *page) label(about, text string, limit int) {
	about = fit(about, labelWidth-1)
	p.hang(p.dim(about)+strings.Repeat(" ", labelWidth-twwidth.Width(about)), labelWidth, labelWidth, limit, text)
}

// labelWidth is that of the column of what lines are about.
const labelWidth = 17

// lines are those that write writes to a page like this one.
func (p *page) lines(write func(*page) error) ([]string, error) {
	other := &page{width: p.width, color: p.color}
	if err := write(other); err != nil {
		return nil, err
	}
	p.cut = p.cut || other.cut
	if other.text.Len() == 0 {
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(other.text.String(), "\n"), "\n"), nil
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

// fitEnd shortens a sentence, whose beginning matters most.
func fitEnd(text string, width int) string {
	used := 0
	for i, r := range text {
		if used += max(1, runeWidth(r)); used > width-1 && twwidth.Width(text) > width {
			return text[:i] + "…"
		}
	}
	return text
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
