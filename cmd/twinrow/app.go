package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"twinrow/detect/key"
)

// app is the command line. The library is kept from ending the process and
// from printing errors: run does both, in one place.
func (p *program) app() *cli.App {
	return &cli.App{
		Name:                  "twinrow",
		Usage:                 "find the rows that happened twice, show why, remove them safely, tell the people, prove the fix",
		UsageText:             "twinrow VERB [ARG…] [FLAG…]",
		Description:           "SOURCE is postgres://… or a libpq keyword string, sqlite:PATH or a SQLite or local D1 file,\ndynamodb:TABLE (by the environment and the profile of the AWS SDK),\na .csv, .tsv or .jsonl (.ndjson) file, the .json of `aws dynamodb scan`, a .sql dump of sqlite3 or `wrangler d1 export`, each of\nthem also as .gz or .zst, or - for CSV or JSON lines (compressed or not) on standard input;\nleft out, it is $DATABASE_URL.\nCASE is the directory that `twinrow scan` made.\n\nEXAMPLE\n   twinrow demo --dir demo",
		HideVersion:           true,
		HideHelpCommand:       true,
		CustomAppHelpTemplate: appHelp,
		ExitErrHandler:        func(*cli.Context, error) {},
		OnUsageError:          usageError,
		Commands: []*cli.Command{
			p.cmdDemo(),
			p.cmdSuspects(),
			p.cmdScan(),
			p.cmdReport(),
			p.cmdPlan(),
			p.cmdApply(),
			p.cmdUndo(),
			p.cmdVerify(),
			p.cmdNotify(),
			p.cmdProbe(),
			p.cmdWatch(),
			p.cmdVersion(),
		},
	}
}

// command completes a verb with what all verbs have in common.
func command(c cli.Command) *cli.Command {
	c.HideHelpCommand = true
	c.OnUsageError = usageError
	c.CustomHelpTemplate = commandHelp
	c.Description = c.Description + "\n\n" + exitSection
	if len(c.Subcommands) == 0 {
		c.Flags = append(c.Flags,
			boolFlag("quiet", "print no messages, only the product and errors"),
			boolFlag("verbose", "say more of what is being done"),
		)
	}
	return &c
}

func usageError(c *cli.Context, err error, _ bool) error {
	hint := "see `twinrow --help`"
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != "twinrow" {
		hint = fmt.Sprintf("see `%s --help`", calledAs(c.Command))
	}
	message := err.Error()
	if name, ok := strings.CutPrefix(message, "flag provided but not defined: -"); ok {
		message = "no flag --" + strings.TrimLeft(name, "-")
		if near := key.Nearest(name, flagNames(c.Command)); len(near) > 0 {
			hint = "did you mean --" + near[0] + "? " + hint
		}
	}
	if bad := badValue.FindStringSubmatch(message); bad != nil && c.Command != nil {
		message = "--" + bad[2] + " " + bad[1] + " is not " + valueOf(c.Command, bad[2])
	}
	return &key.Problem{Code: key.CodeUsage, Message: message, Hint: hint}
}

// badValue is what the flag parser says of a value that it cannot read.
var badValue = regexp.MustCompile(`^invalid (?:boolean )?value "(.*)" for (?:flag )?-(\S+): `)

// valueOf says what a flag takes.
func valueOf(c *cli.Command, name string) string {
	for _, f := range c.Flags {
		if !slices.Contains(f.Names(), name) {
			continue
		}
		switch f.(type) {
		case *cli.DurationFlag:
			return "a length of time, as 500ms, 30s, 5m or 72h"
		case *cli.BoolFlag:
			return "true or false"
		case *cli.Float64Flag:
			return "a number"
		}
	}
	return "a whole number"
}

// calledAs is a command as it is typed, "twinrow notify draft".
func calledAs(c *cli.Command) string {
	return strings.TrimSpace("twinrow " + strings.TrimPrefix(c.HelpName, "twinrow "))
}

func flagNames(c *cli.Command) []string {
	var all []string
	if c == nil {
		return nil
	}
	for _, f := range c.Flags {
		all = append(all, f.Names()[0])
	}
	return all
}

// operands checks how many arguments a command got; names are theirs, those in
// brackets may be left out. Missing ones come back as "".
func operands(c *cli.Context, names ...string) ([]string, error) {
	given := c.Args().Slice()
	usage := func(message string) error {
		return &key.Problem{Code: key.CodeUsage, Message: message, Hint: "the form is `" + strings.Join(slices.Concat([]string{calledAs(c.Command)}, names, []string{"[FLAG…]"}), " ") + "`"}
	}
	if len(given) > len(names) {
		return nil, usage("one argument too many: " + given[len(names)])
	}
	for i, name := range names {
		if i < len(given) {
			continue
		}
		if !strings.HasPrefix(name, "[") {
			return nil, usage("the argument " + name + " is missing")
		}
		given = append(given, "")
	}
	return given, nil
}

const exitSection = `EXIT STATUS
   0    done; for verify and probe: it holds
   1    done, and the check failed: scan --exit-code found duplicates,
        verify found something wrong, probe saw a race
   2    could not: usage, bad input, no connection, not found
   3    refused by a safety rule; the message names the flag that allows it
   4    stopped part-way; nothing is lost; the message says how to resume
   5    probe is inconclusive
   130  interrupted`

const appHelp = `{{.Name}} - {{.Usage}}

USAGE
   {{.UsageText}}

{{.Description}}

VERBS{{range .VisibleCommands}}
   {{printf "%-10s" .Name}} {{.Usage}}{{end}}

` + exitSection + `
`

const commandHelp = `{{.HelpName}} - {{.Usage}}

USAGE
   {{.UsageText}}
{{if .VisibleCommands}}
VERBS{{range .VisibleCommands}}
   {{printf "%-10s" .Name}} {{.Usage}}{{end}}
{{end}}{{if .VisibleFlags}}
FLAGS{{range .VisibleFlags}}
   {{.}}{{end}}
{{end}}
{{.Description}}
`
