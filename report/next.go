package report

import (
	"strings"

	"twinrow/templates"
)

// Step is something to do next.
type Step struct {
	// Does says what for, without a full stop.
	Does string
	// Command is the line to type, ready for a shell.
	Command string
}

// Next are the steps that follow from the documents there are: what was not
// done yet comes first. It is empty where nothing was found.
func (d *Document) Next() []Step {
	if !d.found() {
		return nil
	}
	dir := ShellWord(d.Dir)
	plan := Step{"choose survivors and write the clean-up, changing nothing", "twinrow plan " + dir}
	verify := Step{"see that it holds", "twinrow verify " + dir}
	draft := Step{"draft one mail a customer", "twinrow notify draft " + dir + " --from ADDRESS --reply-to ADDRESS"}
	switch {
	case d.Plan == nil:
		return []Step{{"share the page", "twinrow report " + dir + " --format html -o report.html"}, plan}
	case d.Journal == nil:
		return []Step{{"read the plan, then rehearse it", "twinrow apply " + dir + " --dry-run"}, {"carry it out", d.apply(dir)}}
	case d.Journal.State == Stopped:
		return []Step{{"go on where it stopped", d.apply(dir)}, {"or take everything back", "twinrow undo " + dir}}
	case d.Journal.State == Undone:
		return []Step{plan}
	}
	steps := []Step{verify}
	if d.Mails == nil {
		steps = append(steps, draft)
	}
	if d.proven().State != CheckDone {
		steps = append(steps, Step{"prove that the fix holds", "twinrow probe SPEC.yaml --case " + dir})
	}
	return steps
}

func (d *Document) found() bool {
	for _, t := range d.Tables {
		if t.Totals.Groups > 0 {
			return true
		}
	}
	return false
}

func (d *Document) apply(dir string) string {
	command := "twinrow apply " + dir
	if len(d.Plan.Hazards) > 0 {
		command += " --allow " + ShellWord(strings.Join(d.Plan.Hazards, ","))
	}
	return command
}

// ShellWord quotes a text for a POSIX shell where it needs it.
func ShellWord(text string) string { return templates.ShellWord(text) }
