package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"twinrow/remediate/probe/internal/gate"
	"twinrow/remediate/probe/internal/h1"
	"twinrow/remediate/probe/internal/h2"
)

// arrivals collects the times at which a handler had its request whole.
type arrivals struct {
	mu sync.Mutex
	at []time.Time
}

func (a *arrivals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	now := time.Now()
	a.mu.Lock()
	a.at = append(a.at, now)
	a.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// take returns the spread of all arrivals and of the first two, and starts afresh.
func (a *arrivals) take() (all, two time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.SortFunc(a.at, time.Time.Compare)
	if len(a.at) > 1 {
		all, two = a.at[len(a.at)-1].Sub(a.at[0]), a.at[1].Sub(a.at[0])
	}
	a.at = a.at[:0]
	return all, two
}

// BenchmarkRelease reports the time from the first to the last arrival at the
// handler, and between the first two, in microseconds.
func BenchmarkRelease(b *testing.B) {
	for _, name := range []string{"http1", "http1-tls", "http2", "http2-tls"} {
		for _, n := range []int{30, 400} {
			b.Run(fmt.Sprintf("%s/N=%d", name, n), func(b *testing.B) { benchRelease(b, name, n) })
		}
	}
}

func benchRelease(b *testing.B, name string, n int) {
	seen := &arrivals{}
	server := httptest.NewUnstartedServer(seen)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetHTTP2(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.EnableHTTP2 = true
	target := gate.Target{Address: server.Listener.Addr().String(), Timeout: 10 * time.Second, BodyLimit: 1 << 16}
	if strings.HasSuffix(name, "-tls") {
		server.StartTLS()
		target.TLS = &tls.Config{InsecureSkipVerify: true}
	} else {
		server.Start()
	}
	defer server.Close()
	var transport gate.Transport = h1.New(target)
	if strings.HasPrefix(name, "http2") {
		transport = h2.New(target)
	}
	defer transport.Close()
	requests := make([]gate.Request, n)
	for i := range requests {
		requests[i] = gate.Request{Method: "POST", Scheme: "http", Authority: target.Address, Path: "/", Body: []byte(`{"seat":"A1"}`)}
	}
	var all, two []time.Duration
	for b.Loop() {
		shot, err := transport.Fire(context.Background(), requests, gate.HoldBody)
		if err != nil {
			b.Fatal(err)
		}
		for _, a := range shot.Answers {
			if a.Err != nil || a.Status != http.StatusNoContent || a.Early {
				b.Fatal(a.Status, a.Early, a.Err)
			}
		}
		x, y := seen.take()
		all, two = append(all, x), append(two, y)
	}
	slices.Sort(all)
	slices.Sort(two)
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
	b.ReportMetric(us(all[len(all)/2]), "span-p50-µs")
	b.ReportMetric(us(all[len(all)*95/100]), "span-p95-µs")
	b.ReportMetric(us(two[len(two)/2]), "two-p50-µs")
	b.ReportMetric(us(two[len(two)*95/100]), "two-p95-µs")
}
