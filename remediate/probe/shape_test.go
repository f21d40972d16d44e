package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe/sign"
)

const stadium = `
probe: v1
target: URL/book?seat={{.Key}}
keys: [seat-A1, seat-A2, seat-A3, seat-A4]
request: {body: '{"user":{{.User}}}'}
fire: {copies: 25, rounds: 1, transport: TRANSPORT}
expect:
  responses:
    - {name: sold, status: 200, not_json: {status: noop}, exactly: 1}
    - {name: rejected, json: {status: noop}, exactly: 24}
  rows:
    - {name: bookings, source: s, sql: "SELECT count(*)", args: ["{{.Key}}"], exactly: 1, settle: 20ms, within: 50ms}
    - {name: all bookings, source: s, sql: "SELECT count(*)", exactly: 4, per: run, settle: 20ms, within: 50ms}
  latency: {p95: 5s}
health: {url: "URL/health", json: {status: healthy}}
`

// withHealth adds a health endpoint to a shop.
func withHealth(s *shop, status string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/book", s)
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"status":%q}`, status) })
	return mux
}

// Many users over few seats: the seats are the keys, and the server answers
// without reading the body.
func TestManyUsersOverFewKeys(t *testing.T) {
	for _, transport := range []string{"http1", "http2"} {
		for _, fixed := range []bool{false, true} {
			target := newShop()
			target.fixed, target.blind, target.window = fixed, true, 10*time.Millisecond
			server := serve(t, withHealth(target, "healthy"), false)
			result := run(t, spec(t, server.URL, strings.ReplaceAll(stadium, "TRANSPORT", transport)), target)
			want := map[bool]Verdict{false: Fail, true: Pass}[fixed]
			if result.Verdict != want {
				t.Errorf("%s, fixed %v: %s %q %+v", transport, fixed, result.Verdict, result.Reasons, result.Overlap)
			}
			if result.HeldBack != "end of header" || result.Requests != 100 || len(result.Keys) != 4 || len(result.Health) < 2 {
				t.Errorf("%+v", result)
			}
		}
	}
}

func TestUnhealthyIsInconclusive(t *testing.T) {
	target := newShop()
	target.fixed, target.blind, target.window = true, true, 2*time.Millisecond
	server := serve(t, withHealth(target, "degraded"), false)
	result := run(t, spec(t, server.URL, strings.ReplaceAll(stadium, "TRANSPORT", "http1")), target)
	if result.Verdict != Inconclusive || !strings.Contains(strings.Join(result.Reasons, "\n"), "health check failed before") {
		t.Errorf("%s: %q", result.Verdict, result.Reasons)
	}
}

// A server that answers at the header is noticed in the first control round,
// and from then on the end of the header is held back.
func TestEarlyAnswersAreHeldBackAtTheHeader(t *testing.T) {
	for _, transport := range []string{"http1", "http2"} {
		for _, fixed := range []bool{false, true} {
			target := fixedShop()
			target.blind, target.fixed = true, fixed
			server := serve(t, target, false)
			text := strings.NewReplacer("TRANSPORT", transport, "URL/book", "URL/book?seat={{.seat}}").Replace(seatSpec)
			result := run(t, spec(t, server.URL, text), target)
			want := map[bool]Verdict{false: Fail, true: Pass}[fixed]
			if result.Verdict != want || result.HeldBack != "end of header" {
				t.Errorf("%s, fixed %v: %s %q, held back %s, %+v", transport, fixed, result.Verdict, result.Reasons, result.HeldBack, result.Overlap)
			}
		}
	}
}

// What a pass needs, taken away one at a time from a target that is fixed.
func TestWhatKeepsAFixedTargetFromPassing(t *testing.T) {
	for _, test := range []struct {
		name, old, new, want string
	}{
		{"no keys that differ", `"seat_{{.NowMillis}}_{{.Round}}"`, "seat-1", "nothing shows that the target works on several requests"},
		{"one copy", "copies: 5, rounds: 3", "copies: 1, rounds: 3", "replayed: 0"},
		{"nothing expected", seatSpec[strings.Index(seatSpec, "expect:"):], "", "nothing was expected"},
		{"used before", `"seat_{{.NowMillis}}_{{.Round}}"`, "old", "the rows were there before"},
	} {
		t.Run(test.name, func(t *testing.T) {
			target := fixedShop()
			target.booked["old"] = 1
			text := strings.ReplaceAll(strings.ReplaceAll(seatSpec, test.old, test.new), "TRANSPORT", "http1")
			if test.name == "used before" {
				text = text[:strings.Index(text, "  responses:")] + text[strings.Index(text, "  rows:"):]
			}
			result := run(t, spec(t, serve(t, target, false).URL, text), target)
			if result.Verdict == Pass || !strings.Contains(strings.Join(result.Reasons, "\n"), test.want) {
				t.Errorf("%s: %q", result.Verdict, result.Reasons)
			}
		})
	}
}

// Where nothing differs by itself, control tells how to make it.
func TestControlOfItsOwn(t *testing.T) {
	for name, control := range map[string]string{
		"vars": "control: {vars: {seat: 'control-{{.User}}'}}\n",
		"keys": "control: {keys: [c1, c2, c3, c4, c5, c6, c7, c8, c9, d1, d2, d3, d4, d5, d6, d7, d8, d9, e1, e2, e3, e4, e5, e6, e7, e8, e9, f1, f2, f3, f4, f5, f6, f7, f8, f9, g1, g2, g3, g4]}\n",
	} {
		t.Run(name, func(t *testing.T) {
			target := fixedShop()
			text := strings.NewReplacer("TRANSPORT", "http2", `"seat_{{.NowMillis}}_{{.Round}}"`, `"{{.Key}}"`, "rounds: 3", "rounds: 1").Replace(seatSpec) + "keys: [seat-1]\n" + control
			result := run(t, spec(t, serve(t, target, false).URL, text), target)
			if result.Verdict != Pass {
				t.Errorf("%s: %q %+v", result.Verdict, result.Reasons, result.Overlap)
			}
		})
	}
}

// A count that passes through the right value on its way up fails; one that
// comes down to it in time does not.
func TestRowsSettle(t *testing.T) {
	for _, test := range []struct {
		name   string
		counts []string
		want   Verdict
	}{
		{"on its way up", []string{"0", "1", "1", "2"}, Fail},
		{"late", []string{"0", "0", "0", "1"}, Pass},
		{"comes down", []string{"0", "2", "1"}, Pass},
		{"never", []string{"0", "0"}, Fail},
	} {
		t.Run(test.name, func(t *testing.T) {
			target := fixedShop()
			text := strings.NewReplacer("TRANSPORT", "http1", "rounds: 3", "rounds: 1", "settle: 20ms, within: 100ms", "settle: 150ms, within: 300ms").Replace(seatSpec)
			source := &scripted{counts: test.counts}
			result, err := Run(context.Background(), spec(t, serve(t, target, false).URL, text), Deps{
				OpenRows: func(context.Context, string) (RowSource, error) { return source, nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			if result.Verdict != test.want {
				t.Errorf("%s: %q %+v", result.Verdict, result.Reasons, result.Overlap)
			}
			if !source.closed {
				t.Error("the source was left open")
			}
		})
	}
}

// scripted returns one count after another, the last for ever.
type scripted struct {
	counts []string
	closed bool
}

func (s *scripted) Query(context.Context, string, []string) ([][]*string, error) {
	count := s.counts[0]
	if len(s.counts) > 1 {
		s.counts = s.counts[1:]
	}
	return [][]*string{{&count}}, nil
}

func (s *scripted) Close() error {
	s.closed = true
	return nil
}

// A statement that is no count is found out before anything is sent.
func TestRowsMustBeANumber(t *testing.T) {
	var asked atomic.Int32
	server := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }), false)
	s := spec(t, server.URL, strings.ReplaceAll(seatSpec, "TRANSPORT", "http1"))
	_, err := Run(context.Background(), s, Deps{OpenRows: func(context.Context, string) (RowSource, error) {
		return &scripted{counts: []string{"pi_3ShicpKI6MirOIdS1vKqmZyR"}}, nil
	}})
	wantProblem(t, err, casefile.CodeBadInput, "must return one whole number")
	if asked.Load() > 20 {
		t.Errorf("%d requests were sent all the same", asked.Load())
	}
}

// Incident B: five signed calls with the very same bytes give one billable row.
func TestSignedCallsCarryTheSameBytes(t *testing.T) {
	const secret = "s3cret-of-the-test"
	signer, err := sign.New(sign.Config{Scheme: "hmac", Template: "{{.Timestamp}}.{{.Body}}", Header: "x-ops-signature"}, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	calls, heads := map[string]int{}, map[string]map[string]bool{}
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var at int64
		_, _ = fmt.Sscan(r.Header.Get("x-ops-ts"), &at)
		want, _ := signer.Sign(sign.Message{Body: body, Time: time.Unix(at, 0)})
		if r.Header.Get("x-ops-signature") != want[0].Value || r.Header.Get("x-ops-site-id") != "site-1" || r.Header.Get("user-agent") != "twinrow-probe/1.2.3" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		time.Sleep(3 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		if heads[string(body)] == nil {
			heads[string(body)] = map[string]bool{}
		}
		heads[string(body)][r.Header.Get("x-ops-ts")+r.Header.Get("x-ops-signature")] = true
		if calls[string(body)]++; calls[string(body)] > 1 {
			fmt.Fprint(w, `{"status":"noop"}`)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}), false)
	environment := map[string]string{"BASE_URL": server.URL, "SITE_ID": "site-1", "SECRET": secret}
	env := func(name string) (string, bool) { value, ok := environment[name]; return value, ok }
	s, err := ParseSpec("call-event.yaml", []byte(callEvent), env)
	if err != nil {
		t.Fatal(err)
	}
	result, err := Run(context.Background(), s, Deps{Version: "1.2.3", Env: env})
	if err != nil {
		t.Fatal(err)
	}
	if result.Verdict != Pass {
		t.Errorf("%s: %q %+v %+v", result.Verdict, result.Reasons, result.Responses, result.Overlap)
	}
	for body, seen := range heads {
		if calls[body] > 1 && (calls[body] != 5 || len(seen) != 1) {
			t.Errorf("%s came %d times with %d signatures", body, calls[body], len(seen))
		}
	}
	wantResponses := []Response{
		{Status: 200, BodyMatch: "noop", Expectation: "replayed", Count: 24},
		{Status: 204, Expectation: "inserted", Count: 6},
	}
	if diff := cmp.Diff(wantResponses, result.Responses); diff != "" {
		t.Error(diff)
	}
	content, err := result.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(content), s.Outline().Text()} {
		if strings.Contains(text, secret) {
			t.Error("the secret is shown")
		}
	}
}

const callEvent = `
probe: v1
name: call-event
environment: staging
target: ${BASE_URL}/api/call-event/v2
vars: {fingerprint: "fp_race_proof_{{.NowMillis}}_{{.Round}}"}
request:
  method: POST
  headers: {content-type: application/json, x-ops-site-id: "${SITE_ID}"}
  body: '{"site_id":"${SITE_ID}","fingerprint":"{{.fingerprint}}","phone_number":null}'
  sign: {scheme: hmac, secret_env: SECRET, template: "{{.Timestamp}}.{{.Body}}", digest: sha256, encoding: hex, header: x-ops-signature, timestamp_header: x-ops-ts}
fire: {copies: 5, rounds: 6, transport: auto}
expect:
  responses:
    - {name: inserted, status: [200, 204], not_json: {status: noop}, exactly: 1}
    - {name: replayed, status: 200, json: {status: noop}, exactly: 4}
    - {name: server errors, status: 5xx, exactly: 0}
  latency: {p95: 5s}
`

func TestDocument(t *testing.T) {
	target := newShop()
	result := run(t, seatProbe(t, target, "http2", false), target)
	content, err := result.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"schema", "verdict", "reasons", "rounds", "requests", "transport", "responses", "keys", "latency_us", "overlap", "confidence", "expectations"} {
		if _, ok := document[name]; !ok {
			t.Errorf("the document has no %s", name)
		}
	}
	if document["schema"] != "twinrow/probe/v1" || document["verdict"] != "fail" {
		t.Error(document["schema"], document["verdict"])
	}
	result.Name, result.Environment, result.StartedAt = "../../etc/passwd", "prod eu", "2025-12-24T03:20:37.914Z"
	if diff := cmp.Diff("..-..-etc-passwd_prod-eu_20251224T032037.914000Z", result.FileName()); diff != "" {
		t.Error(diff)
	}
}

// A Node server, where there is one: check, wait, insert.
func TestNode(t *testing.T) {
	node, err := exec.LookPath("node")
	targets := map[string]Verdict{"vulnerable": Fail, "fixed": Pass}
	if err != nil {
		targets = nil
	}
	for kind, want := range targets {
		t.Run(kind, func(t *testing.T) {
			script := filepath.Join(t.TempDir(), "server.js")
			if err := os.WriteFile(script, []byte(nodeServer), 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.Command(node, script, kind)
			command.Stderr = os.Stderr
			input, err := command.StdinPipe() // the server ends with its input
			if err != nil {
				t.Fatal(err)
			}
			output, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = input.Close()
				_ = command.Wait()
			}()
			var port int
			if _, err := fmt.Fscan(output, &port); err != nil {
				t.Fatal(err)
			}
			text := strings.NewReplacer("TRANSPORT", "http1", "rounds: 3", "rounds: 5").Replace(seatSpec[:strings.Index(seatSpec, "  rows:")])
			result := run(t, spec(t, fmt.Sprintf("http://127.0.0.1:%d", port), text), nil)
			if result.Verdict != want {
				t.Errorf("%s: %q %+v", result.Verdict, result.Reasons, result.Overlap)
			}
		})
	}
	if len(targets) == 0 {
		t.Log("there is no node here; Go's servers are tested above")
	}
}

const nodeServer = `
const booked = new Set(), fixed = process.argv[2] === 'fixed'
const server = require('http').createServer((request, response) => {
  let text = ''
  request.on('data', part => text += part)
  request.on('end', () => {
    const seat = JSON.parse(text).seat
    const taken = booked.has(seat)
    setTimeout(() => {
      const noop = fixed ? booked.has(seat) : taken
      booked.add(seat)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({status: noop ? 'noop' : 'booked'}))
    }, 5)
  })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
`
