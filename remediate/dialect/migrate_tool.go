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
	files func(number, separator, slug, up, down string) []migration
}

// migration is one file. aside is true for a way back that the tool would run
// as a step forward if it lay in the folder.
type migration struct {
	name, content string
	aside         bool
}

var plainNumber = regexp.MustCompile(`^(\d+)([_-]).*\.sql$`)

// tools are those that migrations can be written for. The shapes are those of
// the tools' own documentation.
var tools = []tool{
	{"golang-migrate", regexp.MustCompile(`^(\d+)(_).*\.(?:up|down)\.sql$`), "000001", func(n, _, slug, up, down string) []migration {
		return []migration{{name: n + "_" + slug + ".up.sql", content: up}, {name: n + "_" + slug + ".down.sql", content: down}}
	}},
	{"goose", plainNumber, "00001", func(n, _, slug, up, down string) []migration {
		return []migration{{name: n + "_" + slug + ".sql", content: "-- +goose Up\n" + gooseBlock(up) + "\n-- +goose Down\n" + gooseBlock(down)}}
	}},
	{"dbmate", plainNumber, "", func(n, _, slug, up, down string) []migration {
		return []migration{{name: n + "_" + slug + ".sql", content: "-- migrate:up\n" + up + "\n-- migrate:down\n" + down}}
	}},
	{"tern", plainNumber, "001", func(n, _, slug, up, down string) []migration {
		return []migration{{name: n + "_" + slug + ".sql", content: up + "\n---- create above / drop below ----\n\n" + down}}
	}},
	{"flyway", regexp.MustCompile(`^V(\d+)(_)(?:_|\.).*\.sql$`), "1", func(n, _, slug, up, down string) []migration {
		return []migration{{name: "V" + n + "__" + slug + ".sql", content: up}, {name: "U" + n + "__" + slug + ".sql", content: down}}
	}},
	{"wrangler", plainNumber, "0001", forwardOnly},
	{"plain", plainNumber, "0001", forwardOnly},
}

func forwardOnly(n, separator, slug, up, down string) []migration {
	return []migration{{name: n + separator + slug + ".sql", content: up}, {name: n + separator + slug + "_undo.sql", content: down, aside: true}}
}

// gooseBlock keeps goose from splitting at the semicolons of a block.
func gooseBlock(sql string) string {
	if !strings.Contains(sql, "$twinrow") {
		return sql
	}
	return "-- +goose StatementBegin\n" + sql + "-- +goose StatementEnd\n"
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
