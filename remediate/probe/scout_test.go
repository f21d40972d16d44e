package probe

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What is held back is the last thing that the target waits for: it may wait
// for the end of the stream, stop at the last byte of a JSON value, or not read
// the body at all, and then take a short time or a long one.
func TestHeldBackIsWhatTheTargetWaitsFor(t *testing.T) {
	type read func(*http.Request)
	whole := func(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
	value := func(r *http.Request) { _ = json.NewDecoder(r.Body).Decode(new(any)) }
	nothing := func(*http.Request) {}
	for _, test := range []struct {
		transport string
		read      read
		work      time.Duration
		want      string
	}{
		{"http2", whole, 0, "end of stream"},
		{"http2", whole, 10 * time.Millisecond, "end of stream"},
		{"http2", value, 0, "last byte"},
		{"http2", value, 10 * time.Millisecond, "last byte"},
		{"http2", nothing, 0, "end of header"},
		{"http2", nothing, 10 * time.Millisecond, "end of header"},
		{"http1", whole, 0, "last byte"},
		{"http1", value, 10 * time.Millisecond, "last byte"},
		{"http1", nothing, 10 * time.Millisecond, "end of header"},
	} {
		server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			test.read(r)
			time.Sleep(test.work)
			fmt.Fprint(w, `{"status":"noop"}`)
		}), false)
		text := strings.NewReplacer("TRANSPORT", test.transport, "rounds: 3", "rounds: 1").Replace(seatSpec)
		if got := run(t, spec(t, server.URL, text), newShop()).HeldBack; got != test.want {
			t.Errorf("%s, %v of work: the %s was held back, want the %s", test.transport, test.work, got, test.want)
		}
	}
}
