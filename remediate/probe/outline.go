package probe

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"twinrow/detect/casefile/yaml"
)

// Outline is what a probe will do, for a person to agree to and for a dry
// run. It names environment variables instead of their values.
type Outline struct {
	Name        string `json:"name,omitempty"`
	Environment string `json:"environment,omitempty"`
	// Target is scheme and host; URL is the whole as it was written.
	Target  string   `json:"target"`
	Method  string   `json:"method"`
	URL     string   `json:"url"`
	Headers []string `json:"headers"`
	Body    string   `json:"body"`
	Sign    string   `json:"sign,omitempty"`
	Keys    []string `json:"keys,omitempty"`
	Copies  int      `json:"copies"`
	Rounds  int      `json:"rounds"`
	// Requests is the number for the attack, ControlRequests at most the number beside it.
	Requests        int    `json:"requests"`
	ControlRequests int    `json:"control_requests"`
	Transport       string `json:"transport"`
	// Expect are the expectations in words.
	Expect []string `json:"expect"`
	Health string   `json:"health,omitempty"`
	// TimeoutUS and LimitUS are microseconds.
	TimeoutUS int64 `json:"timeout_us"`
	LimitUS   int64 `json:"limit_us"`
}

// Outline describes what Run would send.
func (s *Spec) Outline() Outline {
	o := Outline{
		Name: s.Name, Environment: s.Environment, Target: s.base.String(), Method: s.method,
		URL: shownURL(s.target.raw), Headers: []string{}, Body: s.body.raw, Keys: s.keys,
		Copies: s.copies, Rounds: s.rounds, Requests: s.rounds * s.atOnce(), Transport: s.carrier,
		Expect: []string{}, TimeoutUS: s.timeout.Microseconds(), LimitUS: s.limit.Microseconds(),
	}
	o.ControlRequests = s.total() - o.Requests
	for _, h := range s.headers {
		o.Headers = append(o.Headers, h.name+": "+shownValue(h.name, h.value.raw))
	}
	if s.signing != nil {
		o.Sign = s.signing.config.Scheme
	}
	for i := range s.replies {
		o.Expect = append(o.Expect, s.replies[i].Name+": "+s.replies[i].Count.String())
	}
	for i := range s.rows {
		o.Expect = append(o.Expect, s.rows[i].name+": "+s.rows[i].count.String()+" from "+s.rows[i].shown)
	}
	for _, l := range s.latency {
		o.Expect = append(o.Expect, fmt.Sprintf("latency %s: at most %v", l.name, l.most))
	}
	if s.health != nil {
		o.Health = shownHost(s.health.url)
	}
	return o
}

// Text is the outline for a terminal, a line each.
func (o Outline) Text() string {
	var out strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&out, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("target", "%s", o.Target)
	line("request", "%s %s", o.Method, o.URL)
	for _, h := range o.Headers {
		line("header", "%s", h)
	}
	if o.Body != "" {
		line("body", "%s", clip(o.Body, 400))
	}
	if o.Sign != "" {
		line("signed", "%s", o.Sign)
	}
	if len(o.Keys) > 0 {
		line("keys", "%s", clip(strings.Join(o.Keys, ", "), 200))
	}
	line("fire", "%d at once for each key, %d rounds: %d requests over %s", o.Copies, o.Rounds, o.Requests, o.Transport)
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
