package probe

import (
	"fmt"
	"net/url"
	"strings"

	"twinrow/remediate/probe/internal/gate"
)

// agent is the User-Agent where the specification sets none; the version is
// put in when the probe runs.
const agent = "twinrow-probe"

// render fills in one request of the step under proof. It is not signed yet.
func (s *Spec) render(m moment, vars map[string]string) (*gate.Request, error) {
	return s.renderCall(&s.call, m, vars)
}

func (s *Spec) renderCall(c *call, m moment, vars map[string]string) (*gate.Request, error) {
	data := m.data(vars)
	if len(s.sessions) > 1 { // vars are a key's, these the user's own
		for name, value := range s.sessionOf(m.User).taken {
			data[name] = value
		}
	}
	text, err := c.target.render(data)
	if err != nil {
		return nil, err
	}
	u, err := parseTarget(c.target.where, text)
	if err != nil {
		return nil, err
	}
	if s.base == nil {
		s.base = &url.URL{Scheme: u.Scheme, Host: u.Host}
	}
	if u.Scheme != s.base.Scheme || u.Host != s.base.Host {
		return nil, problem(c.target.where, "the host of the target must be the same in all requests")
	}
	request := &gate.Request{Method: c.method, Scheme: u.Scheme, Authority: u.Host, Path: u.RequestURI()}
	body, err := c.body.render(data)
	if err != nil {
		return nil, err
	}
	if len(body) > MaxBody {
		return nil, problem(c.body.where, "the body is %d bytes long; %d are allowed", len(body), MaxBody)
	}
	request.Body = []byte(body)
	for i := range c.headers {
		value, err := c.headers[i].value.render(data)
		if err != nil {
			return nil, err
		}
		if !fieldValue(value) {
			return nil, problem(c.headers[i].value.where, "header %s would hold a line break or another control character", c.headers[i].name)
		}
		if strings.EqualFold(c.headers[i].name, "host") {
			request.Authority = value
			continue
		}
		request.Header = append(request.Header, gate.Field{Name: c.headers[i].name, Value: value})
	}
	return request, nil
}

// headerName says what is wrong with a header's name, or "".
func headerName(name string) string {
	switch strings.ToLower(name) {
	case "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "upgrade", "te", "trailer", "expect":
		return fmt.Sprintf("%s is set by the probe itself", name)
	}
	if name == "" || strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	}) {
		return fmt.Sprintf("%q cannot be the name of a header", name)
	}
	return ""
}

func fieldValue(value string) bool {
	return !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}

// filledIn are the arguments of a statement.
func filledIn(sources []source, data map[string]any) ([]string, error) {
	args := make([]string, len(sources))
	for i := range sources {
		var err error
		if args[i], err = sources[i].render(data); err != nil {
			return nil, err
		}
	}
	return args, nil
}
