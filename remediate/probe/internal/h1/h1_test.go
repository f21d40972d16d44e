package h1

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/remediate/probe/internal/gate"
)

func post(n int) []gate.Request {
	requests := make([]gate.Request, n)
	for i := range requests {
		requests[i] = gate.Request{Method: "POST", Scheme: "http", Authority: "example.com", Path: "/a?b", Body: []byte("body"),
			Header: []gate.Field{{Name: "X-A", Value: "1"}}}
	}
	return requests
}

func TestWire(t *testing.T) {
	request := post(1)[0]
	const header = "POST /a?b HTTP/1.1\r\nHost: example.com\r\nX-A: 1\r\nContent-Length: 4\r\n"
	for _, test := range []struct {
		hold gate.Hold
		body string
		want [2]string
	}{
		{gate.HoldBody, "body", [2]string{header + "\r\nbod", "y"}},
		{gate.HoldHead, "body", [2]string{header, "\r\nbody"}},
	} {
		head, tail := split(&request, test.hold)
		if diff := cmp.Diff(test.want, [2]string{string(head), string(tail)}); diff != "" {
			t.Error(diff)
		}
	}
	head, tail := split(&gate.Request{Method: "GET", Authority: "a", Path: "/"}, gate.HoldBody)
	if diff := cmp.Diff([2]string{"GET / HTTP/1.1\r\nHost: a\r\n", "\r\n"}, [2]string{string(head), string(tail)}); diff != "" {
		t.Error(diff)
	}
}

// Connections are kept between shots; those that the server closes meanwhile
// are replaced, and no request is lost.
func TestConnections(t *testing.T) {
	for name, test := range map[string]struct {
		idle, pause time.Duration
		close       bool
		want        int32
	}{
		"kept":             {time.Minute, 0, false, 8},
		"closed when idle": {5 * time.Millisecond, 30 * time.Millisecond, false, 24},
		"closed each time": {time.Minute, 0, true, 24},
	} {
		t.Run(name, func(t *testing.T) {
			var opened atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if test.close {
					w.Header().Set("Connection", "close")
				}
			}))
			server.Config.IdleTimeout = test.idle
			server.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
				opened.Add(1)
				return ctx
			}
			server.Start()
			defer server.Close()
			pool := New(gate.Target{Address: server.Listener.Addr().String(), Timeout: 5 * time.Second, BodyLimit: 1000})
			defer pool.Close()
			for range 3 {
				shot, err := pool.Fire(context.Background(), post(8), gate.HoldBody)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range shot.Answers {
					if a.Err != nil || a.Status != 200 || a.Early || a.Done.Before(a.Sent) {
						t.Fatalf("%+v", a)
					}
				}
				time.Sleep(test.pause)
			}
			if opened.Load() != test.want {
				t.Errorf("%d connections, want %d", opened.Load(), test.want)
			}
		})
	}
}
