package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// incidentWork is how long a target of these takes between its look and its
// write: what a real one does there.
const incidentWork = 12 * time.Millisecond

// callsSecret signs the calls; the scripts have it in their environment.
const callsSecret = "horse-battery"

// incidentCommand is `incident calls|seats|chat vulnerable|fixed`: a small
// target of that kind over incident.db in the script's directory, whose address
// is set as $BASE_URL.
func incidentCommand(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		if len(args) != 2 {
			ts.Fatalf("usage: incident calls|seats|chat vulnerable|fixed")
		}
		store := incidentStore(t, ts)
		fixed := args[1] == "fixed"
		var handler http.Handler
		switch args[0] {
		case "calls":
			handler = newCalls(t, store, fixed)
			ts.Setenv("SITE_ID", "site-1")
			ts.Setenv("SECRET", callsSecret)
		case "seats":
			handler = &seats{sold: map[string]int{}, fixed: fixed}
		case "chat":
			handler = newChat(t, ts, store, fixed)
		default:
			ts.Fatalf("there is no incident %s", args[0])
		}
		server := httptest.NewServer(handler)
		ts.Defer(server.Close)
		if c, ok := handler.(*chat); ok {
			c.start(ts, server.URL)
		}
		ts.Setenv("BASE_URL", server.URL)
		ts.Setenv("DATABASE_URL", "sqlite:incident.db")
	}
}

// readmeCommand is `readme NAME FILE`: the README's specification of that name.
func readmeCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: readme NAME FILE")
	}
	raw, err := os.ReadFile(filepath.Join(readmeDir, "README.md"))
	ts.Check(err)
	for _, part := range strings.Split(string(raw), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(part, "```")
		if strings.Contains(text, "\nname: "+args[0]+"\n") {
			ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
			return
		}
	}
	ts.Fatalf("the README has no specification %s", args[0])
}

// readmeDir is where the README stands, seen from this package.
const readmeDir = "../.."

func incidentStore(t *testing.T, ts *testscript.TestScript) *ticketStore {
	store, err := openTicketStore(t.Context(), place{"sqlite", ts.MkAbs("incident.db")}, "tickets", time.Now)
	ts.Check(err)
	ts.Defer(func() { ts.Check(store.close()) })
	return store
}

func mustText(t testing.TB, store *ticketStore, sql string, args ...any) string {
	text, _, err := store.text(t.Context(), sql, args...)
	if err != nil {
		t.Error(err)
	}
	return text
}

func answer(w http.ResponseWriter, status int, word string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": word})
}

// calls takes signed call events and keeps a row for each fingerprint, if it
// is fixed: otherwise it looks first and inserts then.
type calls struct {
	t     testing.TB
	store *ticketStore
	fixed bool
}

func newCalls(t testing.TB, store *ticketStore, fixed bool) http.Handler {
	mustText(t, store, "CREATE TABLE IF NOT EXISTS calls (site_id text, matched_fingerprint text)")
	mustText(t, store, "DELETE FROM calls")
	mustText(t, store, "DROP INDEX IF EXISTS calls_one")
	if fixed {
		mustText(t, store, "CREATE UNIQUE INDEX calls_one ON calls (matched_fingerprint)")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/call-event/v2", (&calls{t, store, fixed}).serve)
	mux.HandleFunc("GET /health/detailed", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "healthy") })
	return mux
}

func (c *calls) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	mac := hmac.New(sha256.New, []byte(callsSecret))
	fmt.Fprintf(mac, "%s.%s", r.Header.Get("x-ops-ts"), body)
	if r.Header.Get("x-ops-signature") != hex.EncodeToString(mac.Sum(nil)) || r.Header.Get("x-ops-site-id") != "site-1" {
		answer(w, 401, "bad signature")
		return
	}
	var call struct{ Fingerprint string }
	if json.Unmarshal(body, &call) != nil {
		answer(w, 400, "bad body")
		return
	}
	if !c.fixed && mustText(c.t, c.store, "SELECT count(*) FROM calls WHERE matched_fingerprint = $1", call.Fingerprint) != "0" {
		answer(w, 200, "noop")
		return
	}
	time.Sleep(incidentWork)
	_, _, err := c.store.text(r.Context(), "INSERT INTO calls VALUES ('site-1', $1)", call.Fingerprint)
	switch {
	case isTaken(err):
		answer(w, 200, "noop")
	case err != nil:
		answer(w, 500, "store failed")
	default:
		answer(w, 200, "inserted")
	}
}

// seats sells each seat of a show once, if it is fixed.
type seats struct {
	mu    sync.Mutex
	sold  map[string]int
	fixed bool
}

func (s *seats) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/health/detailed" {
		answer(w, 200, "healthy")
		return
	}
	var order struct {
		Show, Seat string
		User       int
	}
	if json.NewDecoder(r.Body).Decode(&order) != nil || order.User == 0 {
		answer(w, 400, "bad order")
		return
	}
	seat := order.Show + " " + order.Seat
	s.mu.Lock()
	free := s.sold[seat] == 0
	s.mu.Unlock()
	time.Sleep(incidentWork)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fixed {
		free = s.sold[seat] == 0
	}
	if !free {
		answer(w, 409, "taken")
		return
	}
	s.sold[seat]++
	answer(w, 201, "booked")
}
