package templates

import (
	"io"
	"regexp"
	"strings"
	"text/template"
)

// Runbook is what has to be done, by whom and with which commands, before an
// incident is over. Texts are plain and may hold anything; commands are ready
// for a shell.
type Runbook struct {
	Title, Case, Scanned, Source string
	Tables                       []RunbookTable
	Hazards                      []RunbookHazard
	Held                         []RunbookHeld
	// Decided says who decided where no rule could, "" for nobody.
	Decided string
	// Decide are the commands by which a person decides about the groups held back.
	Decide              []string
	Before, Steps, Back []RunbookStep
}

// RunbookTable is one table; the counts come with their nouns.
type RunbookTable struct {
	Name, Groups, Rows, Held, Strategy string
	Key                                []string
}

// RunbookHazard is a danger that somebody consents to.
type RunbookHazard struct{ Name, Means string }

// RunbookHeld is a group that waits for a person.
type RunbookHeld struct {
	Group               int
	Table, Rows, Reason string
}

// RunbookStep is one thing to do. Name is "" outside the checklist.
type RunbookStep struct {
	Name, Does string
	Commands   []string
}

var runbookPage = template.Must(template.New("runbook.md").Funcs(template.FuncMap{
	"line": oneLine, "code": inlineCode, "command": commandBlock,
	"cell": func(text string) string { return strings.ReplaceAll(oneLine(text), "|", `\|`) },
	"sentence": func(text string) string {
		return strings.ToUpper(text[:min(1, len(text))]) + oneLine(text[min(1, len(text)):]) + "."
	},
}).ParseFS(pageFiles, "pages/runbook.md"))

// Execute writes the page as Markdown.
func (r *Runbook) Execute(w io.Writer) error { return runbookPage.Execute(w, r) }

func oneLine(text string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "\x00", " ").Replace(text)
}

// inlineCode fences a name so that nothing in it ends the code or a table's cell.
func inlineCode(text string) string {
	text = strings.ReplaceAll(oneLine(text), "|", `\|`)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return fence + " " + text + " " + fence
	}
	return fence + text + fence
}

// commandBlock is a command as a block inside a list.
func commandBlock(text string) string {
	return "\n      " + strings.ReplaceAll(text, "\n", "\n      ")
}

var bareWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// ShellWord quotes a text for a POSIX shell where it needs it.
func ShellWord(text string) string {
	if bareWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
