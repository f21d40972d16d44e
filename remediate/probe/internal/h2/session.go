package h2

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"twinrow/remediate/probe/internal/gate"
)

const (
	// defaultWindow and defaultFrame are RFC 9113's, until the server says otherwise.
	defaultWindow, defaultFrame = 65535, 16384
	// connWindow is what the server may send on a connection before it must
	// wait; it is topped up at half.
	connWindow = 1 << 30
	// maxStreams is used where the server sets no limit.
	maxStreams = 1000
	// headerLimit bounds the header of one answer.
	headerLimit = 256 << 10
)

// session is one HTTP/2 connection.
type session struct {
	conn      *gate.Conn
	bodyLimit int
	// writing is held for every write, and across a release, so that no
	// acknowledgement lands between its frames.
	writing sync.Mutex
	compose *composer
	nextID  uint32

	mu       sync.Mutex
	streams  map[uint32]*stream
	pings    map[uint64]chan struct{}
	pinged   uint64
	settings limits
	settled  chan struct{} // closed at the server's first SETTINGS
	received int
	// leaving is true once the server said that it takes no more streams.
	leaving bool
	dead    error
	gone    chan struct{} // closed with dead
}

// limits are what the server allows, read and not assumed.
type limits struct {
	streams, frame int
	// window is a stream's, connection what is left of the connection's.
	window, connection int64
}

// open connects, exchanges settings and waits until the server's have come.
func open(ctx context.Context, target gate.Target) (*session, error) {
	conn, err := gate.Dial(ctx, target, http2.NextProtoTLS)
	if err != nil {
		return nil, err
	}
	if target.TLS != nil && conn.Proto != http2.NextProtoTLS {
		_ = conn.Close()
		return nil, &gate.Fault{Kind: gate.KindProtocol, Err: errors.New("the server does not offer HTTP/2")}
	}
	s := &session{
		conn: conn, bodyLimit: target.BodyLimit, compose: newComposer(), nextID: 1,
		streams: map[uint32]*stream{}, pings: map[uint64]chan struct{}{},
		settings: limits{streams: maxStreams, frame: defaultFrame, window: defaultWindow, connection: defaultWindow},
		settled:  make(chan struct{}), gone: make(chan struct{}),
	}
	if err := s.greet(); err != nil {
		_ = conn.Close()
		return nil, gate.AsFault(ctx, err)
	}
	go s.listen()
	return s, s.awaitSettings(ctx, target.Timeout)
}

func (s *session) greet() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.compose.out.WriteString(http2.ClientPreface)
	err := errors.Join(
		s.compose.framer.WriteSettings(
			http2.Setting{ID: http2.SettingEnablePush, Val: 0},
			http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(s.bodyLimit) + 1},
			http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: headerLimit}),
		s.compose.framer.WriteWindowUpdate(0, connWindow-defaultWindow))
	if err != nil {
		return err
	}
	_, err = s.conn.Write(s.compose.take())
	return err
}

func (s *session) awaitSettings(ctx context.Context, timeout time.Duration) error {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-s.settled:
		// A round trip later everything the server says at first has come,
		// its window update for the connection too.
		return s.ping(ctx, timeout)
	case <-s.gone:
		return s.dead
	case <-ctx.Done():
		s.close()
		return gate.AsFault(ctx, ctx.Err())
	case <-timer.C:
		s.close()
		return &gate.Fault{Kind: gate.KindTimeout, Err: errors.New("the server sent no HTTP/2 settings")}
	}
}

// ping goes to the server's frame loop and back: frames sent before it have
// been read by the server when it returns.
func (s *session) ping(ctx context.Context, timeout time.Duration) error {
	s.mu.Lock()
	s.pinged++
	number, back := s.pinged, make(chan struct{})
	s.pings[number] = back
	s.mu.Unlock()
	var payload [8]byte
	binary.BigEndian.PutUint64(payload[:], number)
	if err := s.write(func() error { return s.compose.framer.WritePing(false, payload) }); err != nil {
		return gate.AsFault(ctx, err)
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-back:
		return nil
	case <-s.gone:
		return s.dead
	case <-ctx.Done():
		return gate.AsFault(ctx, ctx.Err())
	case <-timer.C:
		return &gate.Fault{Kind: gate.KindTimeout, Err: errors.New("the server answered no ping")}
	}
}

// write composes frames under the lock and sends them.
func (s *session) write(frames func() error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := frames(); err != nil {
		return err
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := s.conn.Write(s.compose.take())
	return err
}

func (s *session) close() { s.fail(&gate.Fault{Kind: gate.KindStopped}) }

// fail ends the session and every answer still awaited on it.
func (s *session) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead != nil {
		return
	}
	s.dead = err
	close(s.gone)
	_ = s.conn.Close()
	for _, st := range s.streams {
		st.finish(time.Now(), err)
	}
	clear(s.streams)
}

// usable tells whether streams can still be opened.
func (s *session) usable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead == nil && !s.leaving && s.nextID < 1<<31-2*maxStreams
}

// room is how many requests with bodies of this size fit in one release.
func (s *session) room(body int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(s.settings.streams, maxStreams)
	if body == 0 {
		return n
	}
	if int64(body) > s.settings.window {
		return 0
	}
	return int(min(int64(n), s.settings.connection/int64(body)))
}

// listen reads frames until the connection ends.
func (s *session) listen() {
	framer := http2.NewFramer(nil, bufio.NewReaderSize(s.conn, 32<<10))
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.MaxHeaderListSize = headerLimit
	framer.SetMaxReadFrameSize(defaultFrame)
	for {
		frame, err := framer.ReadFrame()
		if err == nil {
			err = s.handle(frame)
		}
		if oneStream, ok := errors.AsType[http2.StreamError](err); ok {
			s.end(oneStream.StreamID, &gate.Fault{Kind: gate.KindProtocol, Err: err})
			continue
		}
		if err != nil {
			s.fail(explain(err))
			return
		}
	}
}

func explain(err error) error {
	var connection http2.ConnectionError
	if errors.As(err, &connection) || errors.Is(err, http2.ErrFrameTooLarge) {
		return &gate.Fault{Kind: gate.KindProtocol, Err: fmt.Errorf("reading HTTP/2: %w", err)}
	}
	return gate.AsFault(context.Background(), err)
}
