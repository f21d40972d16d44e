// Package pgserver gives tests a real Postgres: one server for a test package,
// started on first use, and one fresh database for each test.
//
// It owns finding the binaries, the data directory and the server's life; a
// server stops and its directory goes even if the test process is killed. It
// knows nothing of twinrow and is only imported by tests.
package pgserver

import (
	"sync"
	"testing"
)

var shared struct {
	sync.Mutex
	server *Server
}

// Run is the body of a TestMain: it runs the tests, then stops the package's
// server, and returns the exit status:
//
//	func TestMain(m *testing.M) { os.Exit(pgserver.Run(m)) }
func Run(m *testing.M) int {
	status := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.close()
		shared.server = nil
	}
	return status
}

// Database makes an empty database on the package's server, which it starts on
// first use, and returns the superuser's connection URL over the unix socket.
// The database is dropped when the test ends. It may be called by tests that
// run in parallel.
func Database(t testing.TB) string {
	t.Helper()
	shared.Lock()
	if shared.server == nil {
		server, err := start(nil)
		if err != nil {
			shared.Unlock()
			t.Fatal(err)
		}
		shared.server = server
	}
	server := shared.server
	shared.Unlock()
	return server.Database(t)
}

// Start gives the test a server of its own, for settings of its own or to
// crash it; it is stopped when the test ends. A setting is written
// "name=value" as in postgresql.conf. With "listen_addresses=127.0.0.1" the
// server also listens on a free loopback port, where it asks for passwords.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	server, err := start(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.close)
	return server
}
