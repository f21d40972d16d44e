// Package h1 owns the HTTP/1.1 release: one warm connection a request,
// everything sent but the last byte, then all last bytes at once.
//
// It must not know what the requests are for, nor judge an answer.
package h1

import (
	"context"
	"slices"
	"sync"
	"time"

	"twinrow/remediate/probe/internal/gate"
)

// settle is how long the held-back requests rest before the release, so that
// the server has read what went ahead; twice the round trip comes on top.
const settle = 2 * gate.Settle

// fresh is how long an idle connection is used again. Servers close idle ones,
// Node after 5 s, and a request that meets the close on its way is lost.
const fresh = 3 * time.Second

// Pool is a gate.Transport over as many connections as there are requests.
type Pool struct {
	target gate.Target
	idle   []*lane
	// trip is the shortest TCP handshake seen, one way there and back.
	trip time.Duration
	// extra is added to the rest before a release.
	extra time.Duration
}

// New prepares a pool; connections are opened by the first Fire.
func New(target gate.Target) *Pool { return &Pool{target: target} }

// Name implements gate.Transport.
func (p *Pool) Name() string { return "http1" }

// Rest implements gate.Transport.
func (p *Pool) Rest(extra time.Duration) { p.extra = extra }

// Close closes the idle connections.
func (p *Pool) Close() error {
	for _, l := range p.idle {
		_ = l.conn.Close()
	}
	p.idle = nil
	return nil
}

// Fire implements gate.Transport.
func (p *Pool) Fire(ctx context.Context, requests []gate.Request, hold gate.Hold) (*gate.Shot, error) {
	lanes, err := p.take(ctx, len(requests))
	if err != nil {
		return nil, err
	}
	defer p.keep(lanes)
	defer closeWith(ctx, slices.Clone(lanes))()

	tails := make([][]byte, len(requests))
	for i, l := range lanes {
		tails[i] = p.send(ctx, l, &requests[i], hold)
	}
	if err := p.rest(ctx); err != nil {
		return nil, err
	}
	renewed, err := p.replaceStale(ctx, lanes, requests, hold)
	defer closeWith(ctx, renewed)()
	if err != nil {
		return nil, err
	}
	if len(renewed) > 0 {
		if err := p.rest(ctx); err != nil {
			return nil, err
		}
	}
	shot := p.release(lanes, tails)
	for i, l := range lanes {
		<-l.done
		sent := shot.Answers[i].Sent
		if l.answer.Err == nil || shot.Answers[i].Err == nil {
			shot.Answers[i] = l.answer
		}
		shot.Answers[i].Sent = sent
		shot.Answers[i].Early = !l.answer.FirstByte.IsZero() && l.answer.FirstByte.Before(shot.First)
	}
	return shot, ctx.Err()
}

// send puts everything but the tail on the wire and starts to listen.
func (p *Pool) send(ctx context.Context, l *lane, request *gate.Request, hold gate.Hold) (tail []byte) {
	head, tail := split(request, hold)
	// The time-out proper is set at the release; this one bounds the way there.
	_ = l.conn.SetDeadline(time.Now().Add(p.target.Timeout + time.Second + p.extra))
	l.await(ctx, request.Method, p.target.BodyLimit)
	// A failed write shows in the reader, which knows more about the cause.
	_, _ = l.conn.Write(head)
	return tail
}

func (p *Pool) rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(settle + 2*p.trip + p.extra):
		return nil
	}
}

// replaceStale opens new connections for those that the server had closed
// while they were idle, and returns them; their requests have not reached anybody.
func (p *Pool) replaceStale(ctx context.Context, lanes []*lane, requests []gate.Request, hold gate.Hold) (renewed []*lane, err error) {
	for i, l := range lanes {
		if !l.stale() {
			continue
		}
		conn, err := gate.Dial(ctx, p.target, "http/1.1")
		if err != nil {
			return renewed, err
		}
		_ = l.conn.Close()
		lanes[i] = newLane(conn)
		p.send(ctx, lanes[i], &requests[i], hold)
		renewed = append(renewed, lanes[i])
	}
	return renewed, nil
}

func (p *Pool) release(lanes []*lane, tails [][]byte) *gate.Shot {
	conns := make([]*gate.Conn, len(lanes))
	failed := make([]error, len(lanes))
	for i, l := range lanes {
		conns[i] = l.conn
		failed[i] = l.conn.Load(tails[i])
	}
	deadline := time.Now().Add(p.target.Timeout)
	for _, l := range lanes {
		_ = l.conn.SetReadDeadline(deadline)
	}
	first, written := gate.ReleaseAll(conns)
	shot := &gate.Shot{Answers: make([]gate.Answer, len(lanes)), First: first, Last: first}
	for i, w := range written {
		shot.Answers[i].Sent = w.From
		if w.To.After(shot.Last) {
			shot.Last = w.To
		}
		if failed[i] == nil {
			failed[i] = w.Err
		}
		if failed[i] != nil {
			shot.Answers[i].Err = gate.AsFault(context.Background(), failed[i])
		}
	}
	return shot
}

// take returns n lanes, the idle ones first.
func (p *Pool) take(ctx context.Context, n int) ([]*lane, error) {
	p.idle = slices.DeleteFunc(p.idle, func(l *lane) bool {
		old := time.Since(l.kept) > fresh
		if old {
			_ = l.conn.Close()
		}
		return old
	})
	kept := min(n, len(p.idle))
	lanes := append([]*lane(nil), p.idle[:kept]...)
	p.idle = append([]*lane(nil), p.idle[kept:]...)
	for len(lanes) < n {
		opened, err := p.open(ctx, min(n-len(lanes), 64))
		lanes = append(lanes, opened...)
		if err != nil {
			closeAll(lanes)
			return nil, err
		}
	}
	return lanes, nil
}

// open dials n connections at once.
func (p *Pool) open(ctx context.Context, n int) ([]*lane, error) {
	conns, errs := make([]*gate.Conn, n), make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { conns[i], errs[i] = gate.Dial(ctx, p.target, "http/1.1") })
	}
	group.Wait()
	var lanes []*lane
	var failed error
	for i, conn := range conns {
		if errs[i] != nil {
			failed = errs[i]
			continue
		}
		lanes = append(lanes, newLane(conn))
		if p.trip == 0 || conn.Connect < p.trip {
			p.trip = conn.Connect
		}
	}
	return lanes, failed
}

// keep puts lanes that can be used again back and closes the others.
func (p *Pool) keep(lanes []*lane) {
	for _, l := range lanes {
		if l.done != nil && l.finished() && l.again {
			l.kept = time.Now()
			p.idle = append(p.idle, l)
			continue
		}
		_ = l.conn.Close()
	}
}

// closeWith closes the lanes as soon as ctx ends, unless stopped before.
func closeWith(ctx context.Context, lanes []*lane) (stop func() bool) {
	return context.AfterFunc(ctx, func() { closeAll(lanes) })
}

func closeAll(lanes []*lane) {
	for _, l := range lanes {
		_ = l.conn.Close()
	}
}
