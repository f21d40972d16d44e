package probe

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
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
	for _, st := range s.steps {
		if st.fires() && !st.target.given() {
			return problem(orElse(st.where, name), "target is needed, the URL to probe")
		}
	}
	for _, c := range s.calls() {
		if err := c.signing.check(); err != nil {
			return err
		}
	}
	if err := s.checkTakes(name); err != nil {
		return err
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

// calls are all requests of the specification, those that steps share more than once.
func (s *Spec) calls() []*call {
	var all []*call
	if s.login != nil {
		all = append(all, &s.login.call)
	}
	for _, st := range s.steps {
		if st.fires() {
			all = append(all, &st.call)
		}
	}
	return all
}

func (s *Spec) defaults() {
	s.order()
	for _, c := range s.calls() {
		c.method = strings.ToUpper(c.method)
		if c.method == "" {
			c.method = "GET"
			if c.body.given() {
				c.method = "POST"
			}
		}
	}
	s.sessions = newSessions(s.login)
	s.carrier = orElse(s.carrier, TransportAuto)
	s.timeout, s.limit = orElse(s.timeout, defaultTimeout), orElse(s.limit, defaultLimit)
	if !slices.ContainsFunc(s.judged(), (*step).expects) {
		s.fallback = true
		none := int64(0)
		s.replies = []expect.Response{{Name: "server errors", Statuses: knownStatuses("5xx"), Count: expect.Count{Exactly: &none}}}
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
	if g == nil {
		return nil
	}
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
	if s.times != nil {
		all = append(all, s.times.templates()...)
	}
	for _, c := range s.calls() {
		all = append(all, &c.target, &c.body)
		for i := range c.headers {
			all = append(all, &c.headers[i].value)
		}
	}
	for _, st := range s.judged() {
		for i := range st.rows {
			for j := range st.rows[i].args {
				all = append(all, &st.rows[i].args[j])
			}
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
	for _, c := range s.calls() {
		if headerName(c.method) != "" {
			return problem(name, "%q cannot be a method", clip(c.method, 20))
		}
	}
	if s.login != nil {
		if _, err := s.renderCall(&s.login.call, one, s.sessions[0].named()); err != nil {
			return err
		}
		if err := s.checkUsers(one); err != nil {
			return err
		}
	}
	same, err := s.sameSketch(one, two)
	if err != nil {
		return err
	}
	s.fresh = !same
	s.settleRounds()
	if len(s.keys) > 0 {
		two = one
		two.Key = "another " + one.Key
		if same, err = s.sameSketch(one, two); err != nil {
			return err
		} else if same {
			return problem(name, "there are keys, but no request uses {{.Key}}")
		}
	}
	if err := s.checkMessages(one); err != nil {
		return err
	}
	return s.checkControl(name, one)
}

// checkMessages makes sure that the messages of a step that sends different
// ones differ, and that a round's bodies can be held.
func (s *Spec) checkMessages(one moment) error {
	two := one
	two.User, two.Copy, two.Now, two.UUID = 2, 2, one.Now.Add(time.Hour), newUUID()
	for _, st := range s.steps {
		if !st.fires() {
			continue
		}
		first, err := s.sketch(st, one)
		if err != nil {
			return err
		}
		second, err := s.sketch(st, two)
		if err != nil {
			return err
		}
		if st.copies == 0 && len(s.keys) < 2 && first["\x00url"]+first["\x00body"] == second["\x00url"]+second["\x00body"] {
			return problem(orElse(st.where, st.target.where), "the messages would all be the same: use .UUID, .User, .Copy or the time in the body, the target or vars")
		}
		if n := len(first["\x00body"]) * st.together(len(s.allKeys())); n > maxSentAtOnce {
			return problem(st.body.where, "the bodies of one round are %d MB together; %d are allowed", n>>20, maxSentAtOnce>>20)
		}
	}
	return nil
}

func (s *Spec) sameSketch(one, two moment) (bool, error) {
	same := true
	for _, st := range s.steps {
		first, err := s.sketch(st, one)
		if err != nil {
			return false, err
		}
		second, err := s.sketch(st, two)
		if err != nil {
			return false, err
		}
		same = same && maps.Equal(first, second)
	}
	return same, nil
}

// sketch is what tells one round's requests from another's: vars, URL and
// body, rendered. Headers are filled in as well, for their mistakes.
func (s *Spec) sketch(st *step, m moment) (map[string]string, error) {
	vars, err := s.evaluate(m)
	if err != nil {
		return nil, err
	}
	for i := range s.whole.rows { // they are begun before any step
		if _, err := filledIn(s.whole.rows[i].args, m.data(vars)); err != nil {
			return nil, err
		}
	}
	s.standIns(st, vars)
	for i := range st.rows {
		if _, err := filledIn(st.rows[i].args, m.data(vars)); err != nil {
			return nil, err
		}
	}
	if !st.fires() {
		return vars, nil
	}
	request, err := s.renderCall(&st.call, m, vars)
	if err != nil {
		return nil, err
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
	for _, st := range s.judged() {
		for i := range st.rows {
			for j := range st.rows[i].args {
				if st.rows[i].perRun && strings.Contains(st.rows[i].args[j].raw, "{{") {
					return problem(st.rows[i].args[j].where, "a check per run has no key and no round, so its arguments cannot be templates")
				}
			}
		}
	}
	return nil
}

func (s *Spec) checkBounds(name string) error {
	for _, st := range s.steps {
		if n := st.together(len(s.allKeys())); n > MaxAtOnce {
			return problem(orElse(st.where, name), "%d requests at once (copies × keys) are more than %d", n, MaxAtOnce)
		}
		if n := time.Duration(st.stepRounds) * (st.length + st.againAfter); n >= s.limit {
			return problem(orElse(st.where, name), "what is fired takes %v, and the run is ended after %v: give the file a longer limit, as limit: %v", n, s.limit, n+n/10)
		}
		if st.recover > 0 && s.health == nil {
			return problem(st.where, "recover_within needs to know when the target is well again: give health")
		}
	}
	if n := s.total(); n > MaxRequests {
		return problem(name, "%d requests in all are more than %d; use fewer copies or rounds, or a shorter time", n, MaxRequests)
	}
	for _, c := range s.calls() {
		if c.signing != nil && c.signing.config.Scheme == "twilio" && c.method == "GET" && c.body.given() {
			return problem(c.signing.where, "twilio signs a GET by its URL alone; it cannot have a body")
		}
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
