package probe

import (
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"twinrow/remediate/probe/expect"
)

// ParseSpec reads a probe specification. name is the file's, for messages; env
// looks an environment variable up, as os.LookupEnv does. A mistake is a
// *casefile.Problem with line and column; a key that is not known is one.
func ParseSpec(name string, yaml []byte, env func(string) (string, bool)) (*Spec, error) {
	r := &reader{name: name, env: env}
	root := r.parse(yaml)
	if r.err != nil {
		return nil, r.err
	}
	s := &Spec{}
	r.spec(root, s)
	if r.err != nil {
		return nil, r.err
	}
	if err := s.finish(name); err != nil {
		return nil, err
	}
	return s, nil
}

func (r *reader) spec(root ast.Node, s *Spec) {
	version := ""
	r.fields(root, map[string]func(ast.Node){
		"probe": func(n ast.Node) {
			if version = r.text(n); version != "v1" {
				r.fail(n, "this is probe %q; v1 is understood", version)
			}
		},
		"name":        func(n ast.Node) { s.Name = r.text(n) },
		"environment": func(n ast.Node) { s.Environment = r.text(n) },
		"target":      func(n ast.Node) { s.target = r.source(n) },
		"vars":        func(n ast.Node) { s.vars = r.variables(n) },
		"keys":        func(n ast.Node) { s.keys = r.texts(n) },
		"request":     func(n ast.Node) { r.request(n, s) },
		"fire":        func(n ast.Node) { r.fire(n, s) },
		"expect":      func(n ast.Node) { r.expectations(n, s) },
		"health":      func(n ast.Node) { s.health = r.health(n) },
		"timeout":     func(n ast.Node) { s.timeout = r.duration(n, time.Millisecond, 10*time.Minute) },
		"limit":       func(n ast.Node) { s.limit = r.duration(n, time.Second, 24*time.Hour) },
		"tls": func(n ast.Node) {
			r.fields(n, map[string]func(ast.Node){
				"ca":          func(n ast.Node) { s.tls.ca = r.text(n) },
				"server_name": func(n ast.Node) { s.tls.serverName = r.text(n) },
			})
		},
		"control": func(n ast.Node) {
			s.control = &control{}
			r.fields(n, map[string]func(ast.Node){
				"vars": func(n ast.Node) { s.control.vars = r.variables(n) },
				"keys": func(n ast.Node) { s.control.keys = r.texts(n) },
			})
		},
	})
	if version == "" {
		r.fail(root, "the first key must be probe: v1")
	}
}

func (r *reader) texts(node ast.Node) []string {
	var all []string
	for _, item := range r.items(node) {
		text := r.text(item)
		if r.err == nil && slices.Contains(all, text) {
			r.fail(item, "%q stands here twice", text)
		}
		all = append(all, text)
	}
	return all
}

func (r *reader) variables(node ast.Node) []variable {
	var vars []variable
	for _, p := range r.pairs(node) {
		switch {
		case slices.Contains(builtin, p.key):
			r.fail(p.at, "%s is defined already", p.key)
		case !referenceName.MatchString(p.key):
			r.fail(p.at, "%q cannot be used in a template: letters, digits and _ only", p.key)
		}
		vars = append(vars, variable{p.key, r.source(p.value)})
	}
	return vars
}

func (r *reader) request(node ast.Node, s *Spec) {
	r.fields(node, map[string]func(ast.Node){
		"method": func(n ast.Node) { s.method = r.text(n) },
		"headers": func(n ast.Node) {
			for _, p := range r.pairs(n) {
				if problem := headerName(p.key); problem != "" {
					r.fail(p.at, "%s", problem)
				}
				s.headers = append(s.headers, header{p.key, r.source(p.value)})
			}
		},
		"body": func(n ast.Node) { s.body = r.source(n) },
		"sign": func(n ast.Node) { s.signing = r.signing(n) },
	})
}

func (r *reader) signing(node ast.Node) *signing {
	s := &signing{where: r.where(node)}
	set := func(to *string) func(ast.Node) { return func(n ast.Node) { *to = r.text(n) } }
	r.fields(node, map[string]func(ast.Node){
		"scheme": set(&s.config.Scheme), "template": set(&s.config.Template), "digest": set(&s.config.Digest),
		"encoding": set(&s.config.Encoding), "prefix": set(&s.config.Prefix), "header": set(&s.config.Header),
		"timestamp_header": set(&s.config.TimestampHeader), "timestamp_unit": set(&s.config.TimestampUnit),
		"secret_env": set(&s.secretEnv), "secret_file": set(&s.secretFile),
	})
	return s
}

func (r *reader) fire(node ast.Node, s *Spec) {
	r.fields(node, map[string]func(ast.Node){
		"copies": func(n ast.Node) { s.copies = int(r.number(n, 1, MaxAtOnce)) },
		"rounds": func(n ast.Node) { s.rounds = int(r.number(n, 1, MaxRounds)) },
		"transport": func(n ast.Node) {
			s.carrier = r.text(n)
			if known := []string{TransportAuto, Transport1, Transport2}; !slices.Contains(known, s.carrier) {
				r.fail(n, "unknown transport %q; there are %s", s.carrier, strings.Join(known, ", "))
			}
		},
	})
}

func (r *reader) health(node ast.Node) *health {
	h := &health{where: r.where(node)}
	r.fields(node, map[string]func(ast.Node){
		"url":    func(n ast.Node) { h.url = r.text(n) },
		"status": func(n ast.Node) { h.statuses = r.statuses(n) },
		"json":   func(n ast.Node) { h.json = r.wants(n) },
	})
	if h.url == "" {
		r.fail(node, "health needs a url")
	}
	if len(h.statuses) == 0 {
		h.statuses, _ = expect.ParseStatus("2xx")
	}
	return h
}
