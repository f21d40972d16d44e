package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"twinrow/remediate/probe/internal/gate"
)

// client sends requests one by one, or several side by side, where the moment
// does not matter to the microsecond: a login, a rate, a request that is cut.
// It dials the address that was checked, whatever the URL says, and follows
// no redirect.
type client struct {
	http  *http.Client
	limit int
}

func newClient(target gate.Target, second bool) *client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!second)
	protocols.SetHTTP2(second && target.TLS != nil)
	protocols.SetUnencryptedHTTP2(second && target.TLS == nil)
	var config *tls.Config
	if target.TLS != nil {
		config = target.TLS.Clone()
	}
	return &client{limit: target.BodyLimit, http: &http.Client{
		Timeout:       target.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, target.Address)
			},
			TLSClientConfig: config, Protocols: protocols, DisableCompression: true,
			MaxIdleConnsPerHost: MaxAtOnce, MaxResponseHeaderBytes: 256 << 10, IdleConnTimeout: 30 * time.Second,
		},
	}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// send sends one request and reads its answer.
func (c *client) send(ctx context.Context, request *gate.Request) gate.Answer {
	var answer gate.Answer
	var first atomic.Pointer[time.Time]
	trace := &httptrace.ClientTrace{GotFirstResponseByte: func() { first.Store(new(time.Now())) }}
	answer.Sent = time.Now()
	response, err := c.http.Do(toHTTP(httptrace.WithClientTrace(ctx, trace), request))
	if at := first.Load(); at != nil {
		answer.FirstByte = *at
	}
	if err != nil {
		answer.Err = faultOf(ctx, err)
		return answer
	}
	c.read(ctx, response, &answer)
	return answer
}

func (c *client) read(ctx context.Context, response *http.Response, answer *gate.Answer) {
	defer response.Body.Close()
	answer.Status, answer.Header = response.StatusCode, response.Header
	if response.StatusCode == http.StatusSwitchingProtocols {
		// Its body is the bare connection, which no time-out ends.
		answer.Err = &gate.Fault{Kind: gate.KindProtocol, Err: errors.New("the server switched protocols")}
		return
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, int64(c.limit)+1))
	answer.Done = time.Now()
	if answer.Body = body; len(body) > c.limit {
		answer.Body, answer.Unread = body[:c.limit], gate.TooLong(c.limit)
		return
	}
	if err != nil {
		answer.Err = faultOf(ctx, err)
		return
	}
	answer.Decode(c.limit)
}

// errCut is the cause of a request's end that was meant.
var errCut = errors.New("cut after sending")

// cut sends a request whole and ends the connection, or over HTTP/2 the
// stream, without waiting for the answer, as a client whose time ran out. Some
// answers are quicker: they are not looked at.
func (c *client) cut(ctx context.Context, request *gate.Request) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	trace := &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			cancel(errCut)
		}
	}}
	response, err := c.http.Do(toHTTP(httptrace.WithClientTrace(ctx, trace), request))
	if err == nil {
		return response.Body.Close()
	}
	if errors.Is(context.Cause(ctx), errCut) {
		return nil
	}
	return faultOf(ctx, err)
}

// faultOf names what went wrong. The client's own errors of a protocol have no
// types, only words.
func faultOf(ctx context.Context, err error) error {
	fault, ok := errors.AsType[*gate.Fault](gate.AsFault(ctx, bare(err)))
	if !ok || fault.Kind != gate.KindOther {
		return fault
	}
	for _, known := range []struct{ words, kind string }{
		{"GOAWAY", gate.KindClosed}, {"stream error", gate.KindReset}, {"RST_STREAM", gate.KindReset}, {"connection lost", gate.KindClosed},
		{"closed connection", gate.KindClosed}, {"closed idle connection", gate.KindClosed}, {"PROTOCOL_ERROR", gate.KindProtocol},
		{"connection error", gate.KindProtocol}, {"malformed", gate.KindProtocol}, {"chunk", gate.KindProtocol},
		{"http2:", gate.KindProtocol}, {"net/http:", gate.KindProtocol},
	} {
		if strings.Contains(fault.Error(), known.words) {
			fault.Kind = known.kind
			break
		}
	}
	return fault
}

// bare takes the URL off an error, which may hold what is secret.
func bare(err error) error {
	if wrapped, ok := errors.AsType[interface {
		error
		Unwrap() error
		Timeout() bool
	}](err); ok && !wrapped.Timeout() && wrapped.Unwrap() != nil {
		return wrapped.Unwrap()
	}
	return err
}

// toHTTP writes field names as they are, which http.Header's own methods would not.
func toHTTP(ctx context.Context, request *gate.Request) *http.Request {
	out, err := http.NewRequestWithContext(ctx, request.Method, request.Scheme+"://"+request.Authority+request.Path, bytes.NewReader(request.Body))
	if err != nil {
		// Everything was checked when it was rendered.
		return &http.Request{Method: request.Method, Header: http.Header{}}
	}
	out.Host = request.Authority
	for _, field := range request.Header {
		if strings.EqualFold(field.Name, "user-agent") {
			out.Header.Set(field.Name, field.Value)
			continue
		}
		out.Header[field.Name] = append(out.Header[field.Name], field.Value)
	}
	if len(request.Body) == 0 && !slices.Contains([]string{"POST", "PUT", "PATCH"}, request.Method) {
		out.Body, out.ContentLength = http.NoBody, 0
	}
	return out
}
