package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"twinrow/remediate/probe/internal/gate"
	"twinrow/remediate/probe/internal/h1"
	"twinrow/remediate/probe/internal/h2"
)

// BenchmarkRelease reports the time from the first to the last arrival at the
// handler, and between the first two, in microseconds.
func BenchmarkRelease(b *testing.B) {
	server := startBench(b)
	for _, name := range []string{"http1", "http1-tls", "http2", "http2-tls"} {
		for _, n := range []int{30, 400} {
			b.Run(fmt.Sprintf("%s/N=%d", name, n), func(b *testing.B) { benchRelease(b, server, name, n) })
		}
	}
}

// benchTransport speaks to the server in one of our ways.
func benchTransport(server *benchServer, name string) (gate.Transport, string) {
	target := gate.Target{Address: server.plain, Timeout: 10 * time.Second, BodyLimit: 1 << 16}
	if strings.HasSuffix(name, "-tls") {
		target.Address, target.TLS = server.secure, &tls.Config{InsecureSkipVerify: true}
	}
	if strings.HasPrefix(name, "http2") {
		return h2.New(target), target.Address
	}
	return h1.New(target), target.Address
}

func benchRelease(b *testing.B, server *benchServer, name string, n int) {
	transport, address := benchTransport(server, name)
	defer transport.Close()
	requests := make([]gate.Request, n)
	for i := range requests {
		requests[i] = gate.Request{Method: "POST", Scheme: "http", Authority: address, Path: "/", Body: []byte(`{"seat":"A1"}`)}
	}
	var all, two []int64
	for b.Loop() {
		benchFire(b, transport, requests)
		at := server.take(b).Arrived
		if len(at) != n {
			b.Fatalf("%d of %d arrived", len(at), n)
		}
		all, two = append(all, at[n-1]), append(two, at[1])
	}
	slices.Sort(all)
	slices.Sort(two)
	us := func(list []int64, q float64) float64 { return float64(list[int(q*float64(len(list)-1))]) / 1e3 }
	b.ReportMetric(us(all, 0.5), "span-p50-µs")
	b.ReportMetric(us(all, 0.95), "span-p95-µs")
	b.ReportMetric(us(two, 0.5), "two-p50-µs")
	b.ReportMetric(us(two, 0.95), "two-p95-µs")
}

func benchFire(b testing.TB, transport gate.Transport, requests []gate.Request) {
	b.Helper()
	// What the probe itself holds back for a handler that reads the whole body.
	shot, err := transport.Fire(context.Background(), requests, gate.HoldEnd)
	if err != nil {
		b.Fatal(err)
	}
	for _, a := range shot.Answers {
		if a.Err != nil || a.Status != http.StatusNoContent || a.Early {
			b.Fatal(a.Status, a.Early, a.Err)
		}
	}
}
