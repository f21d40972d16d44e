package probe

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// cache is a proxy that answers the same request from memory, and says so.
type cache struct {
	behind http.Handler
	mu     sync.Mutex
	kept   map[string][]byte
	// silent leaves the field out that names a cache.
	silent bool
}

func (c *cache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seat := r.URL.Query().Get("seat")
	c.mu.Lock()
	defer c.mu.Unlock()
	body, hit := c.kept[seat]
	if !hit {
		answer := &held{ResponseWriter: w}
		c.behind.ServeHTTP(answer, r)
		body = answer.body
		c.kept[seat] = body
	} else if !c.silent {
		w.Header().Set("X-Cache", "HIT")
	}
	_, _ = w.Write(body)
}

// limiter lets the first request for a seat through and refuses the others.
func limiter(behind http.Handler, status int, location string) http.Handler {
	var mu sync.Mutex
	seen := map[string]bool{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seat := r.URL.Query().Get("seat")
		mu.Lock()
		known := seen[seat]
		seen[seat] = true
		mu.Unlock()
		if known {
			w.Header().Set("Location", location)
			w.WriteHeader(status)
			return
		}
		behind.ServeHTTP(w, r)
	})
}

// hidden are ways in which a vulnerable shop looks as if it were fixed.
var hidden = []struct {
	name string
	make func() (*shop, http.Handler)
}{
	{"a single worker of 3 ms", func() (*shop, http.Handler) {
		s := newShop()
		s.window, s.lane, s.blind = 3*time.Millisecond, &sync.Mutex{}, true
		return s, s
	}},
	{"a single worker of 0.05 ms", func() (*shop, http.Handler) {
		s := newShop()
		s.window, s.lane, s.blind = 50*time.Microsecond, &sync.Mutex{}, true
		return s, s
	}},
	{"a single worker without work", func() (*shop, http.Handler) {
		s := newShop()
		s.window, s.lane, s.blind = 0, &sync.Mutex{}, true
		return s, s
	}},
	{"answers at the header", func() (*shop, http.Handler) {
		s := newShop()
		s.blind = true
		return s, s
	}},
	{"401", func() (*shop, http.Handler) {
		s := newShop()
		return s, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	}},
	{"429 for all but the first", func() (*shop, http.Handler) {
		s := newShop()
		s.blind = true
		return s, limiter(s, http.StatusTooManyRequests, "")
	}},
	{"a caching proxy", func() (*shop, http.Handler) {
		s := newShop()
		s.blind = true
		return s, &cache{behind: s, kept: map[string][]byte{}}
	}},
	{"a caching proxy that does not say so", func() (*shop, http.Handler) {
		s := newShop()
		s.blind = true
		return s, &cache{behind: s, kept: map[string][]byte{}, silent: true}
	}},
	{"a redirect to the one who was first", func() (*shop, http.Handler) {
		s := newShop()
		s.blind = true
		return s, limiter(s, http.StatusTemporaryRedirect, "/login")
	}},
}

// benchProbe is a probe of a shop by its rows, or by its answers too.
func benchProbe(b *testing.B, s *shop, handler http.Handler, transport string, responses bool) *Result {
	server := serve(b, handler, false)
	defer server.Close()
	text := strings.NewReplacer("TRANSPORT", transport, "URL/book", "URL/book?seat={{.seat}}").Replace(seatSpec)
	if !responses {
		text = text[:strings.Index(text, "  responses:")] + text[strings.Index(text, "  rows:"):]
	}
	return run(b, spec(b, server.URL, text), s)
}

// BenchmarkVerdicts prints how often a verdict was wrong: a pass of a
// vulnerable target that looks fixed, a fail of one that is. Its parts can be
// run by themselves, as with -bench 'Verdicts/401'.
func BenchmarkVerdicts(b *testing.B) {
	fmt.Println()
	for _, h := range hidden {
		b.Run(h.name, func(b *testing.B) {
			seen := verdicts(b, 100, func(transport string) *Result {
				target, handler := h.make()
				return benchProbe(b, target, handler, transport, false)
			})
			figure(b, "PASS on a vulnerable target: "+h.name, "0 of 100", seen[Pass] == 0, "%d of 100 (%d fail, %d inconclusive)", seen[Pass], seen[Fail], seen[Inconclusive])
		})
	}
	for part := range 4 {
		b.Run(fmt.Sprintf("fixed %d", part+1), func(b *testing.B) {
			seen := verdicts(b, 250, func(transport string) *Result {
				target := fixedShop()
				target.blind = true
				return benchProbe(b, target, target, transport, true)
			})
			figure(b, fmt.Sprintf("FAIL on a correct target, part %d of 4", part+1), "0 of 1,000", seen[Fail] == 0, "%d of 250 (%d pass, %d inconclusive)", seen[Fail], seen[Pass], seen[Inconclusive])
		})
	}
}

// verdicts counts those of n probes, over HTTP/1.1 and HTTP/2 in turn.
func verdicts(b *testing.B, n int, probe func(transport string) *Result) map[Verdict]int {
	seen := map[Verdict]int{}
	for b.Loop() {
		for i := range n {
			seen[probe([]string{"http1", "http2"}[i%2]).Verdict]++
		}
	}
	return seen
}
