package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// shop is a target that books seats: it looks whether a seat is taken, works
// for a while, and books it.
type shop struct {
	mu     sync.Mutex
	booked map[string]int
	window time.Duration
	// fixed looks again at the moment of booking, as a unique index does.
	fixed bool
	// lane makes the shop a single worker where it is not nil.
	lane *sync.Mutex
	// forgets makes the shop book whatever comes.
	forgets bool
	// blind answers without reading the body; the seat is in the query.
	blind bool
}

func newShop() *shop { return &shop{booked: map[string]int{}, window: 300 * time.Microsecond} }

// fixedShop takes long enough for a busy test machine to see its parallelism.
func fixedShop() *shop {
	return &shop{booked: map[string]int{}, window: 6 * time.Millisecond, fixed: true}
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var order struct {
		Seat string `json:"seat"`
	}
	order.Seat = r.URL.Query().Get("seat")
	if !s.blind {
		if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
			http.Error(w, "bad order", http.StatusBadRequest)
			return
		}
	}
	if s.lane != nil {
		s.lane.Lock()
		defer s.lane.Unlock()
	}
	w.Header().Set("Content-Type", "application/json")
	taken := s.count(order.Seat) > 0 && !s.forgets
	if !taken || s.fixed {
		time.Sleep(s.window)
		taken = !s.book(order.Seat, taken)
	}
	if taken {
		fmt.Fprint(w, `{"status":"noop"}`)
		return
	}
	fmt.Fprint(w, `{"status":"booked"}`)
}

func (s *shop) count(seat string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.booked[seat]
}

func (s *shop) book(seat string, taken bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if taken || s.fixed && s.booked[seat] > 0 {
		return false
	}
	s.booked[seat]++
	return true
}

// rows lets a probe count bookings: the argument is the seat, none counts all.
type rows struct{ shop *shop }

func (q rows) Query(_ context.Context, sql string, args []string) ([][]*string, error) {
	n := 0
	if len(args) == 1 {
		n = q.shop.count(args[0])
	} else {
		q.shop.mu.Lock()
		for _, k := range q.shop.booked {
			n += k
		}
		q.shop.mu.Unlock()
	}
	text := fmt.Sprint(n)
	return [][]*string{{&text}}, nil
}

func (q rows) Close() error { return nil }

// serve starts a server on loopback that speaks HTTP/1.1, HTTP/2 over TLS, and
// HTTP/2 in cleartext by prior knowledge.
func serve(t testing.TB, handler http.Handler, secure bool) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetHTTP2(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server
}

func noEnv(string) (string, bool) { return "", false }

// spec reads a specification; URL stands for the target's.
func spec(t testing.TB, url, text string) *Spec {
	t.Helper()
	s, err := ParseSpec("probe.yaml", []byte(strings.ReplaceAll(text, "URL", url)), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a specification against a shop whose rows it can read.
func run(t testing.TB, s *Spec, target *shop) *Result {
	t.Helper()
	result, err := Run(context.Background(), s, Deps{Version: "test", OpenRows: func(context.Context, string) (RowSource, error) {
		return rows{target}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

const seatSpec = `
probe: v1
name: seats
target: URL/book
vars: {seat: "seat_{{.NowMillis}}_{{.Round}}"}
request:
  method: POST
  headers: {content-type: application/json}
  body: '{"seat":"{{.seat}}"}'
fire: {copies: 5, rounds: 3, transport: TRANSPORT}
expect:
  responses:
    - {name: booked, status: 200, not_json: {status: noop}, exactly: 1}
    - {name: replayed, status: 200, json: {status: noop}, exactly: 4}
    - {name: server errors, status: 5xx, exactly: 0}
  rows:
    - {name: one booking, source: "shop", sql: "SELECT count(*)", args: ["{{.seat}}"], exactly: 1, settle: 20ms, within: 100ms}
`
