// Package sendgrid hands mails to SendGrid's v3 API. It owns what its answers
// mean, above all which of them leave open whether a mail was taken.
//
// It must not know cases, drafts or the ledger, and it never retries a send:
// the caller does, with the claim it keeps.
package sendgrid

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sendgrid/rest"
	client "github.com/sendgrid/sendgrid-go"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
)

// DefaultBaseURL is SendGrid's for accounts outside its EU region.
const DefaultBaseURL = "https://api.sendgrid.com"

// Config says how to reach SendGrid.
type Config struct {
	// Key is the API key; it never stands in an error.
	Key string
	// BaseURL is a scheme and a host, as https://api.eu.sendgrid.com; empty
	// means DefaultBaseURL. Only this machine may be reached without TLS.
	BaseURL string
	// Sandbox lets SendGrid check the mails and send none.
	Sandbox bool
	// Timeout is for one request with its answer; 0 means 30 s.
	Timeout time.Duration
}

// Client is a notify.Carrier and a notify.Activity. The methods of the first
// may be called at once.
type Client struct {
	key, base string
	sandbox   bool
	timeout   time.Duration
	transport http.RoundTripper
	now       func() time.Time
	// pause is the wait before a lookup is tried again, doubled each time.
	pause time.Duration
	sleep func(context.Context, time.Duration) error
	// asked are the times of the last requests for activity, oldest first.
	asked []time.Time
}

var _ notify.Carrier = (*Client)(nil)

// Name stands in the ledger.
func (c *Client) Name() string { return "sendgrid" }

// maxAnswer is how much of an answer is read, in bytes; SendGrid's are far shorter.
const maxAnswer = 1 << 20

// New checks the configuration. It does not reach out.
func New(config Config) (*Client, error) {
	key := strings.TrimSpace(config.Key)
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, &casefile.Problem{Code: casefile.CodeUsage, Message: "no usable SendGrid API key", Hint: "set SENDGRID_API_KEY to a key with the right to send mail"}
	}
	base, err := checkBase(config.BaseURL)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// HTTP/2 may send a request again by itself when a connection ends.
	transport.ForceAttemptHTTP2 = false
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	c := &Client{key: key, base: base, sandbox: config.Sandbox, timeout: config.Timeout, transport: limited{transport}, now: time.Now, pause: 500 * time.Millisecond, sleep: sleep}
	if c.timeout == 0 {
		c.timeout = 30 * time.Second
	}
	return c, nil
}

func checkBase(base string) (string, error) {
	if base == "" {
		return DefaultBaseURL, nil
	}
	bad := &casefile.Problem{Code: casefile.CodeUsage, Message: "the SendGrid base URL is not a scheme and a host", Hint: "set SENDGRID_BASE_URL like " + DefaultBaseURL + ", or unset it"}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", bad
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
	case u.Scheme == "http":
		bad.Message, bad.Hint = "the SendGrid base URL would send the API key in the clear", "use https"
		return "", bad
	default:
		return "", bad
	}
	return u.Scheme + "://" + u.Host, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// answer is what came of one request.
type answer struct {
	// status is 0 where none came.
	status  int
	headers http.Header
	body    string
	// began is false where it is certain that no byte of the request left.
	began bool
	err   error
}

// do makes one request with a client of its own: sendgrid-go's keeps the body
// in shared state, and its default one has no time-out.
func (c *Client) do(ctx context.Context, request rest.Request) answer {
	var got atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Store(true) }})
	http := &rest.Client{HTTPClient: &http.Client{Transport: c.transport, Timeout: c.timeout, CheckRedirect: stay}}
	response, err := http.SendWithContext(ctx, request)
	a := answer{began: got.Load(), err: bare(err)}
	if response != nil { // even beside an error: then the body was cut after the status
		a.status, a.headers, a.body = response.StatusCode, response.Headers, response.Body
	}
	return a
}

func (c *Client) request(method rest.Method, path string) rest.Request {
	request := client.GetRequest(c.key, path, c.base)
	request.Method = method
	return request
}

// stay follows no redirect: it would take mail and key to another place.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// bare takes the URL off an error, which holds an address in lookups.
func bare(err error) error {
	if withURL, ok := errors.AsType[*url.Error](err); ok {
		return withURL.Err
	}
	return err
}

// limited bounds how much of an answer is read.
type limited struct{ http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = cut{io.LimitReader(response.Body, maxAnswer), response.Body}
	}
	return response, err
}

type cut struct {
	io.Reader
	io.Closer
}
