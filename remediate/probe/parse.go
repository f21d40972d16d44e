package probe

import (
	"slices"
	"strings"
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
	r.Fields(root, map[string]func(ast.Node){
		"probe": func(n ast.Node) {
			if version = r.Text(n); version != "v1" {
				r.Fail(n, "this is probe %q; v1 is understood", version)
			}
		},
		"name":        func(n ast.Node) { s.Name = r.Text(n) },
		"environment": func(n ast.Node) { s.Environment = r.Text(n) },
		"target":      func(n ast.Node) { s.target = r.source(n) },
		"vars":        func(n ast.Node) { s.vars = r.variables(n) },
		"keys":        func(n ast.Node) { s.keys = r.Texts(n) },
		"request":     func(n ast.Node) { r.request(n, s) },
		"fire":        func(n ast.Node) { r.fire(n, s) },
		"expect":      func(n ast.Node) { r.expectations(n, s) },
		"health":      func(n ast.Node) { s.health = r.health(n) },
		"timeout":     func(n ast.Node) { s.timeout = r.Duration(n, time.Millisecond, 10*time.Minute) },
		"limit":       func(n ast.Node) { s.limit = r.Duration(n, time.Second, 24*time.Hour) },
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
}

func (r *reader) variables(node ast.Node) []variable {
	var vars []variable
	for _, p := range r.Pairs(node) {
		switch {
		case slices.Contains(builtin, p.Key):
			r.Fail(p.At, "%s is defined already", p.Key)
		case !yaml.VariableName.MatchString(p.Key):
			r.Fail(p.At, "%q cannot be used in a template: letters, digits and _ only", p.Key)
		}
		vars = append(vars, variable{p.Key, r.source(p.Value)})
	}
	return vars
}

func (r *reader) request(node ast.Node, s *Spec) {
	r.Fields(node, map[string]func(ast.Node){
		"method": func(n ast.Node) { s.method = r.Text(n) },
		"headers": func(n ast.Node) {
			for _, p := range r.Pairs(n) {
				if problem := headerName(p.Key); problem != "" {
					r.Fail(p.At, "%s", problem)
				}
				s.headers = append(s.headers, header{p.Key, r.source(p.Value)})
			}
		},
		"body": func(n ast.Node) { s.body = r.source(n) },
		"sign": func(n ast.Node) { s.signing = r.signing(n) },
	})
}

func (r *reader) signing(node ast.Node) *signing {
	s := &signing{where: r.Where(node)}
	set := func(to *string) func(ast.Node) { return func(n ast.Node) { *to = r.Text(n) } }
	r.Fields(node, map[string]func(ast.Node){
		"scheme": set(&s.config.Scheme), "template": set(&s.config.Template), "digest": set(&s.config.Digest),
		"encoding": set(&s.config.Encoding), "prefix": set(&s.config.Prefix), "header": set(&s.config.Header),
		"timestamp_header": set(&s.config.TimestampHeader), "timestamp_unit": set(&s.config.TimestampUnit),
		"secret_env": set(&s.secretEnv), "secret_file": set(&s.secretFile),
	})
	return s
}

func (r *reader) fire(node ast.Node, s *Spec) {
	r.Fields(node, map[string]func(ast.Node){
		"copies": func(n ast.Node) { s.copies = int(r.Number(n, 1, MaxAtOnce)) },
		"rounds": func(n ast.Node) { s.rounds = int(r.Number(n, 1, MaxRounds)) },
		"transport": func(n ast.Node) {
			s.carrier = r.Text(n)
			if known := []string{TransportAuto, Transport1, Transport2}; !slices.Contains(known, s.carrier) {
				r.Fail(n, "unknown transport %q; there are %s", s.carrier, strings.Join(known, ", "))
			}
		},
	})
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
		h.statuses, _ = expect.ParseStatus("2xx")
	}
	return h
}

// source reads a scalar that is a template: what the environment puts in is
// text to it, even where it looks like a template.
func (r *reader) source(node ast.Node) source {
	raw, _ := yaml.Scalar(r.Plain(node))
	return source{raw: raw, text: r.TextWith(node, quoteTemplate), where: r.Where(node)}
}
