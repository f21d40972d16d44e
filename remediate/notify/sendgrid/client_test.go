package sendgrid

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
	"twinrow/remediate/notify/sendgrid/sendgridtest"
)

const testKey = "SG.test-key-that-must-not-leak"

func start(t *testing.T, change func(*Config)) (*sendgridtest.Server, *Client) {
	t.Helper()
	server := sendgridtest.Start(t, testKey)
	config := Config{Key: testKey, BaseURL: server.URL, Timeout: 300 * time.Millisecond}
	if change != nil {
		change(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	c.pause = time.Millisecond
	return server, c
}

func message(i int) notify.Message {
	return notify.Message{Case: "0123456789ab", Mail: fmt.Sprintf("m%d", i), From: notify.Mailbox{Name: "Box Office", Address: "tickets@example.com"}, ReplyTo: notify.Mailbox{Address: "help@example.com"},
		To: notify.Mailbox{Name: "Zoë, \"Z\"", Address: fmt.Sprintf("p%d@example.com", i)}, Subject: "Grüße", Text: fmt.Sprintf("text %d", i), HTML: "<p>hé</p>"}
}

func TestWhatIsSent(t *testing.T) {
	server, c := start(t, nil)
	out := c.Send(t.Context(), message(7))
	if diff := cmp.Diff(notify.Outcome{State: notify.Accepted, MessageID: "sg-1"}, out); diff != "" {
		t.Errorf("outcome differs (-want +got):\n%s", diff)
	}
	if wrong := server.Wrong(); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	m := server.Taken()[0]
	if m.Personalizations[0].To[0] != (sendgridtest.Mailbox{Name: "Zoë, \"Z\"", Email: "p7@example.com"}) || m.From.Email != "tickets@example.com" || m.ReplyTo.Email != "help@example.com" || m.Subject != "Grüße" || m.Content[0].Value != "text 7" || m.Content[1].Value != "<p>hé</p>" {
		t.Errorf("got %+v", m)
	}
	if diff := cmp.Diff(map[string]string{"twinrow_case": "0123456789ab", "twinrow_mail": "m7"}, m.Personalizations[0].CustomArgs); diff != "" {
		t.Errorf("custom arguments differ (-want +got):\n%s", diff)
	}
}

func TestOutcomes(t *testing.T) {
	accept := func(w http.ResponseWriter, take func() string) { sendgridtest.Accept(w, take) }
	status := func(code int) sendgridtest.Answer {
		return func(w http.ResponseWriter, _ func() string) { w.WriteHeader(code) }
	}
	for name, c := range map[string]struct {
		answer sendgridtest.Answer
		state  notify.State
		stop   string
		reason string
	}{
		"accepted":            {accept, notify.Accepted, "", ""},
		"bad address":         {sendgridtest.Refuse(400, "Does not contain a valid address."), notify.Failed, "", "Does not contain a valid address."},
		"too large":           {sendgridtest.Refuse(413, "too large"), notify.Failed, "", "413"},
		"echo of the key":     {sendgridtest.Refuse(400, "key "+testKey+"\r\nx"), notify.Failed, "", "key [key]"},
		"revoked key":         {sendgridtest.Refuse(401, "revoked"), notify.Drafted, casefile.CodePermission, "revoked"},
		"sender not verified": {sendgridtest.Refuse(403, "not verified"), notify.Drafted, casefile.CodePermission, "not verified"},
		"another server":      {status(404), notify.Drafted, casefile.CodeConnection, "404"},
		"a redirect": {func(w http.ResponseWriter, _ func() string) {
			w.Header().Set("Location", "/v3/mail/send")
			w.WriteHeader(http.StatusPermanentRedirect)
		}, notify.Drafted, casefile.CodeConnection, "308"},
		"internal error":          {status(500), notify.Unknown, "", "500"},
		"gateway":                 {status(504), notify.Unknown, "", "504"},
		"200 without sandbox":     {status(200), notify.Unknown, "", "200"},
		"request time-out":        {status(408), notify.Unknown, "", "408"},
		"silent after taking":     {sendgridtest.Silent(600 * time.Millisecond), notify.Unknown, "", "no answer"},
		"slow loris":              {sendgridtest.Loris(900 * time.Millisecond), notify.Unknown, "", "no answer"},
		"cut after taking":        {sendgridtest.Cut(true), notify.Unknown, "", "no answer"},
		"cut before taking":       {sendgridtest.Cut(false), notify.Unknown, "", "no answer"},
		"cut in the answer":       {sendgridtest.CutBody, notify.Accepted, "", ""},
		"an answer without end":   {sendgridtest.Endless, notify.Accepted, "", ""},
		"limit far in the future": {sendgridtest.TooMany(time.Now().Add(time.Hour)), notify.Drafted, casefile.CodeStopped, "no more requests"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := start(t, nil)
			server.Then(c.answer)
			out := client.Send(t.Context(), message(1))
			if out.State != c.state || out.Again || !strings.Contains(out.Reason, c.reason) {
				t.Errorf("got %+v, want %s with %q", out, c.state, c.reason)
			}
			var problem *casefile.Problem
			if errors.As(out.Stop, &problem) != (c.stop != "") || problem != nil && problem.Code != c.stop {
				t.Errorf("stop is %v, want %q", out.Stop, c.stop)
			}
			if all := fmt.Sprint(out); strings.Contains(all, testKey) || strings.ContainsAny(out.Reason, "\r\n") {
				t.Errorf("the outcome holds the key or several lines: %s", all)
			}
			if sends, _ := server.Requests(); sends != 1 {
				t.Errorf("%d requests were made, want 1", sends)
			}
		})
	}
}

func TestTooManyRequests(t *testing.T) {
	server, c := start(t, nil)
	server.Then(sendgridtest.TooMany(time.Now().Add(5 * time.Second)))
	out := c.Send(t.Context(), message(1))
	if out.State != notify.Drafted || !out.Again || out.Wait < 3*time.Second || out.Wait > 6*time.Second {
		t.Errorf("got %+v, want another attempt in about 5 s", out)
	}
	for header, want := range map[string]time.Duration{"9223372036854775807": 24*time.Hour + 100*time.Millisecond, "x": minWait, "": minWait} {
		if got := c.untilReset(http.Header{"X-Ratelimit-Reset": {header}}); got != want {
			t.Errorf("reset %q: wait %v, want %v", header, got, want)
		}
	}
	if got := c.untilReset(http.Header{"Retry-After": {"7"}}); got != 7*time.Second {
		t.Errorf("Retry-After 7: wait %v", got)
	}
}

func TestRefusedConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{Key: testKey, BaseURL: "http://" + address})
	if err != nil {
		t.Fatal(err)
	}
	if out := c.Send(t.Context(), message(1)); out.State != notify.Drafted || !out.Again || out.Wait != refusedWait {
		t.Errorf("got %+v, want another attempt", out)
	}
	c.pause = time.Millisecond
	_, err = c.Suppressed(t.Context(), "p1@example.com")
	expect(t, err, casefile.CodeConnection)
	if strings.Contains(err.Error(), "p1") {
		t.Errorf("the error holds the address: %v", err)
	}
}

func TestWrongCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	c, err := New(Config{Key: testKey, BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if out := c.Send(t.Context(), message(1)); out.State != notify.Drafted || !out.Again || !strings.Contains(out.Reason, "certificate") {
		t.Errorf("got %+v, want a draft and the certificate as the reason", out)
	}
}

func expect(t *testing.T, err error, code string) {
	t.Helper()
	var problem *casefile.Problem
	if !errors.As(err, &problem) || problem.Code != code {
		t.Errorf("got %v, want a problem with the code %s", err, code)
	}
	if err != nil && strings.Contains(err.Error(), testKey) {
		t.Errorf("the error holds the key: %v", err)
	}
}

func TestCancelledSendIsFinished(t *testing.T) {
	server, c := start(t, nil)
	server.Then(sendgridtest.Silent(100 * time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if out := c.Send(ctx, message(1)); out.State != notify.Accepted {
		t.Errorf("got %+v: the request was cut", out)
	}
}

func TestSandbox(t *testing.T) {
	server, c := start(t, func(c *Config) { c.Sandbox = true })
	if out := c.Send(t.Context(), message(1)); out.State != notify.Drafted || out.Again || out.Stop != nil {
		t.Errorf("got %+v, want a draft that was checked", out)
	}
	server.Then(sendgridtest.Accept)
	if out := c.Send(t.Context(), message(1)); out.State != notify.Accepted {
		t.Errorf("got %+v: a mail that was taken in spite of the sandbox is taken", out)
	}
}

// TestManyAtOnce proves that mails do not mix.
func TestManyAtOnce(t *testing.T) {
	server, c := start(t, func(c *Config) { c.Timeout = 10 * time.Second })
	var wait sync.WaitGroup
	for i := range 60 {
		wait.Go(func() {
			if out := c.Send(context.Background(), message(i)); out.State != notify.Accepted {
				t.Errorf("mail %d: %+v", i, out)
			}
		})
	}
	wait.Wait()
	seen := map[string]bool{}
	for _, m := range server.Taken() {
		to := m.Personalizations[0].To[0].Email
		if want := "text " + strings.TrimSuffix(to[1:], "@example.com"); m.Content[0].Value != want {
			t.Errorf("%s got %q", to, m.Content[0].Value)
		}
		seen[to] = true
	}
	if len(seen) != 60 {
		t.Errorf("%d addresses got a mail, want 60", len(seen))
	}
}

func TestSuppressed(t *testing.T) {
	server, c := start(t, nil)
	for _, list := range []string{"global", "bounces", "blocks", "spam_reports"} {
		server.List(list, list+"+x@example.com")
		reason, err := c.Suppressed(t.Context(), list+"+x@example.com")
		if err != nil || reason == "" {
			t.Errorf("%s: got %q, %v", list, reason, err)
		}
	}
	if reason, err := c.Suppressed(t.Context(), "a/b?c#d%25@example.com"); reason != "" || err != nil {
		t.Errorf("got %q, %v for an address on no list", reason, err)
	}
	if wrong := server.Wrong(); len(wrong) > 0 {
		t.Error(wrong)
	}
	server.ForbidLookups()
	if _, err := c.Suppressed(t.Context(), "p@example.com"); !errors.Is(err, notify.ErrMayNotAsk) {
		t.Errorf("got %v, want ErrMayNotAsk", err)
	}
	other, err := New(Config{Key: "SG.other", BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if out := other.Send(t.Context(), message(1)); out.Stop == nil {
		t.Errorf("got %+v for a wrong key", out)
	}
}

func TestLookupIsTriedAgain(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.URL.Path]++
		if asked[r.URL.Path] < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else if strings.Contains(r.URL.Path, "blocks") {
			_, _ = io.WriteString(w, "<html>")
		} else {
			_, _ = io.WriteString(w, "[]")
		}
	}))
	defer server.Close()
	c, err := New(Config{Key: testKey, BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	c.pause = time.Millisecond
	_, err = c.Suppressed(t.Context(), "p@example.com")
	expect(t, err, casefile.CodeConnection)
	want := map[string]int{"/v3/asm/suppressions/global/p@example.com": 3, "/v3/suppression/bounces/p@example.com": 3, "/v3/suppression/blocks/p@example.com": 3}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("the lookups differ (-want +got):\n%s", diff)
	}
}

func TestNew(t *testing.T) {
	for _, base := range []string{"", "https://api.eu.sendgrid.com", "https://api.sendgrid.com/", "http://127.0.0.1:8025", "http://localhost:1", "http://[::1]:1"} {
		if _, err := New(Config{Key: testKey + "\n", BaseURL: base}); err != nil {
			t.Errorf("%q: %v", base, err)
		}
	}
	for _, base := range []string{"api.sendgrid.com", "http://api.sendgrid.com", "https://user:pw@api.sendgrid.com", "https://api.sendgrid.com/v3", "https://api.sendgrid.com?x=1", "ftp://x", "https://", "http://%zz", "http://127.0.0.1.example.com"} {
		_, err := New(Config{Key: testKey, BaseURL: base})
		expect(t, err, casefile.CodeUsage)
	}
	for _, key := range []string{"", " ", "a b", "a\r\nX: y", "ключ"} {
		_, err := New(Config{Key: key})
		expect(t, err, casefile.CodeUsage)
	}
}
