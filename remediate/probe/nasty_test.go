package probe

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"twinrow/detect/casefile"
)

const nastySpec = `
probe: v1
target: URL/
vars: {id: "{{.UUID}}"}
request: {body: '{"id":"{{.id}}"}'}
fire: {copies: 4, rounds: 2, transport: TRANSPORT}
timeout: 1s
expect:
  responses:
    - {name: done, status: 2xx, not_json: {status: noop}, exactly: 1}
`

// Whatever a server does to its answers, the probe ends in time and never
// passes.
func TestAnswersThatProveNothing(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			time.Sleep(500 * time.Microsecond)
			w.Header().Set("Location", "/login")
			w.WriteHeader(code)
		}
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		verdict Verdict
		want    string
	}{
		{"401", status(401), Inconclusive, "check the credentials"},
		{"403", status(403), Inconclusive, "check the credentials"},
		{"404", status(404), Inconclusive, "check the URL"},
		{"429", status(429), Inconclusive, "limits the rate"},
		{"302", status(302), Inconclusive, "redirects are not followed"},
		{"400", status(400), Inconclusive, "check the body"},
		{"500", status(500), Inconclusive, "look into its log"},
		{"hangs", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, Inconclusive, "timed out"},
		{"trickles", trickle, Inconclusive, "timed out"},
		{"resets", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Inconclusive, "never answered as it should"},
		{"stops after the header", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, Inconclusive, "never answered as it should"},
		{"huge", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			for range 20 {
				_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<16))
			}
		}, Inconclusive, "longer than 1024 kB"},
		{"bomb", bomb, Inconclusive, "longer than 1024 kB"},
		{"unknown encoding", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Encoding", "br")
			_, _ = w.Write([]byte("???"))
		}, Inconclusive, "br body could not be decoded"},
		{"everybody wins", status(200), Fail, "4 in round 1"},
	} {
		for _, transport := range []string{"http1", "http2"} {
			t.Run(test.name+" over "+transport, func(t *testing.T) {
				t.Parallel()
				server := serve(t, test.handler, false)
				began := time.Now()
				text := strings.ReplaceAll(nastySpec, "TRANSPORT", transport)
				if test.want == "timed out" {
					text = strings.ReplaceAll(text, "timeout: 1s", "timeout: 50ms")
				}
				result := run(t, spec(t, server.URL, text), nil)
				if result.Verdict != test.verdict || !strings.Contains(strings.Join(result.Reasons, "\n"), test.want) {
					t.Errorf("%s: %q\n%+v", result.Verdict, result.Reasons, result.Responses)
				}
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		}
	}
}

func trickle(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	for range 100 {
		_, _ = w.Write([]byte(" "))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// packed is 1.3 MB of nothing, in a kilobyte.
var packed = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	packer := gzip.NewWriter(&out)
	_, _ = packer.Write(make([]byte, 20<<16))
	_ = packer.Close()
	return out.Bytes()
})

func bomb(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write(packed())
}

// listen answers every connection with the same bytes.
func listen(t *testing.T, answer string) string {
	return accepting(t, func(conn net.Conn) {
		defer conn.Close()
		if _, err := bufio.NewReader(conn).ReadString('}'); err == nil {
			fmt.Fprint(conn, answer)
		}
	})
}

// accepting hands every connection to serve, which closes it.
func accepting(t *testing.T, serve func(net.Conn)) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "http://" + listener.Addr().String()
}

func TestServersThatDoNotSpeakHTTP(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing": "", "smtp": "220 mail.example.com ESMTP\r\n", "noise": "\x00\x01\x02\x03",
		"half a header": "HTTP/1.1 200 OK\r\nContent-", "endless header": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 3<<20),
	} {
		t.Run(name, func(t *testing.T) {
			result := run(t, spec(t, listen(t, answer), strings.ReplaceAll(nastySpec, "TRANSPORT", "http1")), nil)
			if result.Verdict != Inconclusive {
				t.Errorf("%s: %q", result.Verdict, result.Reasons)
			}
		})
	}
	t.Run("http2 asked of http1", func(t *testing.T) {
		url := listen(t, "HTTP/1.1 400 Bad Request\r\n\r\n")
		_, err := Run(context.Background(), spec(t, url, strings.ReplaceAll(nastySpec, "TRANSPORT", "http2")), Deps{})
		wantProblem(t, err, casefile.CodeConnection, "connecting to 127.0.0.1")
	})
	t.Run("nobody there", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = listener.Close()
		_, err = Run(context.Background(), spec(t, "http://"+listener.Addr().String(), strings.ReplaceAll(nastySpec, "TRANSPORT", "auto")), Deps{})
		wantProblem(t, err, casefile.CodeConnection, "connecting to 127.0.0.1")
	})
}

func wantProblem(t *testing.T, err error, code, text string) {
	t.Helper()
	var problem *casefile.Problem
	if !errors.As(err, &problem) || problem.Code != code || !strings.Contains(problem.Error(), text) {
		t.Errorf("got %v, want a problem %s with %q", err, code, text)
	}
}

// A certificate that nobody vouches for ends the probe before anything is sent.
func TestUnknownCertificate(t *testing.T) {
	server := serve(t, newShop(), true)
	_, err := Run(context.Background(), spec(t, server.URL, strings.ReplaceAll(nastySpec, "TRANSPORT", "auto")), Deps{})
	wantProblem(t, err, casefile.CodeConnection, "certificate")
}

func TestOtherHostsAreRefused(t *testing.T) {
	s := spec(t, "http://192.0.2.1:9", strings.ReplaceAll(nastySpec, "TRANSPORT", "auto"))
	_, err := Run(context.Background(), s, Deps{})
	wantProblem(t, err, casefile.CodeRefused, "192.0.2.1 is not this machine")
	var problem *casefile.Problem
	if errors.As(err, &problem); !strings.Contains(problem.Hint, "--allow-host 192.0.2.1") {
		t.Errorf("the hint does not name the flag: %q", problem.Hint)
	}
	if s.Loopback(context.Background()) {
		t.Error("192.0.2.1 is taken for this machine")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, s, Deps{AllowHosts: []string{"192.0.2.1"}}); errors.As(err, &problem) && problem.Code == casefile.CodeRefused {
		t.Error("an allowed host is refused")
	}
	unknown := spec(t, "http://nowhere.invalid:9", strings.ReplaceAll(nastySpec, "TRANSPORT", "auto"))
	_, err = Run(context.Background(), unknown, Deps{})
	wantProblem(t, err, casefile.CodeRefused, "nowhere.invalid is not this machine")
	_, err = Run(context.Background(), unknown, Deps{AllowHosts: []string{"nowhere.invalid"}})
	wantProblem(t, err, casefile.CodeConnection, "looking up nowhere.invalid")
	healthy := spec(t, "http://127.0.0.1:9", strings.ReplaceAll(nastySpec, "TRANSPORT", "auto")+"health: {url: \"http://192.0.2.1/health\"}\n")
	_, err = Run(context.Background(), healthy, Deps{})
	wantProblem(t, err, casefile.CodeRefused, "192.0.2.1 is not this machine")
}

// Ctrl-C ends a run at once, and what was seen until then is never a pass.
func TestStopsAtOnce(t *testing.T) {
	for _, transport := range []string{"http1", "http2"} {
		server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}), false)
		s := spec(t, server.URL, strings.NewReplacer("TRANSPORT", transport, "timeout: 1s", "timeout: 30s").Replace(nastySpec))
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(100*time.Millisecond, cancel)
		began := time.Now()
		result, err := Run(ctx, s, Deps{})
		if !errors.Is(err, context.Canceled) || result == nil || result.Verdict != Inconclusive {
			t.Errorf("%s: %v, %+v", transport, err, result)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: it took %v to stop", transport, took)
		}
	}
}

// What was cut off before it was whole is open: nothing speaks against it.
func TestStoppedInBetween(t *testing.T) {
	for name, fire := range map[string]string{"pause": "{copies: 1, again_after: 20s}", "rate": "{rate: 5, for: 20s}"} {
		target := fixedShop()
		text := strings.NewReplacer("{copies: 5, rounds: 3, transport: TRANSPORT}", fire, "exactly: 1}", "at_least: 2}", "exactly: 4}", "at_least: 40}").Replace(seatSpec)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(500*time.Millisecond, cancel)
		result, err := Run(ctx, spec(t, serve(t, target, false).URL, text), Deps{OpenRows: func(context.Context, string) (RowSource, error) { return rows{target}, nil }})
		if !errors.Is(err, context.Canceled) || result == nil || result.Verdict != Inconclusive {
			t.Fatalf("%s: %v, %+v", name, err, result)
		}
		for _, e := range result.Expectations {
			if !e.OK && !e.Open {
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
}

// The limit of a run ends it too, with a verdict that says so.
func TestLimit(t *testing.T) {
	target := newShop()
	target.fixed, target.window = true, 20*time.Millisecond
	server := serve(t, target, false)
	text := strings.NewReplacer("TRANSPORT", "http1", "rounds: 3", "rounds: 500").Replace(seatSpec) + "limit: 1s\n"
	result := run(t, spec(t, server.URL, text), target)
	if result.Verdict != Inconclusive || !strings.Contains(result.Reasons[0], "limit of 1s") {
		t.Errorf("%s: %q", result.Verdict, result.Reasons)
	}
}
