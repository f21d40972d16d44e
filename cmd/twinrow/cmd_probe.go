package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/dynamodb"
	"twinrow/remediate/probe"
	"twinrow/report/html"
)

// probesDir is where a case keeps its probes.
const probesDir = "probes"

func (p *program) cmdProbe() *cli.Command {
	return command(cli.Command{
		Name:        "probe",
		Usage:       "fire requests that truly overlap, and judge whether the race is gone",
		UsageText:   "twinrow probe SPEC.yaml|URL [FLAG…]",
		Description: "Exit 0 is a pass, 1 a fail, 5 inconclusive. The flags that describe a request belong to a URL;\na specification says it all itself, and may go in steps: redeliveries, cut connections, rates,\ncommands between them. Commands that it names are run by sh, shown by --dry-run, and asked for.\n\nEXAMPLE\n   twinrow probe http://127.0.0.1:8080/webhooks --method POST --body '{\"id\":\"{{.Key}}\"}' --key-list a,b \\\n     --rows 'SELECT count(*) FROM calls WHERE id = $1' --rows-source postgres://localhost/shop",
		Flags: append(requestFlags(),
			&cli.StringFlag{Name: "case", Usage: "write the result and its page into this `CASE` too"},
			&cli.StringFlag{Name: "baseline", Usage: "the `PROBE.json` of the build without the fix: only what failed there and passes now is a confirmed fix"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of stdout; in a directory, by name, environment and time"},
			boolFlag("cleanup-sql", "print how to find and remove the rows that the probe made"),
			&cli.StringSliceFlag{Name: "allow-host", Usage: "fire at this `HOST`, which is not this machine"},
			&cli.DurationFlag{Name: "until-window", Usage: "fire the rounds that catch a check-to-insert window of this `TIME`; needs the target's own times", DefaultText: "as many rounds as are asked for"},
			boolFlag("dry-run", "show what would be sent, and send nothing"),
			yesFlag(),
			formatFlag("table", probeForms...),
		),
		Action: func(c *cli.Context) error {
			args, err := operands(c, "SPEC.yaml|URL")
			if err != nil {
				return err
			}
			format, err := chosenFormat(c, probeForms...)
			if err != nil {
				return err
			}
			spec, err := p.probeSpec(c, args[0])
			if err != nil {
				return err
			}
			return p.probe(c, spec, format)
		},
	})
}

func requestFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "copies", Usage: "`N` requests at once for each key", DefaultText: "10"},
		&cli.IntFlag{Name: "rounds", Usage: "`N` times", DefaultText: "20, or 1 where all would send the same"},
		&cli.StringFlag{Name: "key-list", Usage: "`KEYS` to fight over, as in seat-A1,seat-A2"},
		&cli.StringFlag{Name: "method", Usage: "HTTP `METHOD`"},
		&cli.StringSliceFlag{Name: "header", Usage: "`NAME: VALUE` of a header"},
		&cli.StringFlag{Name: "body", Usage: "`TEXT` of the body, or @FILE"},
		&cli.StringFlag{Name: "sign", Usage: "sign by this `SCHEME`"},
		&cli.StringFlag{Name: "secret-env", Usage: "`NAME` of the variable that holds the secret"},
		&cli.StringFlag{Name: "transport", Usage: "`HOW`: auto, http1, http2"},
		&cli.StringFlag{Name: "rows", Usage: "`SQL` that counts the rows that must be there"},
		&cli.StringFlag{Name: "rows-source", Usage: "`SOURCE` to count them in (default: $DATABASE_URL)"},
		&cli.Int64Flag{Name: "rows-expect", Usage: "`N` rows that must be there", DefaultText: "1"},
		&cli.StringFlag{Name: "server-times", Usage: "the `HEADER` in which the target tells when it began and ended a request, or server-timing:METRIC"},
		&cli.DurationFlag{Name: "timeout", Usage: "longest `TIME` for one request", DefaultText: "10s"},
	}
}

// probeSpec reads a specification, or makes one of a URL and flags.
func (p *program) probeSpec(c *cli.Context, what string) (*probe.Spec, error) {
	if strings.Contains(what, "://") {
		spec, err := p.probeFlags(c, what)
		return untilWindow(c, spec, err)
	}
	if _, err := os.Stat(what); err != nil && namesHost(what) {
		return nil, &key.Problem{Code: key.CodeUsage, Message: what + " is no file, and a URL needs its scheme", Hint: "write it as http://" + what + ", or https://"}
	}
	for _, flag := range requestFlags() {
		if name := flag.Names()[0]; c.IsSet(name) {
			return nil, &key.Problem{Code: key.CodeUsage, Message: "--" + name + " belongs to a probe of a URL, not to a specification", Hint: "say it in " + what}
		}
	}
	return p.probeFile(c, what)
}

// namesHost tells a URL without its scheme, as a browser takes it: this
// machine, or a host with its port.
func namesHost(what string) bool {
	u, err := url.Parse("http://" + what)
	return err == nil && (u.Port() != "" || u.Hostname() == "localhost" || net.ParseIP(u.Hostname()) != nil)
}

func (p *program) probeFile(c *cli.Context, what string) (*probe.Spec, error) {
	raw, err := os.ReadFile(what)
	if os.IsNotExist(err) {
		return nil, source.MissingFile(absolute(what))
	} else if err != nil {
		return nil, &key.Problem{Code: key.CodePermission, Message: "reading the specification", Hint: "name a file that can be read", Err: err}
	}
	spec, err := probe.ParseSpec(what, raw, p.getenv)
	return untilWindow(c, spec, err)
}

// untilWindow has a window decide how many rounds there are, where one is given.
func untilWindow(c *cli.Context, spec *probe.Spec, err error) (*probe.Spec, error) {
	if err != nil || !c.IsSet("until-window") {
		return spec, err
	}
	return spec, spec.UntilWindow(c.Duration("until-window"))
}

func (p *program) probeFlags(c *cli.Context, url string) (*probe.Spec, error) {
	keys, err := list(c, "key-list")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"copies", "rounds"} {
		if c.IsSet(name) && c.Int(name) == 0 {
			return nil, &key.Problem{Code: key.CodeUsage, Message: "--" + name + " 0 would fire nothing", Hint: "leave it out for the usual number; see `twinrow probe --help`"}
		}
	}
	f := probe.Flags{
		URL: url, Copies: c.Int("copies"), Rounds: c.Int("rounds"), Keys: keys,
		Method: c.String("method"), Headers: c.StringSlice("header"), Body: c.String("body"),
		Sign: c.String("sign"), SecretEnv: c.String("secret-env"), Transport: c.String("transport"),
		Rows: c.String("rows"), RowsSource: c.String("rows-source"), ServerTimes: c.String("server-times"), Timeout: c.Duration("timeout"),
	}
	if c.IsSet("rows-expect") {
		n := c.Int64("rows-expect")
		f.RowsExpect = &n
	}
	return probe.FromFlags(f, p.getenv)
}

func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

func (p *program) probe(c *cli.Context, spec *probe.Spec, format string) error {
	if c.Bool("dry-run") {
		if format == "json" {
			return p.writeJSON(spec.Outline())
		}
		fmt.Fprint(p.stdout, plainLines(spec.Outline().Text()))
		return nil
	}
	var opened *casefile.Opened
	if dir := c.String("case"); dir != "" {
		var err error
		if opened, err = casefile.Open(dir); err != nil {
			return err
		}
	}
	before, err := baseline(c.String("baseline"))
	if err != nil {
		return err
	}
	if err := p.agreeToFire(c, spec); err != nil {
		return err
	}
	// A run that was stopped leaves a document that says so.
	result, stopped := probe.Run(c.Context, spec, p.probeDeps(c))
	if result == nil {
		return stopped
	}
	if before != nil {
		probe.Compare(result, before)
	}
	if opened != nil {
		path, err := keepProbe(opened.Dir, result)
		if err != nil {
			return err
		}
		p.say(c, "result written to %s", path)
	}
	if err := p.showProbe(c, result, format); err != nil {
		return err
	}
	if stopped != nil {
		return &failedCheck{exitInterrupted}
	}
	return verdictStatus(result.Verdict)
}

// baseline reads the document of an earlier probe; nil where none is named.
func baseline(path string) (*probe.Result, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, source.MissingFile(absolute(path))
	} else if err != nil {
		return nil, &key.Problem{Code: key.CodePermission, Message: "reading the baseline", Hint: "name a file that can be read", Err: err}
	}
	return readProbe(path, raw)
}

// agreeToFire asks before the world is changed. A target on this machine needs
// no yes where there is nobody to ask.
func (p *program) agreeToFire(c *cli.Context, spec *probe.Spec) error {
	loopback := spec.Loopback(c.Context)
	if c.Bool("yes") || !isTerminal(p.stdin) && loopback {
		return nil
	}
	// Without the host's name a run is refused whatever is answered here.
	if !loopback && len(c.StringSlice("allow-host")) == 0 {
		return nil
	}
	if isTerminal(p.stdin) {
		fmt.Fprint(p.stderr, plainLines(spec.Outline().Text()))
	}
	return p.confirm(c, "Fire?")
}

func (p *program) probeDeps(c *cli.Context) probe.Deps {
	return probe.Deps{
		Version: version, AllowHosts: c.StringSlice("allow-host"), Env: p.getenv, Now: p.now,
		OpenRows: p.openRows, ParseTime: parseTime, Output: p.stderr, Progress: rounds{p, c},
	}
}

// parseTime reads a time that a target tells, by the rules for those in tables.
func parseTime(text string) (time.Time, time.Duration, error) {
	at, err := source.ParseInstant(text)
	grain := at.Coarse
	if grain == 0 {
		grain = time.Second
		for range at.Digits {
			grain /= 10
		}
	}
	return at.Time, grain, err
}

// openRows opens the source of a row check, for reading only.
func (p *program) openRows(ctx context.Context, location string) (probe.RowSource, error) {
	at, err := p.place(location)
	if err != nil {
		return nil, err
	}
	if at.engine == "dynamodb" { // counted by key: a source would copy the table
		counter, err := dynamodb.OpenCounter(ctx, at.at)
		return rowSource{counter, nil}, err
	}
	src, err := p.open(ctx, at, readOptions{jobs: 1})
	if err != nil {
		return nil, err
	}
	querier, ok := src.(source.Querier)
	if !ok {
		src.Close()
		return nil, &key.Problem{Code: key.CodeUnsupported, Message: "rows cannot be counted in a file", Hint: "name a database as the source of the rows"}
	}
	return rowSource{querier, src}, nil
}

// rowSource gives a source's rows in the form that a probe takes.
type rowSource struct {
	source.Querier
	src source.Source // nil where nothing stays open
}

func (r rowSource) Query(ctx context.Context, sql string, args []string) ([][]*string, error) {
	found, err := r.Querier.Query(ctx, sql, args)
	rows := make([][]*string, len(found))
	for i, row := range found {
		rows[i] = make([]*string, len(row))
		for j := range row {
			if !row[j].Null {
				rows[i][j] = &row[j].Text
			}
		}
	}
	return rows, err
}

func (r rowSource) Close() error {
	if r.src == nil {
		return nil
	}
	return r.src.Close()
}

// rounds tells how far a probe is, on request.
type rounds struct {
	p *program
	c *cli.Context
}

func (r rounds) Step(what string, done, total int) {
	if r.c.Bool("verbose") {
		r.p.say(r.c, "%s: %d of %d", what, done, total)
	}
}

// keepProbe writes the result and its page into the case and returns where.
func keepProbe(dir string, result *probe.Result) (string, error) {
	folder := filepath.Join(dir, probesDir)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", &key.Problem{Code: key.CodeDisk, Message: "creating " + folder, Hint: "look at the rights and the free space of the case", Err: err}
	}
	path := filepath.Join(folder, result.FileName()+".json")
	if err := casefile.WriteJSON(path, result); err != nil {
		return "", err
	}
	page := filepath.Join(folder, result.FileName()+".html")
	return path, casefile.WriteFile(page, func(w io.Writer) error { return html.RenderProof(w, result) })
}

func verdictStatus(v probe.Verdict) error {
	switch v {
	case probe.Pass:
		return nil
	case probe.Fail:
		return &failedCheck{exitCheckFailed}
	default:
		return &failedCheck{exitInconclusive}
	}
}
