package probe

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/casefile/yaml"
	"twinrow/remediate/probe/expect"
	"twinrow/remediate/probe/sign"
)

// Flags are a probe given on the command line instead of a file. Zero values
// mean that a flag was not given. Texts may hold ${NAME} and templates, as in a file.
type Flags struct {
	URL    string
	Copies int
	Rounds int
	// Keys are --key-list.
	Keys   []string
	Method string
	// Headers are "name: value".
	Headers []string
	// Body is the text itself, or @ and the path of a file that holds it.
	Body string
	// Sign is a scheme and SecretEnv the variable that holds its secret.
	Sign, SecretEnv string
	Transport       string
	// Rows is SQL whose single number must be RowsExpect, which is 1 where it is nil.
	Rows, RowsSource string
	RowsExpect       *int64
	// ServerTimes is the header of an answer in which the target tells its own
	// times, or of Server-Timing with : and the metric; "" where it does not.
	ServerTimes string
	// Timeout of a request; 0 means the default of 10 s.
	Timeout time.Duration
}

// FromFlags makes a Spec of flags. Where --rows is given the rows decide;
// otherwise nothing but server errors is looked for, and a probe that finds
// none is inconclusive.
func FromFlags(f Flags, env func(string) (string, bool)) (*Spec, error) {
	b := &flagReader{env: env}
	only := &step{copies: f.Copies, stepRounds: f.Rounds, call: call{
		target: b.source("URL", f.URL), method: f.Method, body: b.source("--body", b.body(f.Body)),
	}}
	s := &Spec{steps: []*step{only}, step: only, keys: f.Keys, carrier: f.Transport, timeout: f.Timeout}
	b.headers(s, f.Headers)
	b.signing(s, f)
	b.times(s, f.ServerTimes)
	b.rows(s, f)
	b.limits(f)
	if b.err != nil {
		return nil, b.err
	}
	if err := s.finish("probe"); err != nil {
		return nil, err
	}
	return s, nil
}

// flagReader keeps the first mistake it meets.
type flagReader struct {
	env func(string) (string, bool)
	err error
}

func (b *flagReader) fail(format string, args ...any) {
	if b.err == nil {
		b.err = &casefile.Problem{Code: casefile.CodeUsage, Message: fmt.Sprintf(format, args...), Hint: "see twinrow probe --help"}
	}
}

func (b *flagReader) expand(flag, raw string, quote func(string) string) string {
	text, err := yaml.Expand(raw, b.env, quote)
	if err != nil {
		b.fail("%s: %v", flag, err)
	}
	return text
}

func (b *flagReader) source(flag, raw string) source {
	return source{raw: raw, text: b.expand(flag, raw, quoteTemplate), where: flag}
}

func (b *flagReader) body(text string) string {
	path, isFile := strings.CutPrefix(text, "@")
	if !isFile {
		return text
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() > MaxBody {
		b.fail("--body: %s is longer than %d kB", path, MaxBody>>10)
		return ""
	}
	content, err := os.ReadFile(path)
	if err != nil && b.err == nil {
		b.err = &casefile.Problem{Code: casefile.CodeNotFound, Message: "reading the body", Hint: "name a file that can be read after --body @", Err: err}
	}
	return string(content)
}

func (b *flagReader) headers(s *Spec, lines []string) {
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			b.fail("--header needs NAME: VALUE")
			return
		}
		if wrong := headerName(strings.TrimSpace(name)); wrong != "" {
			b.fail("--header: %s", wrong)
		}
		s.headers = append(s.headers, header{strings.TrimSpace(name), b.source("--header", strings.TrimSpace(value))})
	}
	typed := slices.ContainsFunc(s.headers, func(h header) bool { return strings.EqualFold(h.name, "content-type") })
	if !typed && json.Valid([]byte(s.body.text)) && s.body.given() {
		s.headers = append(s.headers, header{"content-type", source{raw: "application/json", text: "application/json", where: "--body"}})
	}
}

func (b *flagReader) signing(s *Spec, f Flags) {
	switch {
	case f.Sign == "" && f.SecretEnv == "":
		return
	case f.Sign == "" || f.SecretEnv == "":
		b.fail("--sign and --secret-env belong together")
	case f.Sign == "hmac":
		b.fail("--sign hmac needs a template and a header, which only a specification file can give")
	}
	s.signing = &signing{config: sign.Config{Scheme: f.Sign}, secretEnv: f.SecretEnv, where: "--sign"}
}

func (b *flagReader) times(s *Spec, told string) {
	if told == "" {
		return
	}
	name, metric, split := strings.Cut(told, ":")
	wrong := headerName(name)
	switch {
	case strings.ContainsAny(told, " \t"):
		b.fail("--server-times is the name of a header, as in x-handled or server-timing:app; times in rows or a log need a specification")
	case wrong != "":
		b.fail("--server-times: %s", wrong)
	case split && metric == "":
		b.fail("--server-times names no metric after the colon")
	}
	s.times = &serverTimes{header: name, metric: metric, where: "--server-times"}
}

// placeholder is where SQL takes its first argument: $1 or ?.
var placeholder = regexp.MustCompile(`\$1\b|\?`)

// rows makes the row check. SQL with a placeholder gets the key, each key in
// each round; without one it counts over the whole run.
func (b *flagReader) rows(s *Spec, f Flags) {
	if f.Rows == "" {
		if f.RowsSource != "" || f.RowsExpect != nil {
			b.fail("--rows-source and --rows-expect belong to --rows")
		}
		return
	}
	want := int64(1)
	if f.RowsExpect != nil {
		want = *f.RowsExpect
	}
	location := b.expand("--rows-source", f.RowsSource, func(v string) string { return v })
	if location == "" {
		location, _ = b.env("DATABASE_URL")
	}
	if location == "" {
		b.fail("--rows needs --rows-source, or DATABASE_URL in the environment")
	}
	check := rowCheck{
		name: "rows", location: location, sql: f.Rows, shown: f.Rows, count: expect.Count{Exactly: &want}, perRun: true,
		settle: defaultSettle, within: defaultWithin, where: "--rows",
	}
	if placeholder.MatchString(f.Rows) {
		if len(f.Keys) == 0 {
			b.fail("--rows has a placeholder for the key, but there is no --key-list")
		}
		check.perRun, check.args = false, []source{b.source("--rows", "{{.Key}}")}
	}
	s.rows = []rowCheck{check}
}

func (b *flagReader) limits(f Flags) {
	switch {
	case f.Copies < 0 || f.Copies > MaxAtOnce:
		b.fail("--copies is from 1 to %d", MaxAtOnce)
	case f.Rounds < 0 || f.Rounds > MaxRounds:
		b.fail("--rounds is from 1 to %d", MaxRounds)
	case f.Timeout < 0 || f.Timeout > 10*time.Minute:
		b.fail("--timeout is at most 10m")
	case !slices.Contains([]string{"", TransportAuto, Transport1, Transport2}, f.Transport):
		b.fail("--transport is auto, http1 or http2")
	case f.RowsExpect != nil && *f.RowsExpect < 0:
		b.fail("--rows-expect cannot be negative")
	}
	for i, k := range f.Keys {
		if slices.Contains(f.Keys[:i], k) {
			b.fail("--key-list names %q twice", k)
		}
	}
}
