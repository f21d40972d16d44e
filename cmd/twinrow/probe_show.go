package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe"
	"twinrow/report/html"
	"twinrow/report/junit"
)

// probeForms are the forms of a result; a page's ending differs from its name.
var (
	probeForms   = []string{"table", "json", "html", "junit"}
	probeEndings = map[string]string{"table": ".txt", "json": ".json", "html": ".html", "junit": ".xml"}
)

// showProbe writes a result to stdout or into the file that -o names.
func (p *program) showProbe(c *cli.Context, r *probe.Result, format string) error {
	var b bytes.Buffer
	var err error
	switch format {
	case "json":
		var content []byte
		content, err = r.JSON()
		b.Write(content)
	case "html":
		err = html.RenderProof(&b, r)
	case "junit":
		err = junit.Render(&b, r)
	default:
		b.WriteString(probeText(r))
	}
	if err != nil {
		return err
	}
	if c.Bool("cleanup-sql") {
		if format == "table" {
			b.WriteString("\n" + cleanupSQL(r))
		} else {
			fmt.Fprint(p.stderr, cleanupSQL(r))
		}
	}
	path := c.String("output")
	if path == "" {
		_, err = b.WriteTo(p.stdout)
		return err
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, r.FileName()+probeEndings[format])
	}
	if err := casefile.WriteFile(path, func(w io.Writer) error { _, err := b.WriteTo(w); return err }); err != nil {
		return err
	}
	p.say(c, "%s: written to %s", r.Verdict, path)
	return nil
}
