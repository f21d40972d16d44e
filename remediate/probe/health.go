package probe

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"twinrow/remediate/probe/expect"
)

// healthEvery is the shortest pause between two looks during the run.
const healthEvery = time.Second

// healthLog asks a target how it is. A nil health in the specification makes
// every look a no-op.
type healthLog struct {
	spec   *health
	client *http.Client
	agent  string
	last   time.Time
	// Checks are the looks in order.
	Checks []HealthCheck
}

func newHealthLog(ctx context.Context, s *Spec, deps Deps) (*healthLog, error) {
	log := &healthLog{spec: s.health, agent: agent + "/" + deps.Version}
	if s.health == nil {
		return log, nil
	}
	u, err := parseTarget(s.health.where, s.health.url)
	if err != nil {
		return nil, err
	}
	address, err := admit(ctx, u, deps.AllowHosts)
	if err != nil {
		return nil, err
	}
	config, err := s.tls.config(u)
	if err != nil {
		return nil, err
	}
	log.client = healthClient(u, address, s.timeout)
	if config != nil {
		log.client.Transport.(*http.Transport).TLSClientConfig = config
	}
	return log, nil
}

func healthClient(u *url.URL, address string, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, address)
			},
			ForceAttemptHTTP2: u.Scheme == "https",
		},
	}
}

func (l *healthLog) close() {
	if l.client != nil {
		l.client.CloseIdleConnections()
	}
}

// during looks in between rounds, not more often than healthEvery.
func (l *healthLog) during(ctx context.Context) {
	if time.Since(l.last) >= healthEvery {
		l.check(ctx, "during")
	}
}

func (l *healthLog) check(ctx context.Context, when string) {
	if l.spec == nil || ctx.Err() != nil {
		return
	}
	status, reason := l.look(ctx)
	l.Checks = append(l.Checks, HealthCheck{When: when, Status: status, OK: reason == "", Reason: reason})
	l.last = time.Now()
}

func (l *healthLog) look(ctx context.Context) (status int, reason string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.spec.url, nil)
	if err != nil {
		return 0, "its URL cannot be asked"
	}
	request.Header.Set("User-Agent", l.agent)
	response, err := l.client.Do(request)
	if err != nil {
		return 0, "it did not answer"
	}
	defer response.Body.Close()
	// The body of one that switched protocols is the bare connection, which no
	// time-out ends.
	if !l.spec.statuses.Has(response.StatusCode) || response.StatusCode == http.StatusSwitchingProtocols {
		return response.StatusCode, fmt.Sprintf("it answered %d", response.StatusCode)
	}
	content, err := io.ReadAll(io.LimitReader(response.Body, bodyLimit))
	if err != nil {
		return response.StatusCode, "its answer broke off"
	}
	body := expect.NewBody(content, false)
	for _, want := range l.spec.json {
		if holds, _ := want.In(body); !holds {
			return response.StatusCode, fmt.Sprintf("%s is not %s", want.Path, want.Text())
		}
	}
	return response.StatusCode, ""
}

// bad returns the first look that was not well, or nil.
func (l *healthLog) bad() *HealthCheck {
	for i := range l.Checks {
		if !l.Checks[i].OK {
			return &l.Checks[i]
		}
	}
	return nil
}
