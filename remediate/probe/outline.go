package probe

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/detect/casefile/yaml"
)

// Outline is what a probe will do, for a person to agree to and for a dry
// run. It names environment variables instead of their values.
type Outline struct {
	Name        string `json:"name,omitempty"`
	Environment string `json:"environment,omitempty"`
	// Target is scheme and host.
	Target string `json:"target"`
	// Sent is the request of the step whose overlap must be proven.
	Sent
	Login *Sent `json:"login,omitempty"`
	// Users is how many log in, Takes what templates have from the logins.
	Users  int      `json:"users,omitempty"`
	Takes  []string `json:"takes,omitempty"`
	Keys   []string `json:"keys,omitempty"`
	Copies int      `json:"copies"`
	Rounds int      `json:"rounds"`
	// Requests is the number for the attack, ControlRequests at most the number beside it.
	Requests        int    `json:"requests"`
	ControlRequests int    `json:"control_requests"`
	Transport       string `json:"transport"`
	// Mark is the header that carries the run's id, or "".
	Mark  string        `json:"mark,omitempty"`
	Steps []StepOutline `json:"steps"`
	// Expect are the expectations in words.
	Expect []string `json:"expect"`
	Health string   `json:"health,omitempty"`
	// TimeoutUS and LimitUS are microseconds.
	TimeoutUS int64 `json:"timeout_us"`
	LimitUS   int64 `json:"limit_us"`
}

// Sent is a request as it is shown: the URL as it was written, secrets hidden.
type Sent struct {
	Method  string   `json:"method"`
	URL     string   `json:"url"`
	Headers []string `json:"headers"`
	Body    string   `json:"body"`
	Sign    string   `json:"sign,omitempty"`
}

// StepOutline is what a step does in words, and what it sends, nil for a command.
type StepOutline struct {
	Name string `json:"name,omitempty"`
	Does string `json:"does"`
	Sent *Sent  `json:"sent,omitempty"`
	// Takes is what later steps have from its answers.
	Takes []string `json:"takes,omitempty"`
}

// Outline describes what Run would send.
func (s *Spec) Outline() Outline {
	o := Outline{
		Name: s.Name, Environment: s.Environment, Target: s.base.String(), Sent: s.shownCall(&s.call), Keys: s.keys,
		Copies: s.copies, Rounds: s.rounds, Requests: s.attackRequests(), Transport: s.carrier, Mark: s.mark,
		Expect: []string{}, TimeoutUS: s.timeout.Microseconds(), LimitUS: s.limit.Microseconds(), Steps: []StepOutline{},
	}
	o.ControlRequests = s.total() - o.Requests
	if s.login != nil {
		o.Login, o.Users, o.Takes = new(s.shownCall(&s.login.call)), s.login.users, shownTakes(s.login.take)
	}
	for _, st := range s.judged() {
		o.Expect = append(o.Expect, st.shownExpectations()...)
		if st == &s.whole {
			continue
		}
		step := StepOutline{Name: st.name, Does: st.does(len(s.allKeys()), s.carrier), Takes: shownTakes(st.take)}
		if st.fires() {
			step.Sent = new(s.shownCall(&st.call))
		}
		o.Steps = append(o.Steps, step)
	}
	if s.health != nil {
		o.Health = shownHost(s.health.url)
	}
	return o
}

func (s *Spec) shownCall(c *call) Sent {
	out := Sent{Method: c.method, URL: shownURL(c.target.raw), Headers: []string{}, Body: c.body.raw}
	for _, h := range c.headers {
		out.Headers = append(out.Headers, h.name+": "+shownValue(h.name, h.value.raw))
	}
	if c.signing != nil {
		out.Sign = c.signing.config.Scheme
	}
	return out
}

// does says in words what a step does.
func (st *step) does(keys int, carrier string) string {
	times := casefile.Count(st.stepRounds, "round")
	total := casefile.Count(st.stepRounds*st.size(keys), "request")
	switch {
	case st.command != "":
		text := "run " + st.command
		if st.recover > 0 {
			text += ", then well again within " + st.recover.String()
		}
		return text + ", in " + times
	case st.rate > 0:
		return fmt.Sprintf("%v a second for %v, each fresh: %s", st.rate, st.length, total)
	case st.distinct > 0:
		return fmt.Sprintf("%d that differ at once, %s: %s over %s", st.distinct, times, total, carrier)
	}
	text := fmt.Sprintf("%d at once for each key", st.copies)
	switch {
	case st.cut && st.againAfter > 0:
		text += fmt.Sprintf(", cut after sending, and again after %v", st.againAfter)
	case st.cut:
		text += ", cut after sending, and again"
	case st.again:
		text += fmt.Sprintf(", and again after %v", st.againAfter)
	}
	return fmt.Sprintf("%s, %s: %s over %s", text, times, total, carrier)
}

func (st *step) shownExpectations() []string {
	var all []string
	for i := range st.replies {
		all = append(all, st.named(st.replies[i].Name)+": "+st.replies[i].Count.String()+" "+describe(&st.replies[i]))
	}
	for i := range st.rows {
		all = append(all, st.named(st.rows[i].name)+": "+st.rows[i].count.String()+" from "+st.rows[i].shown)
	}
	for _, l := range st.latency {
		all = append(all, fmt.Sprintf("%s: at most %v", st.named("latency "+l.name), l.most))
	}
	for i := range st.logs {
		all = append(all, fmt.Sprintf("%s: %s new lines of %s with %s", st.named(st.logs[i].name), st.logs[i].count, st.logs[i].file, st.logs[i].match))
	}
	return all
}

// Text is the outline for a terminal, a line each.
func (o Outline) Text() string {
	var out strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&out, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("target", "%s", o.Target)
	if o.Login != nil {
		o.Login.lines("login", line)
		if o.Users > 1 {
			line("users", "%d, each with its own login", o.Users)
		}
		if len(o.Takes) > 0 {
			line("take", "%s", strings.Join(o.Takes, ", "))
		}
	}
	if len(o.Keys) > 0 {
		line("keys", "%s", clip(strings.Join(o.Keys, ", "), 200))
	}
	shown := ""
	for _, st := range o.Steps {
		if st.Name != "" {
			line("step", "%s", st.Name)
		}
		if st.Sent != nil && fmt.Sprint(*st.Sent) != shown {
			st.Sent.lines("request", line)
			shown = fmt.Sprint(*st.Sent)
		}
		line("fire", "%s", st.Does)
		if len(st.Takes) > 0 {
			line("take", "%s", strings.Join(st.Takes, ", "))
		}
	}
	if o.Mark != "" {
		line("mark", "%s: the run's id, in every request", o.Mark)
	}
	if o.ControlRequests > 0 {
		line("control", "up to %d requests with keys that differ, to see how many the target works on at once", o.ControlRequests)
	}
	for _, e := range o.Expect {
		line("expect", "%s", e)
	}
	if o.Health != "" {
		line("health", "%s", o.Health)
	}
	return out.String()
}

func (s *Sent) lines(name string, line func(name, format string, args ...any)) {
	line(name, "%s %s", s.Method, s.URL)
	for _, h := range s.Headers {
		line("header", "%s", h)
	}
	if s.Body != "" {
		line("body", "%s", clip(s.Body, 400))
	}
	if s.Sign != "" {
		line("signed", "%s", s.Sign)
	}
}

// harmless are headers whose values are never secret. Of all others only what
// came from nowhere but the environment's names is shown.
var harmless = []string{"content-type", "accept", "accept-language", "accept-encoding", "user-agent", "host", "idempotency-key", "x-request-id"}

var action = regexp.MustCompile(`\{\{[^}]*\}\}`)

// shownValue hides a value that may be a secret written out.
func shownValue(name, raw string) string {
	if slices.Contains(harmless, strings.ToLower(name)) {
		return raw
	}
	rest := action.ReplaceAllString(yaml.Reference.ReplaceAllString(raw, ""), "")
	for _, word := range []string{"Bearer", "Basic", "Token"} {
		rest = strings.ReplaceAll(rest, word, "")
	}
	if strings.TrimSpace(rest) == "" {
		return raw
	}
	return "(hidden)"
}

// shownURL leaves out the values of a query that was written out.
func shownURL(raw string) string {
	path, query, found := strings.Cut(raw, "?")
	if !found {
		return raw
	}
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		if value != "" && !strings.HasPrefix(value, "{{") && !strings.HasPrefix(value, "${") {
			parts[i] = name + "=(hidden)"
		}
	}
	return path + "?" + strings.Join(parts, "&")
}

// shownHost is a URL without its query.
func shownHost(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(hidden)"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
