package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/detect/casefile/proof"
)

// members is a target that wants a session's cookie and a token.
func members(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path == "/login" {
		if !strings.Contains(string(body), `"password":"hunter2"`) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "s3cret"})
		fmt.Fprint(w, `{"data":{"token":"t0ken"}}`)
		return
	}
	cookie, err := r.Cookie("session")
	if err != nil || cookie.Value != "s3cret" || r.Header.Get("Authorization") != "Bearer t0ken" || r.Header.Get("X-Probe-Run") == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("X-Result", "stored, new")
	fmt.Fprint(w, "thank you")
}

const memberSpec = `
probe: v1
target: URL/orders
mark: x-probe-run
vars: {id: "{{.UUID}}"}
login:
  target: URL/login
  request: {headers: {content-type: application/json}, body: '{"user":"a","password":"${PASSWORD}"}'}
  take: {token: data.token}
request: {headers: {authorization: "Bearer {{.token}}"}, body: '{"id":"{{.id}}"}'}
fire: {distinct: 3}
expect:
  responses:
    - {name: thanks, status: 200, text: thank you, not_text: sorry, header: {x-result: new}, exactly: 3}
`

// A login's cookies and token go with every request, and no document, outline
// or error shows them.
func TestLogin(t *testing.T) {
	server := serve(t, http.HandlerFunc(members), false)
	try := func(password, text string) (*Spec, *Result, error) {
		env := func(string) (string, bool) { return password, true }
		s, err := ParseSpec("probe.yaml", []byte(strings.ReplaceAll(text, "URL", server.URL)), env)
		if err != nil {
			t.Fatal(err)
		}
		result, err := Run(t.Context(), s, Deps{Version: "test", Env: env})
		return s, result, err
	}
	s, result, err := try("hunter2", memberSpec)
	if err != nil || result.Verdict != Pass {
		t.Fatalf("%v %+v", err, result)
	}
	document, _ := result.JSON()
	for _, secret := range []string{"hunter2", "s3cret", "t0ken"} {
		if strings.Contains(string(document)+s.Outline().Text()+fmt.Sprint(s.Outline()), secret) {
			t.Errorf("%s is shown", secret)
		}
	}
	_, _, err = try("wrong-horse", memberSpec)
	wantProblem(t, err, casefile.CodeBadInput, "the login was answered 401")
	if strings.Contains(err.Error(), "wrong-horse") {
		t.Error("the password is shown")
	}
	_, _, err = try("hunter2", strings.Replace(memberSpec, "data.token", "data.key", 1))
	wantProblem(t, err, casefile.CodeBadInput, "answer has no data.key")
	_, err = ParseSpec("probe.yaml", []byte(strings.Replace(memberSpec, "{{.token}}", "{{.tocken}}", 1)), func(string) (string, bool) { return "http://127.0.0.1:1", true })
	if err == nil {
		t.Error("a name that nothing takes was filled in")
	}
}

// Only lines that the run added count, those of a log that was rotated
// meanwhile too.
func TestLogLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.log")
	write := func(text string, flags int) {
		log, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.WriteString(text); err != nil {
			t.Fatal(err)
		}
		_ = log.Close()
	}
	for name, test := range map[string]struct {
		meanwhile func()
		want      string
	}{
		"added": {func() {
			write("conflict a\nfine\na race\n"+strings.Repeat("x", 100_000)+"\nconflict at the end", os.O_APPEND)
		}, "3"},
		"rotated": {func() { _ = os.Remove(file); write("conflict\n", os.O_APPEND) }, "1"},
		"cut":     {func() { write("race\n", os.O_TRUNC) }, "1"},
		"nothing": {func() {}, "0"},
	} {
		t.Run(name, func(t *testing.T) {
			write("a race of before\nanother race of before\n", os.O_TRUNC)
			server := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { test.meanwhile() }), false)
			text := "probe: v1\ntarget: URL/\nfire: {rate: 1, for: 1s}\nrequest: {body: '{{.UUID}}'}\n" +
				"expect:\n  logs: [{name: log, file: " + file + ", match: race|conflict, exactly: 0}]\n"
			result := run(t, spec(t, server.URL, text), nil)
			if got := result.Expectations[len(result.Expectations)-1]; got.Got != test.want || got.OK != (test.want == "0") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A target that fails in each way leads to the sign of its own.
func TestDiagnosis(t *testing.T) {
	target := newShop()
	result := run(t, seatProbe(t, target, "http1", false), target)
	if result.Diagnosis[0].Sign != "several winners for one key" || result.Grades[0].Grade != "poor" {
		t.Errorf("%+v %+v", result.Diagnosis, result.Grades)
	}
	for status, sign := range map[int]string{403: "all requests failed", 500: "many server errors"} {
		server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }), false)
		result := run(t, spec(t, server.URL, strings.ReplaceAll(nastySpec, "TRANSPORT", "http1")), nil)
		var signs []string
		for _, d := range result.Diagnosis {
			signs = append(signs, d.Sign)
		}
		if !strings.Contains(strings.Join(signs, "\n"), sign) {
			t.Errorf("%d: %q", status, signs)
		}
	}
}

// Only the same probe that failed then and passes now is a confirmed fix.
func TestBaseline(t *testing.T) {
	for _, test := range []struct {
		before, now Verdict
		digest      string
		want        bool
	}{
		{Fail, Pass, "a", true}, {Fail, Pass, "b", false}, {Fail, Pass, "", false}, {Pass, Pass, "a", false},
		{Inconclusive, Pass, "a", false}, {Fail, Fail, "a", false}, {Fail, Inconclusive, "a", false},
	} {
		now := &Result{Verdict: test.now, SpecSHA256: "a"}
		Compare(now, &Result{Verdict: test.before, SpecSHA256: test.digest})
		if now.Baseline.ConfirmedFix != test.want || strings.HasPrefix(now.Baseline.Statement, "confirmed fix") != test.want {
			t.Errorf("%+v: %+v", test, now.Baseline)
		}
	}
	one := spec(t, "http://127.0.0.1:1", strings.ReplaceAll(seatSpec, "TRANSPORT", "auto"))
	for change, same := range map[string]bool{"rounds: 3=rounds: 9": true, "URL=http://127.0.0.1:2": true, "copies: 5=copies: 4": false, "exactly: 4=exactly: 3": false, `"seat":=`: false} {
		from, to, _ := strings.Cut(change, "=")
		other := spec(t, "http://127.0.0.1:1", strings.ReplaceAll(strings.ReplaceAll(seatSpec, "TRANSPORT", "auto"), from, to))
		if (one.digest() == other.digest()) != same {
			t.Errorf("%s: the digest is the same: %v", change, !same)
		}
	}
}

// Sent again with fresh signatures, the second carries a later time-stamp;
// else the same bytes come twice.
func TestSignedAgain(t *testing.T) {
	for fresh, want := range map[string]int{"": 1, ", fresh: true": 2} {
		seen := make(chan string, 2)
		server := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Get("X-Slack-Signature") }), false)
		text := "probe: v1\ntarget: URL/\nrequest: {body: '{}', sign: {scheme: slack, secret_env: S" + fresh + "}}\nfire: {copies: 1, again_after: 1100ms}\n"
		s := spec(t, server.URL, text)
		if _, err := Run(t.Context(), s, Deps{Env: func(string) (string, bool) { return "horse", true }}); err != nil {
			t.Fatal(err)
		}
		if got := len(map[string]bool{<-seen: true, <-seen: true}); got != want {
			t.Errorf("%q: %d different signatures, want %d", fresh, got, want)
		}
	}
}

// Whatever a server does to what is cut or sent at a rate, the run ends in
// time and is no pass.
func TestNastyToStepsOneAfterAnother(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	reset := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	away := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://192.0.2.1/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
	for name, handler := range map[string]http.HandlerFunc{"hang": hang, "reset": reset, "trickle": trickle, "bomb": bomb, "redirect": away} {
		for _, fire := range []string{"copies: 1, cut: true", "copies: 1, again_after: 10ms", "distinct: 3", "rate: 20, for: 200ms"} {
			t.Run(name+" "+fire, func(t *testing.T) {
				t.Parallel()
				server := serve(t, handler, false)
				text := strings.NewReplacer("TRANSPORT", "http1", "copies: 4, rounds: 2", fire, "timeout: 1s", "timeout: 200ms").Replace(nastySpec)
				began := time.Now()
				result, err := Run(context.Background(), spec(t, server.URL, text), Deps{})
				if err != nil {
					t.Fatal(err)
				}
				if result.Verdict != Inconclusive {
					t.Errorf("%s: %q", result.Verdict, result.Reasons)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		}
	}
}

// The document holds what a page shows: every request of a round with its times.
func TestRoundsInDetail(t *testing.T) {
	target := newShop()
	result := run(t, seatProbe(t, target, "http1", false), target)
	content, err := result.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var read proof.Result
	if err := json.Unmarshal(content, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(result, &read); diff != "" {
		t.Errorf("it is not read as it was written (-written +read):\n%s", diff)
	}
	for _, round := range read.Detail {
		if len(round.Requests) != 5 {
			t.Fatalf("round %d shows %d requests", round.Round, len(round.Requests))
		}
		for _, q := range round.Requests {
			if q.FirstByteUS == nil || q.DoneUS == nil || *q.FirstByteUS < q.SentUS || *q.DoneUS < *q.FirstByteUS {
				t.Errorf("round %d: %+v", round.Round, q)
			}
		}
	}
}

// What a command prints is a count as good as a row's: its arguments cannot
// become a part of it, and what is no number ends the run before anything is sent.
func TestCountsByCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "queue")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	handler := func(_ http.ResponseWriter, r *http.Request) {
		id, _ := io.ReadAll(r.Body)
		log, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Error(err)
			return
		}
		defer log.Close()
		fmt.Fprintln(log, string(id))
	}
	url := serve(t, http.HandlerFunc(handler), false).URL
	text := `
probe: v1
target: URL/
vars: {id: "$(touch X); {{.UUID}}"}
request: {body: "{{.id}}"}
fire: {distinct: 3, rounds: 1}
expect:
  responses: [{name: fine, status: 200, exactly: 3}]
  rows:
    - {name: queued once, run: 'grep -cF -e "$1" FILE || true', args: ["{{.id}}"], exactly: 1, settle: 50ms}
    - {name: queue, run: wc -l < FILE, exactly: 3, settle: 50ms, within: 300ms, per: run}
`
	for change, want := range map[string]Verdict{"": Pass, "exactly: 3, settle=exactly: 2, settle": Fail} {
		_ = os.Truncate(file, 0)
		from, to, _ := strings.Cut(change, "=")
		s := spec(t, url, strings.ReplaceAll(strings.ReplaceAll(text, from, to), "FILE", file))
		if result := run(t, s, nil); result.Verdict != want || len(result.Made) != 0 {
			t.Errorf("%s: %s %q %+v", change, result.Verdict, result.Reasons, result.Expectations)
		}
	}
	if _, err := os.Stat("X"); err == nil {
		t.Error("an argument was run")
	}
	for command, want := range map[string]string{"echo many": "one whole number", "exit 3": "exit status 3"} {
		_, err := Run(t.Context(), spec(t, url, strings.ReplaceAll(strings.ReplaceAll(text, "wc -l < FILE", command), "FILE", file)), Deps{})
		wantProblem(t, err, casefile.CodeBadInput, want)
	}
}
