package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/report/csv"
	"twinrow/report/html"
	"twinrow/report/json"
	"twinrow/report/markdown"
	"twinrow/report/table"
)

var reportForms = []string{"table", "json", "csv", "markdown", "html"}

func (p *program) cmdReport() *cli.Command {
	return command(cli.Command{
		Name:        "report",
		Usage:       "show a case: in the terminal, for a script, as a page",
		UsageText:   "twinrow report CASE [--format FORM] [-o FILE] [--redact]",
		Description: "In the terminal it is the first screen: what happened, since when, whether it goes on,\nwho is affected, what to do next, and the first groups; --verbose shows all there is.\nA page that cannot hold all groups has them in a CSV file beside it: report.csv beside\nreport.html. With --redact the same value has the same mask in all reports of a case.\n\nEXAMPLE\n   twinrow report incident --format html -o report.html",
		Flags: []cli.Flag{
			formatFlag("table", reportForms...),
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of stdout"},
			boolFlag("redact", "mask keys, addresses, names and all other values of rows, the same value by the same mask"),
		},
		Action: func(c *cli.Context) error {
			args, err := operands(c, "CASE")
			if err != nil {
				return err
			}
			format, err := chosenFormat(c, reportForms...)
			if err != nil {
				return err
			}
			opened, err := casefile.Open(args[0])
			if err != nil {
				return err
			}
			doc, err := reportDocument(opened)
			if err != nil {
				return err
			}
			if c.Bool("redact") {
				doc = report.Redact(doc)
			}
			lines := firstScreen
			if c.Bool("verbose") {
				lines = 0
			}
			switch path := c.String("output"); {
			case path == "":
				return p.renderLines(p.stdout, doc, format, lines)
			case format == "html":
				return p.writePage(c, path, doc)
			default:
				return casefile.WriteFile(path, func(w io.Writer) error { return p.renderLines(w, doc, format, lines) })
			}
		},
	})
}

// firstScreen is how many lines a report has in a terminal unless more is asked for.
const firstScreen = 30

// printReport shows a case that was just made.
func (p *program) printReport(opened *casefile.Opened, format string) error {
	doc, err := reportDocument(opened)
	if err != nil {
		return err
	}
	return p.render(p.stdout, doc, format)
}

// render writes a document whole or, where it cannot be made, not at all.
func (p *program) render(w io.Writer, doc *report.Document, format string) error {
	return p.renderLines(w, doc, format, firstScreen)
}

// renderLines is render with a limit for the terminal's form; 0 is none.
func (p *program) renderLines(w io.Writer, doc *report.Document, format string, lines int) error {
	var b bytes.Buffer
	var err error
	switch format {
	case "json":
		err = json.Render(&b, doc)
	case "csv":
		err = csv.Render(&b, doc)
	case "markdown":
		err = markdown.Render(&b, doc)
	case "html":
		_, err = html.Render(&b, doc, html.Options{})
	default:
		err = table.Render(&b, doc, table.Options{Width: p.width(), Lines: lines, Color: p.colour() && w == p.stdout})
	}
	if err != nil {
		return fmt.Errorf("rendering the report: %w", err)
	}
	_, err = b.WriteTo(w)
	return err
}
