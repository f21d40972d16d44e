package dialect

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"twinrow/remediate/plan"
	"twinrow/templates"
)

// before is what is done while nothing is changed yet.
func (b *book) before() []templates.RunbookStep {
	steps := []templates.RunbookStep{{Does: "Read the plan and its SQL: which row of each group stays, and what else changes.", Commands: []string{
		"twinrow report " + b.dir + " --format html -o report.html"}}}
	if b.plan.Engine == "d1" {
		steps = append(steps, templates.RunbookStep{Does: "Note a Time Travel bookmark: it takes the whole database back.", Commands: []string{"wrangler d1 time-travel info NAME"}})
	} else if b.cleans() {
		steps = append(steps, templates.RunbookStep{Does: "See that the last backup is recent and can be restored."})
	}
	if b.cleans() {
		steps = append(steps, templates.RunbookStep{Does: "Rehearse: everything is done in a transaction and rolled back.", Commands: []string{"twinrow apply " + b.dir + " --dry-run"}})
	}
	return steps
}

// steps are the checklist that ends the incident.
func (b *book) steps() []templates.RunbookStep {
	return []templates.RunbookStep{
		{Name: "Code deployed", Does: "The handler catches the unique violation, fetches the row that is there and sends no second mail. It must be live before the constraint is, or customers see errors." + b.violations()},
		b.deleted(),
		b.constraint(),
		{Name: "Checked", Does: "No duplicates left, the index valid, survivors unchanged, every removed row in quarantine, no orphans.", Commands: []string{"twinrow verify " + b.dir}},
		b.contacted(),
		{Name: "Logs watched", Does: "For a day, look for requests that the constraint stopped: each is a race that would have made a duplicate, and none may have become an error for a customer." + b.violations()},
		{Name: "Fix proven", Does: "Fire identical requests at once at staging; exactly one may win.", Commands: []string{
			"twinrow probe https://staging.example.com/webhook --method POST --body @payload.json --copies 5 --rounds 20 --allow-host staging.example.com --case " + b.dir}},
	}
}

func (b *book) deleted() templates.RunbookStep {
	step := templates.RunbookStep{Name: "Duplicates deleted"}
	removed, set := 0, 0
	for i := range b.plan.Tables {
		removed += b.plan.Tables[i].Removed()
		set += b.plan.Tables[i].SetRows()
	}
	switch {
	case b.plan.Engine == "csv":
		step.Does = fmt.Sprintf("The case is of a file: it names %s to remove, and nothing is done. Scan the database itself to clean it.", plan.Count(removed, "row"))
	case !b.cleans():
		step.Does = "Nothing can be done before the groups held back are decided."
	default:
		if set > 0 {
			step.Does = fmt.Sprintf("%s: copied to quarantine, then given new values, so that they are duplicates no more. ", plan.Count(set, "row"))
		}
		if removed > 0 || set == 0 {
			step.Does += fmt.Sprintf("%s: copied to quarantine, then removed. ", plan.Count(removed, "row"))
		}
		step.Does += "By twinrow, which keeps a journal and goes on after a crash:"
		step.Commands = append([]string{"twinrow apply " + b.dir + b.allow()}, b.gently()...)
		step.Commands = append(step.Commands, "# or by the engine's own client, in this order:\n"+strings.Join(b.scripts(false), "\n"))
	}
	return step
}

// gently are the ways to go slowly over a table that goes on being written to.
func (b *book) gently() []string {
	if !slices.ContainsFunc(b.plan.Tables, func(t plan.Table) bool { return t.Strategy == plan.Online }) {
		return nil
	}
	apply := "twinrow apply " + b.dir + b.allow()
	return []string{
		"# or step by step: the fence, the batches (smaller and slower ones), the index, the rest\n" +
			apply + " --until fence\n" + apply + " --until clean --batch 200 --pause 100ms\n" + apply + " --until index\n" + apply,
		"# it ends after the batch in hand, and goes on when the file is gone and it is run again\n" +
			"touch " + templates.ShellWord(filepath.Join(b.opened.Dir, plan.StopFile)),
	}
}

func (b *book) constraint() templates.RunbookStep {
	step := templates.RunbookStep{Name: "Constraint applied"}
	indexes := b.indexes()
	if len(indexes) == 0 {
		step.Does = "The plan builds no index; its notes in plan.json say why."
		return step
	}
	var names []string
	for _, t := range indexes {
		names = append(names, t.Operation(plan.OpUniqueIndex).Index.Name+" on "+t.Table)
	}
	step.Does = "The commands above have built " + strings.Join(names, ", ") + ". Put the migration into the project too, so that every other database gets it; where the index is there already it only checks it."
	for _, f := range b.files {
		name := filepath.Base(f.Path)
		if strings.Contains(name, "unique_") && !strings.HasSuffix(name, "_undo.sql") {
			step.Commands = append(step.Commands, "# "+templates.ShellWord(plan.PathIn(b.opened.Dir, f.Path)))
		}
	}
	if command := b.migrate(); command != "" {
		step.Commands = append(step.Commands, command)
	}
	return step
}

// migrate is the tool's own command over the folder that the migrations are in.
func (b *book) migrate() string {
	dir := "DIR"
	for _, f := range b.files {
		if filepath.IsAbs(f.Path) {
			dir = templates.ShellWord(filepath.Dir(f.Path))
		}
	}
	driver := map[bool]string{true: "postgres", false: "sqlite3"}[b.plan.Engine == "postgres"]
	return map[string]string{
		"golang-migrate": `migrate -path ` + dir + ` -database "$DATABASE_URL" up`,
		"goose":          `goose -dir ` + dir + ` ` + driver + ` "$DATABASE_URL" up`,
		"dbmate":         `dbmate --migrations-dir ` + dir + ` migrate`,
		"tern":           `tern migrate -m ` + dir + ` --conn-string "$DATABASE_URL"`,
		"flyway":         `flyway -locations=filesystem:` + dir + ` migrate`,
		"wrangler":       "wrangler d1 migrations apply NAME --remote",
	}[b.tool.name]
}

func (b *book) contacted() templates.RunbookStep {
	customers := 0
	for _, t := range b.opened.Tables {
		customers = max(customers, t.Totals.Customers)
	}
	step := templates.RunbookStep{Name: "Customers contacted", Does: "No column of addresses was named at the scan, so no mails can be drafted; scan again with --email to write to the people concerned."}
	if customers > 0 {
		step.Does = plan.Count(customers, "customer") + ": one mail each, which says what is valid and what to disregard. Support reads the drafts before they go."
		step.Commands = []string{
			"twinrow notify draft " + b.dir + " --from support@example.com --reply-to support@example.com",
			"twinrow notify send " + b.dir,
			"twinrow notify status " + b.dir,
		}
	}
	return step
}

// violations says how the constraint speaks in the application's log.
func (b *book) violations() string {
	var texts []string
	for _, t := range b.indexes() {
		index := t.Operation(plan.OpUniqueIndex).Index
		switch {
		case b.plan.Engine == "postgres":
			texts = append(texts, `duplicate key value violates unique constraint "`+index.Name+`" (SQLSTATE 23505)`)
		case hasExpression(index.Parts):
			texts = append(texts, "UNIQUE constraint failed: index '"+index.Name+"'")
		default:
			var columns []string
			for _, part := range index.Parts {
				columns = append(columns, t.Table+"."+part.Text)
			}
			texts = append(texts, "UNIQUE constraint failed: "+strings.Join(columns, ", "))
		}
	}
	if len(texts) == 0 {
		return ""
	}
	return " The database's words are: " + oneLine(strings.Join(texts, "; ")) + "."
}

func hasExpression(parts []plan.KeyPart) bool {
	for _, part := range parts {
		if part.Expression {
			return true
		}
	}
	return false
}

// back is how the clean-up is taken back.
func (b *book) back() []templates.RunbookStep {
	if !b.cleans() {
		return []templates.RunbookStep{{Does: "Nothing is done, so there is nothing to take back."}}
	}
	steps := []templates.RunbookStep{
		{Does: "What twinrow did, from its journal: the index goes if this case built it, and every row comes back as it was.", Commands: []string{"twinrow undo " + b.dir}},
		{Does: "What the files did, by the engine's own client, the last first:", Commands: []string{strings.Join(b.scripts(true), "\n")}},
	}
	if b.plan.Engine == "d1" {
		steps = append(steps, templates.RunbookStep{Does: "The whole database, with everything that was written since:", Commands: []string{"wrangler d1 time-travel restore NAME --bookmark=BOOKMARK"}})
	}
	return steps
}
