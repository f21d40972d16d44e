package h2

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"twinrow/remediate/probe/internal/gate"
)

func serve(t *testing.T, streams, window int) gate.Target {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Len", strconv.FormatInt(n, 10)+" "+r.Header.Get("X-Long")[:1])
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: streams, MaxReceiveBufferPerStream: window, MaxReceiveBufferPerConnection: window}
	server.Start()
	t.Cleanup(server.Close)
	return gate.Target{Address: server.Listener.Addr().String(), Timeout: 5 * time.Second, BodyLimit: 1000}
}

func post(n, size int) []gate.Request {
	requests := make([]gate.Request, n)
	for i := range requests {
		requests[i] = gate.Request{Method: "POST", Scheme: "http", Authority: "example.com", Path: "/", Body: bytes.Repeat([]byte("x"), size),
			Header: []gate.Field{{Name: "X-Long", Value: strings.Repeat("y", 20_000)}}}
	}
	return requests
}

// The server's limits are read: past them there are more connections, and
// every request still arrives whole. Its header here is longer than a frame.
func TestLimits(t *testing.T) {
	for _, test := range []struct {
		name                           string
		n, size, streams, window, want int
	}{
		{"a pair on one connection", 2, 10, 100, 1 << 20, 1},
		{"shared out within a machine", 20, 10, 100, 1 << 20, 2},
		{"more than the streams", 25, 10, 10, 1 << 20, 3},
		{"more than the window", 20, 40_000, 100, 1 << 18, 4},
	} {
		for _, hold := range []gate.Hold{gate.HoldBody, gate.HoldHead, gate.HoldEnd} {
			t.Run(test.name, func(t *testing.T) {
				transport := New(serve(t, test.streams, test.window))
				defer transport.Close()
				for range 3 {
					shot, err := transport.Fire(context.Background(), post(test.n, test.size), hold)
					if err != nil {
						t.Fatal(err)
					}
					for _, a := range shot.Answers {
						if a.Err != nil || a.Status != 200 || a.Early || a.Header.Get("X-Len") != strconv.Itoa(test.size)+" y" {
							t.Fatalf("%+v", a)
						}
					}
				}
				// A window may be given back late, which takes one more.
				if n := len(transport.sessions); n < test.want || n > test.want+1 {
					t.Errorf("%d connections, want %d", n, test.want)
				}
			})
		}
	}
	transport := New(serve(t, 100, 1<<17))
	defer transport.Close()
	if _, err := transport.Fire(context.Background(), post(2, 1<<18), gate.HoldBody); !errors.Is(err, ErrWindow) {
		t.Errorf("a body past the window: %v", err)
	}
}
