package h1

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"twinrow/remediate/probe/internal/gate"
)

// headerAllowance is how many bytes of header and chunk framing an answer may
// have beside its body.
const headerAllowance = 256 << 10

// lane is one connection and the answer awaited on it.
type lane struct {
	conn   *gate.Conn
	bound  *io.LimitedReader
	reader *bufio.Reader
	// used is true once an answer was read from the connection, reused where
	// that was before the request now under way.
	used, reused bool
	// done is closed when answer is complete, for better or worse.
	done   chan struct{}
	answer gate.Answer
	// again is true where the connection can take another request.
	again bool
	// kept is when it was put back to be used again.
	kept time.Time
}

func newLane(conn *gate.Conn) *lane {
	bound := &io.LimitedReader{R: conn}
	return &lane{conn: conn, bound: bound, reader: bufio.NewReaderSize(bound, 4<<10)}
}

// await starts to read the answer to a request with this method.
func (l *lane) await(ctx context.Context, method string, limit int) {
	l.done, l.answer, l.again = make(chan struct{}), gate.Answer{}, false
	l.bound.N, l.reused = int64(limit)+headerAllowance, l.used
	go func() {
		defer close(l.done)
		l.answer.Err = gate.AsFault(ctx, l.read(method, limit))
		l.used = true
	}()
}

func (l *lane) read(method string, limit int) error {
	response, err := l.header(method) //nolint:bodyclose // the connection is the lane's own, and is closed with it
	if err != nil {
		return err
	}
	l.answer.Status, l.answer.Header = response.StatusCode, response.Header
	body, err := io.ReadAll(io.LimitReader(response.Body, int64(limit)+1))
	l.answer.Body = body
	if len(body) > limit || l.bound.N <= 0 {
		l.answer.Body, l.answer.Unread = body[:min(limit, len(body))], gate.TooLong(limit)
		l.answer.Done = time.Now()
		return nil
	}
	if err != nil {
		return unlessNetwork(err)
	}
	l.answer.Done = time.Now()
	l.again = !response.Close && l.reader.Buffered() == 0
	l.answer.Decode(limit)
	return nil
}

// header reads up to the final header; interim ones (1xx) are passed over.
func (l *lane) header(method string) (*http.Response, error) {
	for range 8 {
		if _, err := l.reader.Peek(1); err != nil {
			return nil, err
		}
		l.answer.FirstByte = time.Now()
		response, err := http.ReadResponse(l.reader, &http.Request{Method: method})
		if err != nil && l.bound.N <= 0 {
			return nil, &gate.Fault{Kind: gate.KindProtocol, Err: errors.New("the header is too long")}
		}
		if err != nil {
			return nil, unlessNetwork(err)
		}
		if response.StatusCode >= 200 || response.StatusCode == http.StatusSwitchingProtocols {
			return response, nil
		}
	}
	return nil, &gate.Fault{Kind: gate.KindProtocol, Err: errors.New("too many interim answers")}
}

// unlessNetwork tells an answer that makes no sense from one that did not come whole.
func unlessNetwork(err error) error {
	var timeout interface{ Timeout() bool }
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &timeout) {
		return err
	}
	return &gate.Fault{Kind: gate.KindProtocol, Err: err}
}

// finished tells whether the answer is there already.
func (l *lane) finished() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// stale tells a kept connection that the server had closed before the request
// could reach it.
func (l *lane) stale() bool {
	return l.reused && l.finished() && l.answer.Err != nil && l.answer.FirstByte.IsZero()
}
