package dialect

import (
	"fmt"
	"regexp"
	"strings"

	"twinrow/remediate/plan"
)

// tool is what is particular to one migration tool.
type tool struct {
	name string
	// numbered finds the number in a file's name: group 1.
	numbered *regexp.Regexp
	// first is the number of the first file of an empty folder; "" is the time
	// of the case, as the tool numbers by time.
	first string
	// files shapes one migration. number and slug make the names.
	files func(number, separator, slug string, s step) []migration
	// single is true for a tool that sends a file as one message, which the
	// server takes for one transaction: a statement that none may hold stands alone.
	single bool
	// note is added where such a statement is explained.
	note string
}

// migration is one file. aside is true for a way back that the tool would run
// as a step forward if it lay in the folder.
type migration struct {
	name, content string
	aside         bool
}

// arrange gives each statement of a change a migration of its own where the
// tool needs that, and else puts all into one.
func (t tool) arrange(c change) []step {
	if t.single || len(c.steps) == 1 {
		return c.steps
	}
	one := step{alone: c.alone}
	for _, s := range c.steps {
		one.up += s.up
		one.down = s.down + one.down
	}
	return []step{one}
}

var plainNumber = regexp.MustCompile(`^(\d+)([_-]).*\.sql$`)

// tools are those that migrations can be written for. The shapes, and the
// marks of what is in no transaction, are those of the tools' own documentation.
var tools = []tool{
	{name: "golang-migrate", numbered: regexp.MustCompile(`^(\d+)(_).*\.(?:up|down)\.sql$`), first: "000001", single: true, files: func(n, _, slug string, s step) []migration {
		return []migration{{name: n + "_" + slug + ".up.sql", content: s.up}, {name: n + "_" + slug + ".down.sql", content: orNothing(s.down)}}
	}},
	{name: "goose", numbered: plainNumber, first: "00001", files: func(n, _, slug string, s step) []migration {
		return []migration{{name: n + "_" + slug + ".sql", content: mark(s, "-- +goose NO TRANSACTION\n") + "-- +goose Up\n" + gooseBlocks(s.up) + "\n-- +goose Down\n" + gooseBlocks(s.down)}}
	}},
	{name: "dbmate", numbered: plainNumber, single: true, files: func(n, _, slug string, s step) []migration {
		none := mark(s, " transaction:false")
		return []migration{{name: n + "_" + slug + ".sql", content: "-- migrate:up" + none + "\n" + s.up + "\n-- migrate:down" + none + "\n" + orNothing(s.down)}}
	}},
	{name: "tern", numbered: plainNumber, first: "001", files: func(n, _, slug string, s step) []migration {
		none := mark(s, "---- tern: disable-tx ----\n")
		return []migration{{name: n + "_" + slug + ".sql", content: none + s.up + "\n---- create above / drop below ----\n\n" + none + s.down}}
	}},
	{name: "flyway", numbered: regexp.MustCompile(`^V(\d+)(?:[._]\d+)*(_)_.*\.sql$`), first: "1", single: true, note: "; set flyway.postgresql.transactional.lock=false, or it waits for Flyway's own lock", files: func(n, _, slug string, s step) []migration {
		out := []migration{{name: "V" + n + "__" + slug + ".sql", content: s.up}, {name: "U" + n + "__" + slug + ".sql", content: orNothing(s.down)}}
		if s.alone {
			out = append(out, migration{name: "V" + n + "__" + slug + ".sql.conf", content: "executeInTransaction=false\n"})
		}
		return out
	}},
	{name: "wrangler", numbered: plainNumber, first: "0001", files: forwardOnly},
	{name: "plain", numbered: plainNumber, first: "0001", files: forwardOnly},
}

func forwardOnly(n, separator, slug string, s step) []migration {
	return []migration{{name: n + separator + slug + ".sql", content: s.up}, {name: n + separator + slug + "_undo.sql", content: s.down, aside: true}}
}

// mark is a tool's own mark for what must not run inside a transaction, "" where it may.
func mark(s step, text string) string {
	if s.alone {
		return text
	}
	return ""
}

func orNothing(sql string) string {
	if sql == "" {
		return "-- nothing to take back\n"
	}
	return sql
}

var dollarBlock = regexp.MustCompile(`(?ms)^DO (\$twinrow\d*\$)\n.*?^(\$twinrow\d*\$);\n`)

// gooseBlocks keep goose from splitting at the semicolons of a block.
func gooseBlocks(sql string) string {
	return dollarBlock.ReplaceAllString(sql, "-- +goose StatementBegin\n$0-- +goose StatementEnd\n")
}

// toolNamed finds a tool; "" is the engine's own default.
func toolNamed(name, engine string) (tool, error) {
	if name == "" {
		name = "plain"
		if engine == "d1" {
			name = "wrangler"
		}
	}
	var names []string
	for _, t := range tools {
		if t.name == name {
			return t, fits(name, engine)
		}
		names = append(names, t.name)
	}
	return tool{}, &plan.Problem{Code: plan.CodeUsage, Message: fmt.Sprintf("no migration tool %q", name), Hint: "the tools are: " + strings.Join(names, ", ")}
}

// fits refuses a tool that cannot run on the engine.
func fits(name, engine string) error {
	if name == "wrangler" && engine == "postgres" || name == "tern" && engine != "postgres" {
		return &plan.Problem{Code: plan.CodeUsage, Message: name + " does not run migrations of " + engine, Hint: "name the tool that your project uses, or plain"}
	}
	return nil
}
