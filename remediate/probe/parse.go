package probe

import (
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"

	"twinrow/detect/casefile/yaml"
	"twinrow/remediate/probe/expect"
)

// reader walks a specification.
type reader struct{ yaml.Reader }

// ParseSpec reads a probe specification. name is the file's, for messages; env
// looks an environment variable up, as os.LookupEnv does. A mistake is a
// *casefile.Problem with line and column; a key that is not known is one.
func ParseSpec(name string, content []byte, env func(string) (string, bool)) (*Spec, error) {
	r := &reader{yaml.Reader{Name: name, Env: env, Hint: "the README shows a whole specification",
		TooLong: "a specification is a short file; give a long body with --body @FILE"}}
	root := r.Parse(content)
	if r.Err != nil {
		return nil, r.Err
	}
	s := &Spec{}
	r.spec(root, s)
	if r.Err != nil {
		return nil, r.Err
	}
	if err := s.finish(name); err != nil {
		return nil, err
	}
	return s, nil
}

func (r *reader) spec(root ast.Node, s *Spec) {
	version := ""
	only := &step{}
	var alone, steps, fire ast.Node // keys that a file with steps gives in its steps
	r.Fields(root, map[string]func(ast.Node){
		"probe": func(n ast.Node) {
			if version = r.Text(n); version != "v1" {
				r.Fail(n, "this is probe %q; v1 is understood", version)
			}
		},
		"name":        func(n ast.Node) { s.Name = r.Text(n) },
		"environment": func(n ast.Node) { s.Environment = r.Text(n) },
		"target":      func(n ast.Node) { only.target = r.source(n) },
		"vars":        func(n ast.Node) { s.vars = r.variables(n) },
		"keys":        func(n ast.Node) { s.keys = r.Texts(n) },
		"request":     func(n ast.Node) { r.request(n, &only.call) },
		"fire": func(n ast.Node) {
			fire = n
			r.fire(n, only, s)
		},
		"expect": func(n ast.Node) {
			alone = n
			r.expectations(n, only)
		},
		"steps":        func(n ast.Node) { steps = n },
		"login":        func(n ast.Node) { s.login = r.login(n) },
		"mark":         func(n ast.Node) { s.mark = r.headerName(n) },
		"server_times": func(n ast.Node) { s.times = r.serverTimes(n) },
		"health":       func(n ast.Node) { s.health = r.health(n) },
		"timeout":      func(n ast.Node) { s.timeout = r.Duration(n, time.Millisecond, 10*time.Minute) },
		"limit":        func(n ast.Node) { s.limit = r.Duration(n, time.Second, 24*time.Hour) },
		"tls": func(n ast.Node) {
			r.Fields(n, map[string]func(ast.Node){
				"ca":          func(n ast.Node) { s.tls.ca = r.Text(n) },
				"server_name": func(n ast.Node) { s.tls.serverName = r.Text(n) },
			})
		},
		"control": func(n ast.Node) {
			s.control = &control{}
			r.Fields(n, map[string]func(ast.Node){
				"vars": func(n ast.Node) { s.control.vars = r.variables(n) },
				"keys": func(n ast.Node) { s.control.keys = r.Texts(n) },
			})
		},
	})
	if version == "" {
		r.Fail(root, "the first key must be probe: v1")
	}
	s.steps, s.rounds = []*step{only}, 0
	if steps != nil {
		r.steps(steps, fire, alone, only, s)
	}
}

func (r *reader) variables(node ast.Node) []variable {
	var vars []variable
	for _, p := range r.Pairs(node) {
		r.checkVariable(p)
		vars = append(vars, variable{p.Key, r.source(p.Value)})
	}
	return vars
}

func (r *reader) checkVariable(p yaml.Pair) {
	switch {
	case slices.Contains(builtin, p.Key):
		r.Fail(p.At, "%s is defined already", p.Key)
	case !yaml.VariableName.MatchString(p.Key):
		r.Fail(p.At, "%q cannot be used in a template: letters, digits and _ only", p.Key)
	}
}

func (r *reader) request(node ast.Node, c *call) {
	r.Fields(node, map[string]func(ast.Node){
		"method": func(n ast.Node) { c.method = r.Text(n) },
		"headers": func(n ast.Node) {
			for _, p := range r.Pairs(n) {
				if problem := headerName(p.Key); problem != "" {
					r.Fail(p.At, "%s", problem)
				}
				c.headers = append(c.headers, header{p.Key, r.source(p.Value)})
			}
		},
		"body": func(n ast.Node) { c.body = r.source(n) },
		"sign": func(n ast.Node) { c.signing = r.signing(n) },
	})
}

func (r *reader) headerName(node ast.Node) string {
	name := r.Text(node)
	if problem := headerName(name); r.Err == nil && problem != "" {
		r.Fail(node, "%s", problem)
	}
	return name
}

func (r *reader) signing(node ast.Node) *signing {
	s := &signing{where: r.Where(node)}
	set := func(to *string) func(ast.Node) { return func(n ast.Node) { *to = r.Text(n) } }
	r.Fields(node, map[string]func(ast.Node){
		"scheme": set(&s.config.Scheme), "template": set(&s.config.Template), "digest": set(&s.config.Digest),
		"encoding": set(&s.config.Encoding), "prefix": set(&s.config.Prefix), "header": set(&s.config.Header),
		"timestamp_header": set(&s.config.TimestampHeader), "timestamp_unit": set(&s.config.TimestampUnit),
		"secret_env": set(&s.secretEnv), "secret_file": set(&s.secretFile),
		"fresh": func(n ast.Node) { s.fresh = r.Bool(n) },
	})
	return s
}

func (r *reader) health(node ast.Node) *health {
	h := &health{where: r.Where(node)}
	r.Fields(node, map[string]func(ast.Node){
		"url":    func(n ast.Node) { h.url = r.Text(n) },
		"status": func(n ast.Node) { h.statuses = r.statuses(n) },
		"json":   func(n ast.Node) { h.json = r.wants(n) },
	})
	if h.url == "" {
		r.Fail(node, "health needs a url")
	}
	if len(h.statuses) == 0 {
		h.statuses = knownStatuses("2xx")
	}
	return h
}

// knownStatuses are statuses that the program itself names.
func knownStatuses(names ...string) expect.Statuses {
	var all expect.Statuses
	for _, name := range names {
		set, _ := expect.ParseStatus(name)
		all = append(all, set...)
	}
	return all
}

// source reads a scalar that is a template: what the environment puts in is
// text to it, even where it looks like a template.
func (r *reader) source(node ast.Node) source {
	raw, _ := yaml.Scalar(r.Plain(node))
	return source{raw: raw, text: r.TextWith(node, quoteTemplate), where: r.Where(node)}
}
