package dialect

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"twinrow/remediate/plan"
	"twinrow/templates"
)

// runbookName is the page beside sql/ that a person works through.
const runbookName = "runbook.md"

// runbook writes the page of a plan: what is done in which order, by whom,
// with the commands of this very case. Keys of rows are not on it, ids are.
func runbook(opened *plan.Case, p *plan.Plan, files []plan.File, t tool) (plan.File, error) {
	b := book{opened: opened, plan: p, files: files, tool: t, dir: templates.ShellWord(opened.Dir)}
	page := templates.Runbook{
		Title: b.title(), Case: opened.ID, Scanned: opened.CreatedAt, Source: b.source(),
		Before: b.before(), Steps: b.steps(), Back: b.back(),
		Decide: []string{
			"twinrow report " + b.dir + " --format csv -o decisions.csv",
			"twinrow plan " + b.dir + " --decisions decisions.csv",
		},
	}
	for i := range p.Tables {
		table := &p.Tables[i]
		page.Tables = append(page.Tables, templates.RunbookTable{Name: table.Table, Key: table.Key, Groups: plan.Count(len(table.Groups), "group"),
			Rows: surplusOf(table), Held: plan.Count(len(table.Held), "group"), Strategy: table.Strategy + ": " + table.StrategyReason})
		for _, h := range table.Held {
			page.Held = append(page.Held, templates.RunbookHeld{Group: h.Number, Table: table.Table, Rows: idTexts(h.Rows), Reason: h.Reason})
		}
	}
	for _, h := range p.Hazards {
		page.Hazards = append(page.Hazards, templates.RunbookHazard{Name: string(h), Means: h.Means()})
	}
	if d := p.Decided; d != nil {
		page.Decided = fmt.Sprintf("%s decided by %s with %s at %s", plan.Count(len(d.Groups), "group"), d.By, d.File, d.At)
	}
	var out bytes.Buffer
	if err := page.Execute(&out); err != nil {
		return plan.File{}, fmt.Errorf("writing the runbook: %w", err)
	}
	return plan.File{Path: runbookName, Content: out.Bytes()}, nil
}

// book holds what the parts of the page are made from.
type book struct {
	opened *plan.Case
	plan   *plan.Plan
	files  []plan.File
	tool   tool
	// dir is the case as a shell takes it.
	dir string
}

func idTexts(ids []plan.Fields) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = plan.IDText(id)
	}
	return strings.Join(texts, "; ")
}

// surplusOf says how many rows are more than one of each group, and what
// becomes of them.
func surplusOf(t *plan.Table) string {
	if len(t.Set) > 0 {
		return plan.Count(t.SetRows(), "row") + " given new values"
	}
	return plan.Count(t.Removed(), "row") + " removed"
}

func (b *book) title() string {
	var names []string
	for _, t := range b.plan.Tables {
		names = append(names, t.Table)
	}
	return "duplicates in " + strings.Join(names, ", ")
}

func (b *book) source() string {
	s := b.opened.Source
	return strings.TrimSpace(map[string]string{"postgres": "PostgreSQL", "sqlite": "SQLite", "d1": "D1", "csv": "the file"}[s.Engine] + " " + s.Database)
}

// cleans tells whether anything is done to a database.
func (b *book) cleans() bool {
	for _, t := range b.plan.Tables {
		if len(t.Operations) > 0 {
			return true
		}
	}
	return false
}

// indexes are the unique indexes that the plan builds, with their tables.
func (b *book) indexes() []*plan.Table {
	var out []*plan.Table
	for i := range b.plan.Tables {
		if b.plan.Tables[i].Operation(plan.OpUniqueIndex) != nil {
			out = append(out, &b.plan.Tables[i])
		}
	}
	return out
}

// scripts are the numbered files in the order to run them, or their ways back
// in the order that takes the whole back.
func (b *book) scripts(back bool) []string {
	var out []string
	for _, f := range b.files {
		name := filepath.Base(f.Path)
		numbered := filepath.ToSlash(filepath.Dir(f.Path)) == plan.SQLDir && name[0] >= '1' && name[0] <= '5' && name[1] == '0' && name[2] == '_'
		if !numbered || strings.HasSuffix(name, "_undo.sql") != back {
			continue
		}
		if line := b.run(plan.PathIn(b.opened.Dir, f.Path)); back {
			out = append([]string{line}, out...)
		} else {
			out = append(out, line)
		}
	}
	return out
}

// run is the engine's own client over a file.
func (b *book) run(path string) string {
	path = templates.ShellWord(path)
	switch b.plan.Engine {
	case "postgres":
		return `psql -v ON_ERROR_STOP=1 -f ` + path + ` "$DATABASE_URL"`
	case "d1":
		return "wrangler d1 execute NAME --remote --file=" + path
	}
	return "sqlite3 " + templates.ShellWord(b.opened.Source.Location) + " < " + path
}

func (b *book) allow() string {
	names := make([]string, len(b.plan.Hazards))
	for i, h := range b.plan.Hazards {
		names[i] = string(h)
	}
	if len(names) == 0 {
		return ""
	}
	return " --allow " + strings.Join(names, ",")
}
