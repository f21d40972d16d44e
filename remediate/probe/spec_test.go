package probe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/detect/casefile/yaml"
)

const smallSpec = `probe: v1
target: http://127.0.0.1:1/a
request:
  method: POST
  headers: {x-site: "${SITE}"}
  body: "{{.seat}}"
vars: {seat: "s{{.Round}}"}
expect:
  responses:
    - {status: 2xx, exactly: 1}
`

func TestMistakesHaveLineAndColumn(t *testing.T) {
	env := func(name string) (string, bool) {
		value, ok := map[string]string{"SITE": "one", "BROKEN": "a\nb"}[name]
		return value, ok
	}
	for _, test := range []struct{ name, old, new, want string }{
		{"not yaml", "request:", "request: [", "probe.yaml:7:1: "},
		{"unknown key", "target:", "targets:", `probe.yaml:2:1: unknown key "targets"`},
		{"top with steps", "expect:", "steps: [{fire: {copies: 2}}]\nexpect:", "expects responses and latency in its steps"},
		{"fire with steps", "expect:", "steps: [{fire: {copies: 2}}]\nfire: {copies: 3}\nexpect:", "says in each step what it fires"},
		{"two ways", "expect:", "fire: {copies: 2, distinct: 2}\nexpect:", "probe.yaml:8:7: only one of copies, distinct and rate"},
		{"cut of many", "expect:", "fire: {distinct: 2, cut: true}\nexpect:", "again_after and cut belong to copies"},
		{"too long", "expect:", "fire: {copies: 1, again_after: 20m}\nexpect:", "give the file a longer limit, as limit: 22m0s"},
		{"all the same", `body: "{{.seat}}"`, "body: same\nfire: {distinct: 5}", "the messages would all be the same"},
		{"pattern", "expect:", "expect:\n  logs: [{file: a.log, match: '(', exactly: 0}]", "that is no regular expression"},
		{"unknown key deep", "exactly: 1", "exact: 1", `probe.yaml:10:21: unknown key "exact"`},
		{"half a rate", "expect:", "fire: {rate: 10}\nexpect:", "probe.yaml:8:7: rate and for belong together"},
		{"version", "v1", "v2", `probe.yaml:1:8: this is probe "v2"`},
		{"no version", "probe: v1\n", "", "the first key must be probe: v1"},
		{"twice", "target:", "probe: v1\ntarget:", "probe.yaml:2:1"},
		{"no target", "target: http://127.0.0.1:1/a\n", "", "target is needed"},
		{"no url", "http://127.0.0.1:1/a", "ftp://127.0.0.1", "probe.yaml:2:9: the target must begin with http"},
		{"password", "http://127", "http://user:hunter2@127", "probe.yaml:2:9: a user and password"},
		{"environment", "${SITE}", "${SITES}", "probe.yaml:5:21: the environment variable SITES is not set"},
		{"line break", "${SITE}", "${BROKEN}", "probe.yaml:5:21: header x-site would hold a line break"},
		{"name of environment", "${SITE}", "${1}", "probe.yaml:5:21: ${1} is not the name"},
		{"template", `"{{.seat}}"`, `"{{.seat"`, "probe.yaml:6:9: the template"},
		{"field", `"{{.seat}}"`, `"{{.sea}}"`, `no entry for key "sea"`},
		{"function", `"{{.seat}}"`, `"{{env 1}}"`, `function "env" not defined`},
		{"builtin", "{seat:", "{Key:", "probe.yaml:7:8: Key is defined already"},
		{"bad name", "{seat:", "{se-at:", `probe.yaml:7:8: "se-at" cannot be used`},
		{"status", "2xx", "2x", `probe.yaml:10:16: "2x" is neither`},
		{"count", "exactly: 1", "exactly: many", "probe.yaml:10:30: a whole number"},
		{"counts", "exactly: 1", "exactly: 1, at_most: 2", "probe.yaml:10:"},
		{"no count", ", exactly: 1", "", "one of exactly, at_least, at_most is needed"},
		{"per", "exactly: 1", "exactly: 1, per: hour", "per is run or round"},
		{"path", "exactly: 1", "exactly: 1, json: {a..b: 1}", `"a..b" is no path`},
		{"json template", "exactly: 1", "exactly: 1, json: {a: \"{{.Key}}\"}", "is no template"},
		{"copies", "expect:", "fire: {copies: 0}\nexpect:", "probe.yaml:8:16: a whole number from 1"},
		{"too many", "expect:", "fire: {copies: 2000, rounds: 10000}\nexpect:", "requests in all are more than"},
		{"too much", `body: "{{.seat}}"`, "body: " + strings.Repeat("x", 100_000) + "\nfire: {copies: 1000}", "the bodies of one round are 95 MB"},
		{"transport", "expect:", "fire: {transport: quic}\nexpect:", `probe.yaml:8:19: unknown transport "quic"`},
		{"time", "expect:", "timeout: soon\nexpect:", "probe.yaml:8:10: a time from"},
		{"header", "x-site", "content-length", "probe.yaml:5:13: content-length is set by the probe itself"},
		{"header name", "x-site", "x site", `"x site" cannot be the name`},
		{"method", "method: POST", "method: PO ST", `"PO ST" cannot be a method`},
		{"unused keys", "vars:", "keys: [a, b]\nvars:", "no request uses {{.Key}}"},
		{"keys twice", "vars:", "keys: [a, a]\nvars:", `probe.yaml:7:11: "a" stands here twice`},
		{"control", "vars:", "control: {vars: {seat: x}}\nvars:", "must differ from request to request"},
		{"empty control", "vars:", "control: {}\nvars:", "control needs vars, or keys"},
		{"no source", "  responses:", "  rows: [{sql: SELECT 1, exactly: 1}]\n  responses:", "source is needed"},
		{"no sql", "  responses:", "  rows: [{source: x, exactly: 1}]\n  responses:", "sql is needed"},
		{"run args", "  responses:", "  rows: [{source: x, sql: s, args: ['{{.Key}}'], per: run, exactly: 1}]\n  responses:", "a check per run has no key"},
		{"sign", "vars:", "  sign: {scheme: paypal, secret_env: X}\nvars:", `probe.yaml:7:9: unknown scheme "paypal"`},
		{"secret", "vars:", "  sign: {scheme: stripe}\nvars:", "a secret does not stand in a specification"},
		{"moving host", "http://127.0.0.1:1/a", `"http://127.0.0.{{.Round}}/a"`, "the host of the target must be the same"},
		{"list", "vars: {seat: \"s{{.Round}}\"}", "vars: [a]", "keys and values are needed here"},
		{"alias", "method: POST", "method: *nobody", "no anchor of that name"},
		{"two documents", "probe: v1\n", "probe: v1\n---\n", "one document is needed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseSpec("probe.yaml", []byte(strings.Replace(smallSpec, test.old, test.new, 1)), env)
			wantProblem(t, err, casefile.CodeBadInput, test.want)
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Error("the error shows a password")
			}
		})
	}
	if _, err := ParseSpec("probe.yaml", nil, env); err == nil {
		t.Error("nothing was taken for a specification")
	}
	if _, err := ParseSpec("probe.yaml", []byte(strings.Repeat("[", 100_000)), env); err == nil {
		t.Error("deep nesting was taken for a specification")
	}
	if _, err := ParseSpec("probe.yaml", make([]byte, yaml.MaxBytes+1), env); err == nil {
		t.Error("a huge file was taken for a specification")
	}
}

func TestEnvironment(t *testing.T) {
	env := func(name string) (string, bool) {
		value, ok := map[string]string{"A": "x", "EMPTY": "", "BRACES": "{{.Key}}"}[name]
		return value, ok
	}
	for text, want := range map[string]string{
		"${A}-${A}": "x-x", "${B:-y}": "y", "${EMPTY:-z}": "z", "${EMPTY}": "", "$${A}": "${A}",
		"$1 and $A": "$1 and $A", "${B:-}": "", "${BRACES}": "{{.Key}}",
	} {
		got, err := yaml.Expand(text, env, func(v string) string { return v })
		if err != nil || got != want {
			t.Errorf("%s became %q (%v), want %q", text, got, err, want)
		}
	}
	s := source{raw: "${BRACES}"}
	s.text, _ = yaml.Expand(s.raw, env, quoteTemplate)
	if err := s.compile(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.render(nil); err != nil || got != "{{.Key}}" {
		t.Errorf("a value that looks like a template became %q (%v)", got, err)
	}
}

func TestDefaults(t *testing.T) {
	s := spec(t, "", "probe: v1\ntarget: http://localhost/\n")
	if s.method != "GET" || s.Copies() != defaultCopies || s.Rounds() != 1 || s.fresh || !s.fallback {
		t.Errorf("%+v", s)
	}
	s = spec(t, "", "probe: v1\ntarget: http://localhost/\nrequest: {body: '{{.UUID}}'}\n")
	if s.method != "POST" || s.Rounds() != defaultRounds || !s.fresh {
		t.Errorf("%+v", s)
	}
}

func TestOutlineHidesSecrets(t *testing.T) {
	env := func(name string) (string, bool) { return "hunter2", true }
	s, err := ParseSpec("p", []byte(`probe: v1
target: http://localhost/a?token=hunter2&seat={{.UUID}}
request:
  headers: {authorization: "Bearer ${TOKEN}", x-api-key: hunter2, content-type: text/plain}
  body: "${TOKEN}"
expect:
  rows: [{source: "postgres://u:hunter2@localhost/db", sql: "SELECT count(*) FROM t WHERE a = '${TOKEN}'", exactly: 1}]
health: {url: "http://localhost/health?key=hunter2"}
`), env)
	if err != nil {
		t.Fatal(err)
	}
	text := s.Outline().Text()
	if strings.Contains(text, "hunter2") {
		t.Errorf("a secret is shown:\n%s", text)
	}
	for _, want := range []string{"authorization: Bearer ${TOKEN}", "x-api-key: (hidden)", "POST http://localhost/a?token=(hidden)&seat={{.UUID}}", "10 at once", "up to"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
}

func TestSchedule(t *testing.T) {
	s := &Spec{step: &step{copies: 5}, rounds: 20, fresh: true}
	order := s.schedule()
	attacks, controls := 0, 0
	for _, attack := range order {
		if attack {
			attacks++
		} else {
			controls++
		}
	}
	if attacks != 20 || controls != 10 || order[0] || order[len(order)-1] == false && order[len(order)-2] == false {
		t.Errorf("%v", order)
	}
	s = &Spec{step: &step{copies: 5}, rounds: 1, keys: []string{"a", "b"}}
	if diff := cmp.Diff([]bool{true, false, false, false, false, false}, s.schedule()); diff != "" {
		t.Errorf("the attack's own keys must come first:\n%s", diff)
	}
	if s.controlSize() != 2 {
		t.Error("one request for each key is what differs")
	}
}

func TestFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(file, []byte(`{"seat":"{{.Key}}"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	two := int64(2)
	for _, transport := range []string{"http1", "http2"} {
		target := fixedShop()
		s, err := FromFlags(Flags{URL: serve(t, target, false).URL, Copies: 6, Keys: []string{"a", "b", "c"}, Body: "@" + file,
			Headers: []string{"x-a: b"}, Transport: transport, Rows: "SELECT count(*) FROM t WHERE seat = $1", RowsSource: "shop"}, noEnv)
		if err != nil {
			t.Fatal(err)
		}
		s.rows[0].settle, s.rows[0].within = 20_000_000, 50_000_000
		if result := run(t, s, target); result.Verdict != Pass || result.Requests != 18 {
			t.Errorf("%s: %q %+v", result.Verdict, result.Reasons, result.Overlap)
		}
	}
	for name, test := range map[string]struct {
		flags Flags
		want  string
	}{
		"no url":        {Flags{}, "target is needed"},
		"header":        {Flags{URL: "http://localhost", Headers: []string{"a"}}, "--header needs NAME"},
		"secret alone":  {Flags{URL: "http://localhost", SecretEnv: "S"}, "belong together"},
		"hmac":          {Flags{URL: "http://localhost", Sign: "hmac", SecretEnv: "S"}, "only a specification file"},
		"scheme":        {Flags{URL: "http://localhost", Sign: "x", SecretEnv: "S"}, "unknown scheme"},
		"rows source":   {Flags{URL: "http://localhost", Rows: "SELECT 1"}, "--rows needs --rows-source"},
		"rows expect":   {Flags{URL: "http://localhost", RowsExpect: &two}, "belong to --rows"},
		"placeholder":   {Flags{URL: "http://localhost", Rows: "SELECT ?", RowsSource: "x"}, "no --key-list"},
		"transport":     {Flags{URL: "http://localhost", Transport: "h3"}, "--transport"},
		"copies":        {Flags{URL: "http://localhost", Copies: -1}, "--copies"},
		"no such body":  {Flags{URL: "http://localhost", Body: "@/nowhere/at/all"}, "reading the body"},
		"unset":         {Flags{URL: "http://localhost/${NOPE}"}, "NOPE is not set"},
		"keys twice":    {Flags{URL: "http://localhost/{{.Key}}", Keys: []string{"a", "a"}}, "names \"a\" twice"},
		"keys not used": {Flags{URL: "http://localhost/", Keys: []string{"a", "b"}}, "no request uses"},
	} {
		_, err := FromFlags(test.flags, noEnv)
		var problem *casefile.Problem
		if !errors.As(err, &problem) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A secret that is not there is found out before anything is sent.
func TestMissingSecret(t *testing.T) {
	s, err := FromFlags(Flags{URL: serve(t, newShop(), false).URL, Body: "x{{.UUID}}", Sign: "stripe", SecretEnv: "NOT_SET"}, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Run(context.Background(), s, Deps{})
	wantProblem(t, err, casefile.CodeBadInput, "NOT_SET is not set")
}

func FuzzParseSpec(f *testing.F) {
	for _, seed := range []string{smallSpec, seatSpec, stadium, callEvent, nastySpec, "a: &a [*a]", "probe: v1\n<<: {a: 1}", "? [a]\n: b", "!!str a: b", "- - -", "\t", "a: |\n b"} {
		f.Add([]byte(strings.NewReplacer("URL", "http://localhost", "TRANSPORT", "auto").Replace(seed)))
	}
	env := func(name string) (string, bool) { return "http://localhost", len(name) > 2 }
	f.Fuzz(func(t *testing.T, content []byte) {
		s, err := ParseSpec("fuzz.yaml", content, env)
		if err != nil {
			var problem *casefile.Problem
			if !errors.As(err, &problem) || problem.Code == "" || s != nil {
				t.Fatalf("not a problem: %v", err)
			}
			return
		}
		if s.total() > MaxRequests || s.atOnce() > MaxAtOnce || len(s.schedule()) != s.rounds+s.controls() {
			t.Fatalf("out of bounds: %d requests, %d at once", s.total(), s.atOnce())
		}
		if s.Outline().Text() == "" {
			t.Fatal("nothing to show")
		}
	})
}
