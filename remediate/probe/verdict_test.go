package probe

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// carriers are the ways a Go server can be spoken to.
var carriers = []struct {
	name, transport, want string
	secure                bool
}{
	{"http1", "http1", "http1", false},
	{"cleartext auto", "auto", "http1", false},
	{"http2 prior knowledge", "http2", "http2", false},
	{"tls auto", "auto", "http2", true},
	{"tls http1", "http1", "http1", true},
}

func seatProbe(t testing.TB, target *shop, transport string, secure bool) *Spec {
	server := serve(t, target, secure)
	text := strings.ReplaceAll(seatSpec, "TRANSPORT", transport)
	if secure {
		file := filepath.Join(t.TempDir(), "ca.pem")
		certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		if err := os.WriteFile(file, certificate, 0o600); err != nil {
			t.Fatal(err)
		}
		text += "tls: {ca: " + file + ", server_name: example.com}\n"
	}
	return spec(t, server.URL, text)
}

func TestVulnerableFails(t *testing.T) {
	for _, c := range carriers {
		t.Run(c.name, func(t *testing.T) {
			target := newShop()
			result := run(t, seatProbe(t, target, c.transport, c.secure), target)
			if result.Verdict != Fail || result.Transport != c.want {
				t.Fatalf("%s over %s: %q", result.Verdict, result.Transport, result.Reasons)
			}
			if result.Keys[0].Winners < 2 || *result.Keys[0].Rows < 2 {
				t.Errorf("winners %d, rows %d", result.Keys[0].Winners, *result.Keys[0].Rows)
			}
			if result.Requests != 15 || result.Rounds != 3 {
				t.Errorf("%d requests in %d rounds", result.Requests, result.Rounds)
			}
		})
	}
}

func TestFixedPasses(t *testing.T) {
	for _, c := range carriers {
		t.Run(c.name, func(t *testing.T) {
			for range 3 {
				target := fixedShop()
				result := run(t, seatProbe(t, target, c.transport, c.secure), target)
				if result.Verdict != Pass {
					t.Fatalf("%s: %q %+v", result.Verdict, result.Reasons, result.Overlap)
				}
			}
		})
	}
}

// A single worker cannot race, so nothing is learnt of its code: whether it is
// fixed or not, it must not pass.
func TestSingleWorkerNeverPasses(t *testing.T) {
	for _, c := range carriers {
		t.Run(c.name, func(t *testing.T) {
			target := newShop()
			target.lane = &sync.Mutex{}
			result := run(t, seatProbe(t, target, c.transport, c.secure), target)
			if result.Verdict == Pass {
				t.Fatalf("a single worker passed: %+v", result.Overlap)
			}
		})
	}
}

// A handler almost without work is too fast to tell how many there are. One
// that sleeps less than the grain of an idle runtime's timers looks slow alone.
func TestFastSingleWorkerNeverPasses(t *testing.T) {
	for _, transport := range []string{"http1", "http2"} {
		for _, window := range []time.Duration{0, 50 * time.Microsecond} {
			for range 2 {
				target := newShop()
				target.lane, target.window, target.fixed = &sync.Mutex{}, window, true
				result := run(t, seatProbe(t, target, transport, false), target)
				if result.Verdict == Pass {
					t.Fatalf("a single worker with %v of work passed over %s: %+v", window, transport, result.Overlap)
				}
			}
		}
	}
}
