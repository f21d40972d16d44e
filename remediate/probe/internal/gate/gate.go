// Package gate owns what both transports of a probe share: a request made
// ready to the byte, an answer with its times, a connection whose last bytes
// are prepared before the moment they are sent, and that moment itself.
//
// It must not know a protocol's framing, nor what an answer is judged by.
package gate

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"
)

// Field is one header field. Names are kept as written; transports fold them
// where their protocol asks for it.
type Field struct{ Name, Value string }

// Request is one request, rendered and signed. Content-Length is the
// transport's to add.
type Request struct {
	Method, Scheme, Authority string
	// Path is the request target in origin form, with its query.
	Path   string
	Header []Field
	Body   []byte
}

// Hold says what is kept back until the release.
type Hold int

const (
	// HoldBody sends everything but the last byte of the body. A request
	// without a body is held as by HoldHead.
	HoldBody Hold = iota
	// HoldHead keeps back the end of the header, so that no server can start
	// before the release: HTTP/1.1 the last line end and the body, HTTP/2 the
	// whole request.
	HoldHead
	// HoldEnd sends the whole body over HTTP/2 and keeps back only that it is
	// whole, as an empty last frame. It is the tightest, but holds only servers
	// that wait for it; over HTTP/1.1, where the length says it, it is HoldBody.
	HoldEnd
	// Holds is the number of kinds.
	Holds
)

// Settle is how long what goes ahead rests at least before the release, once
// the server has it, so that its handlers are waiting for the rest.
const Settle = 2 * time.Millisecond

// Target says where to connect and how long to wait.
type Target struct {
	// Address is a literal IP address and port: what was checked is what is dialled.
	Address string
	// TLS is nil for cleartext.
	TLS *tls.Config
	// Timeout bounds a connection's set-up, and from the release the whole answer.
	Timeout time.Duration
	// BodyLimit is the number of body bytes kept of one answer.
	BodyLimit int
}

// Answer is what came back for one request.
type Answer struct {
	// Status is 0 where no header arrived.
	Status int
	Header http.Header
	Body   []byte
	// Unread says why the body cannot be judged though the header came, or is
	// empty.
	Unread string
	// Sent is taken right before the release's write; FirstByte and Done are
	// zero where they did not come to pass.
	Sent, FirstByte, Done time.Time
	// Early is true where the answer began before the release.
	Early bool
	// Err is a *Fault where the answer is missing or torn.
	Err error
}

// Shot is one release of several requests and all their answers, in the order
// of the requests.
type Shot struct {
	Answers []Answer
	// First and Last enclose the writes of the release.
	First, Last time.Time
}

// Transport fires requests at once. It keeps connections between calls; calls
// come one after another.
type Transport interface {
	// Name is "http1" or "http2".
	Name() string
	// Fire sends the requests so that their ends leave together. An error
	// means that nothing was released; what goes wrong with single requests
	// stands in their answers.
	Fire(ctx context.Context, requests []Request, hold Hold) (*Shot, error)
	// Rest has what goes ahead rest for so much longer before the release, in
	// every Fire from now on.
	Rest(extra time.Duration)
	// Close ends all connections.
	Close() error
}
