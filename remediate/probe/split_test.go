package probe

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// splitWriter sends the head of an answer before its body, as servers do that
// do not collect what they write.
type splitWriter struct{ http.ResponseWriter }

func (s splitWriter) Write(body []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	if err := http.NewResponseController(s.ResponseWriter).Flush(); err != nil {
		return 0, err
	}
	return s.ResponseWriter.Write(body)
}

// TestSplitAnswersAreNoWork: with Nagle's algorithm such a server waits with
// the body until the head is acknowledged, and a client that delays that makes
// a parallel target look like a single worker.
func TestSplitAnswersAreNoWork(t *testing.T) {
	target := fixedShop()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target.ServeHTTP(splitWriter{w}, r)
	}))
	server.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if tcp, ok := conn.(*net.TCPConn); ok && state == http.StateNew {
			_ = tcp.SetNoDelay(false)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	result := run(t, spec(t, server.URL, strings.ReplaceAll(seatSpec, "TRANSPORT", "http1")), target)
	if result.Verdict != Pass {
		t.Errorf("%s: %q %+v", result.Verdict, result.Reasons, result.Overlap)
	}
}
