package smtp

import (
	"context"
	"crypto/tls"
	"net"
)

// line is the connection of one attempt. It is kept in hand, because the
// library leaves it open where the greeting or the login fails.
type line struct {
	host     string
	implicit bool
	tls      *tls.Config
	conn     net.Conn
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.conn = conn
	if !l.implicit {
		return conn, nil
	}
	config := &tls.Config{ServerName: l.host}
	if l.tls != nil {
		config = l.tls
	}
	secure := tls.Client(conn, config)
	return secure, secure.HandshakeContext(ctx)
}

// cut ends the connection without a word.
func (l *line) cut() {
	if l.conn != nil {
		_ = l.conn.Close()
	}
}
