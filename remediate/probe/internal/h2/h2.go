// Package h2 owns the HTTP/2 release: as many requests on a connection as it
// takes, all frames sent but the last of each, then those in a single write. It
// is the only importer of x/net/http2.
//
// It must not know what the requests are for, nor judge an answer.
package h2

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/http2"

	"twinrow/remediate/probe/internal/gate"
)

// Within a machine the requests are shared out over two connections: the server
// then reads them on two threads, and the second request of a round begins
// while the first is still being read. (Go's net/http, 30 requests, 95 %: the
// first two 50 µs apart instead of 95 µs; that the last is then 300 µs behind
// instead of 240 µs matters less.) Through a network one packet is what arrives
// together, and under TLS the server's decryption gives the second thread its
// time, so there is one.
const (
	lanesInside = 2
	// fewest requests that are shared out; less would leave one alone.
	fewestShared = 4
)

// writeTimeout bounds a write to a server that does not read.
const writeTimeout = 30 * time.Second

// ErrWindow is why requests cannot be held back: the server's flow control
// lets their bodies not through at all.
var ErrWindow = errors.New("the body is larger than the server's HTTP/2 window")

// ErrStreams is why nothing can be sent: the server allows no stream at all,
// as one may that is too busy or about to end (RFC 9113, section 5.1.2).
var ErrStreams = errors.New("the server allows no HTTP/2 stream")

// Transport is a gate.Transport over as few connections as the server's
// limits allow.
type Transport struct {
	target gate.Target
	// inside is true where no network lies between, nor encryption.
	inside   bool
	sessions []*session
	// extra is added to the rest before a release.
	extra time.Duration
}

// New prepares a transport; connections are opened by the first Fire.
func New(target gate.Target) *Transport {
	at, err := netip.ParseAddrPort(target.Address)
	return &Transport{target: target, inside: err == nil && at.Addr().IsLoopback() && target.TLS == nil}
}

// Name implements gate.Transport.
func (t *Transport) Name() string { return "http2" }

// Rest implements gate.Transport.
func (t *Transport) Rest(extra time.Duration) { t.extra = extra }

// Close closes all connections.
func (t *Transport) Close() error {
	for _, s := range t.sessions {
		s.close()
	}
	t.sessions = nil
	return nil
}

// share is what one session carries of a shot.
type share struct {
	session *session
	from    int
	streams []*stream
	tail    []byte
}

// Fire implements gate.Transport.
func (t *Transport) Fire(ctx context.Context, requests []gate.Request, hold gate.Hold) (*gate.Shot, error) {
	shares, err := t.part(ctx, requests)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() {
		for i := range shares {
			shares[i].session.close()
		}
	})
	defer stop()
	for i := range shares {
		if err := shares[i].prepare(requests, hold); err != nil {
			return nil, gate.AsFault(ctx, err)
		}
	}
	if err := t.rest(ctx, shares); err != nil {
		return nil, err
	}
	shot, err := release(shares, len(requests))
	if err != nil {
		return nil, gate.AsFault(ctx, err)
	}
	t.collect(ctx, shares, shot)
	return shot, ctx.Err()
}

// part spreads the requests over sessions: what is in one packet arrives
// together. (Equal parts, or more connections than the limits ask for, were
// tried for 400 requests: neither is tighter.)
func (t *Transport) part(ctx context.Context, requests []gate.Request) ([]share, error) {
	largest := 0
	for i := range requests {
		largest = max(largest, len(requests[i].Body))
	}
	most := len(requests)
	if t.inside && most >= fewestShared {
		most = (most + lanesInside - 1) / lanesInside
	}
	var shares []share
	for done, n := 0, 0; done < len(requests); n++ {
		s, err := t.session(ctx, n, largest)
		if err != nil {
			return nil, err
		}
		room := min(s.room(largest), most, len(requests)-done)
		switch {
		case room == 0 && s.room(0) == 0:
			return nil, ErrStreams
		case room == 0:
			return nil, ErrWindow
		}
		shares = append(shares, share{session: s, from: done, streams: make([]*stream, room)})
		done += room
	}
	return shares, nil
}

// session returns the n-th session, a new one where it is missing, at its end,
// or without room for a body of this size.
func (t *Transport) session(ctx context.Context, n, body int) (*session, error) {
	if n < len(t.sessions) && t.sessions[n].usable() && t.sessions[n].room(body) > 0 {
		return t.sessions[n], nil
	}
	s, err := open(ctx, t.target)
	if err != nil {
		return nil, err
	}
	if n < len(t.sessions) {
		t.sessions[n].close()
		t.sessions[n] = s
	} else {
		t.sessions = append(t.sessions, s)
	}
	return s, nil
}

// prepare sends all that goes ahead and composes the rest.
func (p *share) prepare(requests []gate.Request, hold gate.Hold) error {
	s := p.session
	requests = requests[p.from : p.from+len(p.streams)]
	s.writing.Lock()
	defer s.writing.Unlock()
	for i := range p.streams {
		p.streams[i] = s.begin(len(requests[i].Body))
	}
	if err := p.ahead(requests, hold); err != nil {
		return err
	}
	if sent := s.compose.take(); len(sent) > 0 {
		_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err := s.conn.Write(sent); err != nil {
			return err
		}
	}
	return p.behind(requests, hold)
}

// ahead composes what the server may have before the release.
func (p *share) ahead(requests []gate.Request, hold gate.Hold) error {
	if holdsWhole(requests, hold) {
		return nil
	}
	compose, frame := p.session.compose, p.session.frameSize()
	for i, st := range p.streams {
		body := requests[i].Body
		if err := compose.header(st.id, &requests[i], frame); err != nil {
			return err
		}
		if err := compose.data(st.id, body[:len(body)-kept(hold)], false, frame); err != nil {
			return err
		}
	}
	return nil
}

// kept is how many bytes of a body the release sends.
func kept(hold gate.Hold) int {
	if hold == gate.HoldEnd {
		return 0
	}
	return 1
}

// behind composes what the release sends. A ping goes before it: its answer
// keeps the server's writer busy, and a second thread awake, while the frames
// behind it are read; else the first answer is written before the second
// request is looked at. (As above: with it the 95 % of the first two's distance
// is 33 µs instead of 57 µs.)
func (p *share) behind(requests []gate.Request, hold gate.Hold) error {
	compose, frame := p.session.compose, p.session.frameSize()
	if err := compose.framer.WritePing(false, unasked); err != nil {
		return err
	}
	whole := holdsWhole(requests, hold)
	for i, st := range p.streams {
		body := requests[i].Body
		if whole {
			if err := compose.header(st.id, &requests[i], frame); err != nil {
				return err
			}
			if len(body) == 0 {
				continue
			}
		} else {
			body = body[len(body)-kept(hold):]
		}
		if err := compose.data(st.id, body, true, frame); err != nil {
			return err
		}
	}
	p.tail = compose.take()
	return nil
}

// unasked marks a ping whose answer nobody waits for.
var unasked = [8]byte{0xff}

// holdsWhole tells whether whole requests are held back. It is so for all of
// a share or for none: streams must be opened in the order of their numbers.
func holdsWhole(requests []gate.Request, hold gate.Hold) bool {
	return hold == gate.HoldHead || slices.ContainsFunc(requests, func(r gate.Request) bool { return len(r.Body) == 0 })
}

// rest waits until the servers have read what went ahead.
func (t *Transport) rest(ctx context.Context, shares []share) error {
	for i := range shares {
		if err := shares[i].session.ping(ctx, t.target.Timeout); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(gate.Settle + t.extra):
		return nil
	}
}

// release writes every session's tail at once; acknowledgements wait meanwhile.
func release(shares []share, n int) (*gate.Shot, error) {
	conns := make([]*gate.Conn, len(shares))
	for i := range shares {
		s := shares[i].session
		s.writing.Lock()
		defer s.writing.Unlock()
		_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err := s.conn.Load(shares[i].tail); err != nil {
			return nil, err
		}
		conns[i] = s.conn
	}
	first, written := gate.ReleaseAll(conns)
	shot := &gate.Shot{Answers: make([]gate.Answer, n), First: first, Last: first}
	for i, w := range written {
		if w.To.After(shot.Last) {
			shot.Last = w.To
		}
		for j := range shares[i].streams {
			shot.Answers[shares[i].from+j].Sent = w.From
		}
		if w.Err != nil {
			go shares[i].session.fail(gate.AsFault(context.Background(), w.Err))
		}
	}
	return shot, nil
}

// collect waits for all answers, each no longer than the time-out.
func (t *Transport) collect(ctx context.Context, shares []share, shot *gate.Shot) {
	timer := time.NewTimer(time.Until(shot.First.Add(t.target.Timeout)))
	defer timer.Stop()
	var over = timer.C
	var late error
	for _, p := range shares {
		for j, st := range p.streams {
			if late == nil {
				select {
				case <-st.done:
				case <-ctx.Done():
					late = gate.AsFault(ctx, ctx.Err())
				case <-over:
					late = &gate.Fault{Kind: gate.KindTimeout}
				}
			}
			if late != nil {
				p.session.cancel(st, late)
			}
			answer := st.answer
			answer.Sent = shot.Answers[p.from+j].Sent
			answer.Early = !answer.FirstByte.IsZero() && answer.FirstByte.Before(shot.First)
			answer.Decode(t.target.BodyLimit)
			shot.Answers[p.from+j] = answer
		}
	}
}

// begin registers the next stream and takes its body from the connection's
// window; the caller holds the writing lock.
func (s *session) begin(body int) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings.connection -= int64(body)
	st := &stream{id: s.nextID, done: make(chan struct{})}
	s.nextID += 2
	if s.dead != nil {
		st.finish(time.Now(), s.dead)
		return st
	}
	s.streams[st.id] = st
	return st
}

func (s *session) frameSize() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings.frame
}

// cancel gives a stream up where it is not complete, and tells the server.
func (s *session) cancel(st *stream, fault error) {
	s.end(st.id, fault)
	<-st.done
	if errors.Is(st.answer.Err, fault) {
		_ = s.write(func() error { return s.compose.framer.WriteRSTStream(st.id, http2.ErrCodeCancel) })
	}
}
