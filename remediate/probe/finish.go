package probe

import (
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe/expect"
	"twinrow/remediate/probe/sign"
)

func problem(where, format string, args ...any) error {
	return &casefile.Problem{Code: casefile.CodeBadInput, Message: where + ": " + fmt.Sprintf(format, args...)}
}

// finish fills in what was left out and checks what only shows when
// everything is known: that templates can be filled in, and the bounds.
func (s *Spec) finish(name string) error {
	s.defaults()
	if !s.target.given() {
		return problem(name, "target is needed, the URL to probe")
	}
	if s.signing != nil {
		if err := s.signing.check(); err != nil {
			return err
		}
	}
	if err := s.compile(); err != nil {
		return err
	}
	if err := s.checkSending(name); err != nil {
		return err
	}
	if err := s.checkRows(); err != nil {
		return err
	}
	return s.checkBounds(name)
}

func (s *Spec) defaults() {
	if s.method == "" {
		s.method = "GET"
		if s.body.given() {
			s.method = "POST"
		}
	}
	s.method = strings.ToUpper(s.method)
	s.carrier = orElse(s.carrier, TransportAuto)
	s.copies = orElse(s.copies, defaultCopies)
	s.timeout, s.limit = orElse(s.timeout, defaultTimeout), orElse(s.limit, defaultLimit)
	if len(s.replies)+len(s.rows) == 0 {
		s.fallback = true
		statuses, _ := expect.ParseStatus("5xx")
		none := int64(0)
		s.replies = []expect.Response{{Name: "server errors", Statuses: statuses, Count: expect.Count{Exactly: &none}}}
	}
}

func orElse[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

func (g *signing) check() error {
	if err := sign.Check(g.config); err != nil {
		return problem(g.where, "%v", err)
	}
	if (g.secretEnv == "") == (g.secretFile == "") {
		return problem(g.where, "one of secret_env and secret_file is needed; a secret does not stand in a specification")
	}
	return nil
}

// templates returns every template of the specification, vars first.
func (s *Spec) templates() []*source {
	var all []*source
	for i := range s.vars {
		all = append(all, &s.vars[i].value)
	}
	if s.control != nil {
		for i := range s.control.vars {
			all = append(all, &s.control.vars[i].value)
		}
	}
	all = append(all, &s.target, &s.body)
	for i := range s.headers {
		all = append(all, &s.headers[i].value)
	}
	for i := range s.rows {
		for j := range s.rows[i].args {
			all = append(all, &s.rows[i].args[j])
		}
	}
	return all
}

func (s *Spec) compile() error {
	for _, t := range s.templates() {
		if err := t.compile(); err != nil {
			return err
		}
	}
	return nil
}

// checkSending fills everything in for two moments that differ, and learns
// from the difference whether rounds can be told apart.
func (s *Spec) checkSending(name string) error {
	one := moment{Key: s.allKeys()[0], User: 1, Copy: 1, Round: 1, Now: time.Unix(1_700_000_000, 0), UUID: newUUID()}
	two := one
	two.Round, two.Now, two.UUID = 2, one.Now.Add(time.Hour), newUUID()
	if headerName(s.method) != "" {
		return problem(name, "%q cannot be a method", clip(s.method, 20))
	}
	first, err := s.sketch(one)
	if err != nil {
		return err
	}
	second, err := s.sketch(two)
	if err != nil {
		return err
	}
	s.fresh = !maps.Equal(first, second)
	if s.rounds == 0 {
		s.rounds = 1
		if s.fresh {
			s.rounds = defaultRounds
		}
	}
	if len(s.keys) > 0 {
		two = one
		two.Key = "another " + one.Key
		if second, err = s.sketch(two); err != nil {
			return err
		}
		if maps.Equal(first, second) {
			return problem(name, "there are keys, but no request uses {{.Key}}")
		}
	}
	if n := len(first["\x00body"]) * s.atOnce(); n > maxSentAtOnce {
		return problem(name, "the bodies of one round are %d MB together; %d are allowed", n>>20, maxSentAtOnce>>20)
	}
	return s.checkControl(name, one)
}

// sketch is what tells one round's requests from another's: vars, URL and
// body, rendered. Headers are filled in as well, for their mistakes.
func (s *Spec) sketch(m moment) (map[string]string, error) {
	vars, err := evaluate(s.vars, m)
	if err != nil {
		return nil, err
	}
	request, err := s.render(m, vars)
	if err != nil {
		return nil, err
	}
	for i := range s.rows {
		if _, err := s.rows[i].arguments(m.data(vars)); err != nil {
			return nil, err
		}
	}
	vars["\x00url"], vars["\x00body"] = request.Path, string(request.Body)
	return vars, nil
}

// checkControl makes sure that the control's own vars tell requests apart.
func (s *Spec) checkControl(name string, one moment) error {
	if s.control == nil {
		return nil
	}
	if len(s.control.vars) == 0 && len(s.control.keys) < 2 {
		return problem(name, "control needs vars, or keys of which there are at least two")
	}
	if len(s.control.vars) == 0 {
		return nil
	}
	two := one
	two.Round, two.User, two.Copy, two.Now, two.UUID = 9, 9, 9, one.Now.Add(time.Hour), newUUID()
	first, err := s.controlVars(one)
	if err != nil {
		return err
	}
	second, err := s.controlVars(two)
	if err != nil {
		return err
	}
	if maps.Equal(first, second) {
		return problem(s.control.vars[0].value.where, "the vars of control must differ from request to request: use .User, .Round, .UUID or the time")
	}
	return nil
}

// checkRows refuses a check for the whole run that asks about one round.
func (s *Spec) checkRows() error {
	for i := range s.rows {
		c := &s.rows[i]
		for j := range c.args {
			if !c.perRun {
				continue
			}
			if strings.Contains(c.args[j].raw, "{{") {
				return problem(c.args[j].where, "a check per run has no key and no round, so its arguments cannot be templates")
			}
		}
	}
	return nil
}

func (s *Spec) checkBounds(name string) error {
	if s.atOnce() > MaxAtOnce {
		return problem(name, "%d requests at once (copies × keys) are more than %d", s.atOnce(), MaxAtOnce)
	}
	if n := s.total(); n > MaxRequests {
		return problem(name, "%d requests in all are more than %d; use fewer copies or rounds", n, MaxRequests)
	}
	if s.signing != nil && s.signing.config.Scheme == "twilio" && s.method == "GET" && s.body.given() {
		return problem(s.signing.where, "twilio signs a GET by its URL alone; it cannot have a body")
	}
	return nil
}

// parseTarget checks a rendered URL.
func parseTarget(where, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		// The parser's own message repeats the URL, which may hold a password.
		return nil, problem(where, "the target is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, problem(where, "the target must begin with http:// or https://")
	case u.Hostname() == "":
		return nil, problem(where, "the target names no host")
	case u.User != nil:
		return nil, problem(where, "a user and password do not belong into the URL; send an authorization header taken from the environment")
	}
	return u, nil
}
