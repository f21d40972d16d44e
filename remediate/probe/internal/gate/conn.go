package gate

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// Conn is a connection whose next bytes can be made ready, encryption
// included, before the moment they are sent.
type Conn struct {
	net.Conn
	raw *loader
	// Proto is what ALPN settled on, "" in cleartext.
	Proto string
	// Connect is the time that the TCP handshake took: one round trip.
	Connect time.Duration
}

// Dial opens a warm connection: TCP and, where the target has it, TLS are done
// when it returns.
func Dial(ctx context.Context, target Target, protocols ...string) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, target.Timeout)
	defer cancel()
	began := time.Now()
	tcp, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", target.Address)
	if err != nil {
		return nil, AsFault(ctx, err)
	}
	conn := &Conn{raw: &loader{Conn: tcp}, Connect: time.Since(began)}
	conn.Conn = conn.raw
	if target.TLS == nil {
		return conn, nil
	}
	config := target.TLS.Clone()
	config.NextProtos = protocols
	// One record for one write: a small first record would split the packet.
	config.DynamicRecordSizingDisabled = true
	secure := tls.Client(conn.raw, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = tcp.Close()
		return nil, AsFault(ctx, err)
	}
	conn.Conn, conn.Proto = secure, secure.ConnectionState().NegotiatedProtocol
	return conn, nil
}

// Load prepares bytes, encrypted where the connection is, without sending them.
func (c *Conn) Load(p []byte) error {
	c.raw.hold(true)
	defer c.raw.hold(false)
	_, err := c.Write(p)
	return err
}

// Release sends what was loaded in one write.
func (c *Conn) Release() error {
	_, err := c.raw.Conn.Write(c.raw.loaded)
	c.raw.loaded = c.raw.loaded[:0]
	return err
}

// loader is the plain connection beneath TLS. While it holds, it keeps what is
// written instead of sending it.
type loader struct {
	net.Conn
	mu      sync.Mutex
	holding bool
	loaded  []byte
}

func (l *loader) hold(on bool) {
	l.mu.Lock()
	l.holding = on
	l.mu.Unlock()
}

// Read implements net.Conn. What arrived is acknowledged at once: a server that
// writes head and body apart would else wait some 40 ms for it with the body
// (Nagle's algorithm against a delayed acknowledgement), which looks like work.
func (l *loader) Read(p []byte) (int, error) {
	acknowledge(l.Conn)
	return l.Conn.Read(p)
}

// Write implements net.Conn.
func (l *loader) Write(p []byte) (int, error) {
	l.mu.Lock()
	if l.holding {
		l.loaded = append(l.loaded, p...)
		l.mu.Unlock()
		return len(p), nil
	}
	l.mu.Unlock()
	return l.Conn.Write(p)
}
