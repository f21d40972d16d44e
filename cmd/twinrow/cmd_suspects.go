package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"twinrow/detect/suspect"
)

// firstSuspects is how many are shown to a person unless more are asked for.
const firstSuspects = 20

func (p *program) cmdSuspects() *cli.Command {
	return command(cli.Command{
		Name:        "suspects",
		Usage:       "rank keys that look as if they should be unique and are not; reads no table",
		UsageText:   "twinrow suspects [SOURCE] [--format table|json]",
		Description: "Looks at the catalogue and the statistics alone: names, shares of distinct values, unique\nindexes that are partial, invalid, or let NULLs repeat, and collations that changed.\nA suspicion is no finding; each comes with the scan that settles it. Shows the first 20,\nand all with --verbose.\n\nEXAMPLE\n   twinrow suspects postgres://localhost/shop",
		Flags:       []cli.Flag{formatFlag("table", "table", "json")},
		Action: func(c *cli.Context) error {
			args, err := operands(c, "[SOURCE]")
			if err != nil {
				return err
			}
			format, err := chosenFormat(c, "table", "json")
			if err != nil {
				return err
			}
			doc, err := p.suspects(c, args[0])
			if err != nil {
				return err
			}
			if format == "json" {
				encoder := json.NewEncoder(p.stdout)
				encoder.SetEscapeHTML(false)
				return encoder.Encode(doc)
			}
			return p.printSuspects(doc, c.Bool("verbose"))
		},
	})
}

func (p *program) suspects(c *cli.Context, named string) (*suspect.Document, error) {
	at, err := p.place(named)
	if err != nil {
		return nil, err
	}
	src, err := p.open(c.Context, at, readOptions{jobs: 1})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	var options suspect.Options
	if named != "" { // else $DATABASE_URL names it again
		options.Place = src.Info().Location
	}
	return suspect.Find(c.Context, src, options)
}

// printSuspects writes them for a person: the reasons, and the line to run.
func (p *program) printSuspects(doc *suspect.Document, all bool) error {
	var b strings.Builder
	line := func(indent, format string, args ...any) {
		b.WriteString(indent + oneLine(fmt.Sprintf(format, args...)) + "\n")
	}
	where := fmt.Sprintf("%s of %s; no table was read", numbered(doc.Tables, "table"), doc.Source.Database)
	shown := doc.Suspects
	if len(shown) == 0 {
		line("", "no key looks as if it should be unique and is not, in %s", where)
	} else {
		line("", "%s that should perhaps be unique, in %s", numbered(len(shown), "key"), where)
	}
	if !all && len(shown) > firstSuspects {
		shown = shown[:firstSuspects]
	}
	for i, s := range shown {
		rows := ""
		if s.Rows != nil {
			rows = ", about " + humanize.Comma(*s.Rows) + " rows"
		}
		b.WriteString("\n")
		line(fmt.Sprintf("%3d  ", i+1), "%s (%s): %s%s", s.Table, strings.Join(s.Key, ", "), suspectKinds[s.Kind], rows)
		for _, reason := range s.Reasons {
			line("     - ", "%s", reason)
		}
		line("     $ ", "%s", s.Scan)
	}
	if rest := len(doc.Suspects) - len(shown); rest > 0 {
		b.WriteString("\n")
		line("", "and %d weaker ones; --verbose shows all", rest)
	}
	_, err := p.stdout.Write([]byte(b.String()))
	return err
}

func numbered(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return humanize.Comma(int64(n)) + " " + what + "s"
}

// suspectKinds are the kinds in a person's words.
var suspectKinds = map[string]string{
	suspect.NoIndex: "not unique",
	suspect.Partial: "unique for some rows only",
	suspect.Loose:   "unique, but NULLs may repeat",
	suspect.Invalid: "its unique index is invalid",
	suspect.Stale:   "its unique index is of an older collation",
}
