package dialect

import (
	"fmt"
	"path"
	"strings"

	"twinrow/remediate/plan"
)

// Options say which files to make.
type Options struct {
	// Migrations is the tool whose migrations are written; "" is wrangler for
	// D1 and plain otherwise.
	Migrations string
	// MigrationsDir is the team's folder; "" is sql/migrations in the case.
	MigrationsDir string
}

// Files makes every file of a plan: the numbered SQL under sql/ with its way
// back, the migrations, and the runbook. It writes nothing. A plan that does
// nothing, and one of a file without a database, has no SQL.
func Files(opened *plan.Case, p *plan.Plan, opts Options) ([]plan.File, error) {
	works, err := p.Work(opened)
	if err != nil {
		return nil, err
	}
	tool, err := toolNamed(opts.Migrations, p.Engine)
	if err != nil {
		return nil, err
	}
	var active []*plan.Work
	for _, w := range works {
		if len(w.Operations) > 0 {
			active = append(active, w)
		}
	}
	files, err := sqlFiles(opened, active, tool, opts)
	if err != nil {
		return nil, err
	}
	page, err := runbook(opened, p, files, tool)
	return append(files, page), err
}

func sqlFiles(opened *plan.Case, active []*plan.Work, tool tool, opts Options) ([]plan.File, error) {
	if len(active) == 0 {
		return nil, nil
	}
	files, err := numbered(active)
	if err != nil {
		return nil, &plan.Problem{Code: plan.CodeUnsupported, Message: "writing the SQL files", Hint: "restore the case from a copy, or scan again", Err: err}
	}
	migrations, err := migrationFiles(opened, active, tool, opts.MigrationsDir)
	return append(files, migrations...), err
}

// numbered are the files under sql/ in the order to run them.
func numbered(works []*plan.Work) ([]plan.File, error) {
	var online, atomic []*plan.Work
	for _, w := range works {
		if w.Strategy == plan.Online {
			online = append(online, w)
		} else {
			atomic = append(atomic, w)
		}
	}
	files := onlineFiles(online)
	if len(atomic) > 0 {
		clean, undo, err := engineFiles(atomic)
		if err != nil {
			return nil, err
		}
		const name = "20_clean_and_index"
		files = append(files,
			file(atomic, name+".sql", "the clean-up and the unique index: all of it, or nothing where a row is no longer as the evidence has it", clean),
			file(atomic, name+"_undo.sql", "the way back of "+name+".sql", undo))
	}
	verify, err := verifyFile(works)
	return append(files, file(works, "50_verify.sql", "what must hold after the clean-up; it changes no table of yours, and fails where a check does", verify)), err
}

func engineFiles(works []*plan.Work) (clean, undo string, err error) {
	if works[0].Engine == "postgres" {
		return postgresClean(works), postgresUndo(works), nil
	}
	d1 := works[0].Engine == "d1"
	if clean, err = sqliteClean(works, d1); err != nil {
		return "", "", err
	}
	undo, err = sqliteUndo(works, d1)
	return clean, undo, err
}

func verifyFile(works []*plan.Work) (string, error) {
	if works[0].Engine == "postgres" {
		return postgresVerify(works), nil
	}
	return sqliteVerify(works, works[0].Engine == "d1")
}

// file puts the head on a file: what it does, to what, and how to run it.
func file(works []*plan.Work, name, does, body string) plan.File {
	var head script
	head.comment("twinrow: " + does)
	head.b.WriteString("-- case " + works[0].CaseID + "; it is safe to run twice\n")
	for _, w := range works {
		head.b.WriteString("-- " + oneLine(fmt.Sprintf("%s: %s, %s to remove", w.Table.Table, plan.Count(len(w.Groups), "group"), plan.Count(w.RemoveCount(), "row"))) + "\n")
	}
	run := map[string]string{
		"postgres": `psql -v ON_ERROR_STOP=1 -f ` + name + ` "$DATABASE_URL"`,
		"sqlite":   `sqlite3 FILE < ` + name,
		"d1":       `wrangler d1 execute NAME --file=` + name + `   (note a Time Travel bookmark first: wrangler d1 time-travel info NAME)`,
	}
	head.b.WriteString("-- run: " + run[works[0].Engine] + "\n\n")
	content := strings.TrimLeft(head.String(), "\n") + body
	return plan.File{Path: path.Join(plan.SQLDir, name), Content: []byte(content)}
}

func oneLine(text string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "\x00", " ").Replace(text)
}
