package smtp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
	"twinrow/remediate/notify/smtp/smtptest"
)

const password = "p@ss-that-must-not-leak"

func message(i int) notify.Message {
	return notify.Message{Case: "0123456789ab", Mail: fmt.Sprintf("m%d", i), From: notify.Mailbox{Name: "Box Office", Address: "tickets@example.com"}, ReplyTo: notify.Mailbox{Address: "help@example.com"},
		To: notify.Mailbox{Name: "Zoë, \"Z\"", Address: fmt.Sprintf("p%d@example.com", i)}, Subject: "Grüße", Text: fmt.Sprintf("text %d\n.\n..x\nFrom here\n", i), HTML: "<p>hé</p>\n"}
}

func start(t *testing.T, options ...smtptest.Option) (*smtptest.Server, *Client) {
	t.Helper()
	server := smtptest.Start(t, options...)
	c, err := New("smtp://" + server.Address)
	if err != nil {
		t.Fatal(err)
	}
	c.timeout = 400 * time.Millisecond
	return server, c
}

func TestWhatIsSent(t *testing.T) {
	server, c := start(t)
	out := c.Send(t.Context(), message(7))
	if diff := cmp.Diff(notify.Outcome{State: notify.Accepted, MessageID: "m7.0123456789ab@example.com"}, out); diff != "" {
		t.Fatalf("outcome differs (-want +got):\n%s", diff)
	}
	if wrong := server.Wrong(); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	taken := server.Taken()[0]
	if taken.From != "tickets@example.com" || taken.To != "p7@example.com" {
		t.Errorf("the envelope is %s to %s", taken.From, taken.To)
	}
	got, err := notify.ReadMessage([]byte(strings.ReplaceAll(taken.Raw, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	got.Case, got.Mail = "0123456789ab", "m7"
	if diff := cmp.Diff(message(7), got); diff != "" {
		t.Errorf("the mail differs (-want +got):\n%s", diff)
	}
	parsed, err := mail.ReadMessage(strings.NewReader(taken.Raw))
	if err != nil || parsed.Header.Get("Message-Id") != "<m7.0123456789ab@example.com>" || parsed.Header.Get("User-Agent")+parsed.Header.Get("X-Mailer") != "" {
		t.Errorf("the headers are %v: %v", parsed.Header, err)
	}
}

func TestOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		fault  smtptest.Fault
		state  notify.State
		again  bool
		stop   string
		reason string
		taken  int
	}{
		"taken":                           {smtptest.Fault{}, notify.Accepted, false, "", "", 1},
		"cut at the greeting":             {smtptest.Fault{Stage: smtptest.Connect}, notify.Drafted, true, "", "could not be reached", 0},
		"too busy at the greeting":        {smtptest.Fault{Stage: smtptest.Connect, Reply: "421 too busy"}, notify.Drafted, true, "", "could not be reached", 0},
		"no service":                      {smtptest.Fault{Stage: smtptest.Connect, Reply: "554 no service"}, notify.Drafted, false, casefile.CodeConnection, "554", 0},
		"silent at the greeting":          {smtptest.Fault{Stage: smtptest.Connect, Wait: 900 * time.Millisecond}, notify.Drafted, true, "", "could not be reached", 0},
		"cut at hello":                    {smtptest.Fault{Stage: smtptest.Ehlo}, notify.Drafted, true, "", "could not be reached", 0},
		"sender refused":                  {smtptest.Fault{Stage: smtptest.MailFrom, Reply: "550 5.7.1 not your domain"}, notify.Drafted, false, casefile.CodePermission, "not your domain", 0},
		"busy at the sender":              {smtptest.Fault{Stage: smtptest.MailFrom, Reply: "451 later"}, notify.Drafted, true, "", "for now", 0},
		"cut at the sender":               {smtptest.Fault{Stage: smtptest.MailFrom}, notify.Drafted, true, "", "before the mail was whole", 0},
		"no such customer":                {smtptest.Fault{Stage: smtptest.Rcpt, Reply: "550 5.1.1 <p1@example.com> unknown"}, notify.Failed, false, "", "<[address]> unknown", 0},
		"greylisted":                      {smtptest.Fault{Stage: smtptest.Rcpt, Reply: "450 4.2.0 greylisted"}, notify.Failed, false, "", "greylisted", 0},
		"cut at the recipient":            {smtptest.Fault{Stage: smtptest.Rcpt}, notify.Drafted, true, "", "before the mail was whole", 0},
		"refused before the text":         {smtptest.Fault{Stage: smtptest.Data, Reply: "554 no"}, notify.Failed, false, "", "no", 0},
		"cut before the text":             {smtptest.Fault{Stage: smtptest.Data}, notify.Drafted, true, "", "before the mail was whole", 0},
		"refused after the dot":           {smtptest.Fault{Stage: smtptest.AfterDot, Reply: "554 5.6.0 spam"}, notify.Failed, false, "", "spam", 0},
		"busy after the dot":              {smtptest.Fault{Stage: smtptest.AfterDot, Reply: "452 4.3.1 full"}, notify.Drafted, true, "", "full", 0},
		"cut after the dot, taken":        {smtptest.Fault{Stage: smtptest.AfterDot, Take: true}, notify.Unknown, false, "", "no reply", 1},
		"cut after the dot, not taken":    {smtptest.Fault{Stage: smtptest.AfterDot}, notify.Unknown, false, "", "no reply", 0},
		"silent after the dot, taken":     {smtptest.Fault{Stage: smtptest.AfterDot, Take: true, Wait: 900 * time.Millisecond}, notify.Unknown, false, "", "no reply", 1},
		"a strange reply after the dot":   {smtptest.Fault{Stage: smtptest.AfterDot, Take: true, Reply: "999 what"}, notify.Unknown, false, "", "no reply", 1},
		"another success after the dot":   {smtptest.Fault{Stage: smtptest.AfterDot, Take: true, Reply: "252 perhaps"}, notify.Unknown, false, "", "no reply", 1},
		"nonsense in place of a greeting": {smtptest.Fault{Stage: smtptest.Connect, Reply: "hello there"}, notify.Drafted, true, "", "could not be reached", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := start(t)
			server.Then(c.fault)
			out := client.Send(t.Context(), message(1))
			if out.State != c.state || out.Again != c.again || !strings.Contains(out.Reason, c.reason) {
				t.Errorf("got %+v, want %s, again %v, with %q", out, c.state, c.again, c.reason)
			}
			problem, ok := errors.AsType[*casefile.Problem](out.Stop)
			if ok != (c.stop != "") || ok && problem.Code != c.stop {
				t.Errorf("stop is %v, want %q", out.Stop, c.stop)
			}
			if strings.Contains(fmt.Sprint(out), "p1@example.com") || strings.ContainsAny(out.Reason, "\r\n") {
				t.Errorf("the outcome holds an address or several lines: %+v", out)
			}
			if got := len(server.Taken()); got != c.taken {
				t.Errorf("%d mails were taken, want %d", got, c.taken)
			}
		})
	}
}

// TestCutInTheText sends a mail too long for any buffer to a server that goes
// away in the middle: it must not take the piece.
func TestCutInTheText(t *testing.T) {
	server, c := start(t)
	server.Then(smtptest.Fault{Stage: smtptest.InText})
	long := message(1)
	long.Text = strings.Repeat("a line of text that is long\n", 1_000_000)
	out := c.Send(t.Context(), long)
	if out.State != notify.Drafted || !out.Again {
		t.Errorf("got %+v, want a draft that may be tried again", out)
	}
	if got := len(server.Taken()); got != 0 {
		t.Errorf("%d mails were taken", got)
	}
}

// TestSlowServer says its greeting byte by byte, for longer than is waited.
func TestSlowServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for range 100 {
			if _, err := io.WriteString(conn, "2"); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	c, err := New("smtp://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c.timeout = 200 * time.Millisecond
	begun := time.Now()
	if out := c.Send(t.Context(), message(1)); out.State != notify.Drafted || !out.Again || time.Since(begun) > time.Second {
		t.Errorf("got %+v after %v", out, time.Since(begun))
	}
}

// certificate is one for 127.0.0.1 with the pool that trusts it.
func certificate(t *testing.T) (server *tls.Config, client *tls.Config) {
	t.Helper()
	https := httptest.NewTLSServer(http.NotFoundHandler())
	defer https.Close()
	pool := x509.NewCertPool()
	pool.AddCert(https.Certificate())
	return &tls.Config{Certificates: https.TLS.Certificates}, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
}

func TestTLSAndLogin(t *testing.T) {
	serverTLS, clientTLS := certificate(t)
	for name, c := range map[string]struct {
		scheme, password string
		options          []smtptest.Option
		trust            bool
		want             notify.State
		stop             string
	}{
		"STARTTLS":            {"smtp", password, []smtptest.Option{smtptest.WithTLS(serverTLS, false), smtptest.WithLogin("box", password)}, true, notify.Accepted, ""},
		"TLS at once":         {"smtps", password, []smtptest.Option{smtptest.WithTLS(serverTLS, true), smtptest.WithLogin("box", password)}, true, notify.Accepted, ""},
		"wrong password":      {"smtps", "other", []smtptest.Option{smtptest.WithTLS(serverTLS, true), smtptest.WithLogin("box", password)}, true, notify.Drafted, casefile.CodePermission},
		"wrong certificate":   {"smtps", password, []smtptest.Option{smtptest.WithTLS(serverTLS, true)}, false, notify.Drafted, casefile.CodeConnection},
		"STARTTLS, untrusted": {"smtp", password, []smtptest.Option{smtptest.WithTLS(serverTLS, false)}, false, notify.Drafted, casefile.CodeConnection},
		"to this machine":     {"smtp", password, []smtptest.Option{smtptest.WithLogin("box", password)}, true, notify.Accepted, ""},
	} {
		server := smtptest.Start(t, c.options...)
		client, err := New(c.scheme + "://box:" + strings.ReplaceAll(c.password, "@", "%40") + "@" + server.Address)
		if err != nil {
			t.Fatal(err)
		}
		client.timeout = 2 * time.Second
		if c.trust {
			client.tls = clientTLS
		}
		out := client.Send(t.Context(), message(1))
		problem, stopped := errors.AsType[*casefile.Problem](out.Stop)
		if out.State != c.want || stopped != (c.stop != "") || stopped && problem.Code != c.stop {
			t.Errorf("%s: got %+v (%v), want %s and %q", name, out, out.Stop, c.want, c.stop)
		}
		if strings.Contains(fmt.Sprint(out, out.Stop), c.password) {
			t.Errorf("%s: the outcome holds the password", name)
		}
	}
}

// TestNoTLSOffered must not fall back to the clear with another machine.
func TestNoTLSOffered(t *testing.T) {
	server, c := start(t)
	host, _, _ := net.SplitHostPort(server.Address)
	other, err := New("smtp://mail.example.com")
	if err != nil {
		t.Fatal(err)
	}
	other.host, other.port = host, c.port // as if the name led to this machine
	if out := other.Send(t.Context(), message(1)); out.State != notify.Drafted || out.Stop == nil || len(server.Taken()) != 0 {
		t.Errorf("got %+v from a server without TLS", out)
	}
}

func TestCancelledSendIsFinished(t *testing.T) {
	_, c := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if out := c.Send(ctx, message(1)); out.State != notify.Accepted {
		t.Errorf("got %+v", out)
	}
}

func TestNew(t *testing.T) {
	for text, want := range map[string]string{
		"smtp://mail.example.com": "mail.example.com:587", "smtps://u:p@mail.example.com": "mail.example.com:465", "smtp://127.0.0.1:25": "127.0.0.1:25",
		"smtp://[::1]:2525": "::1:2525", "smtp://relay.example.com:25?tls=none": "relay.example.com:25", " smtp://u@mail.example.com/ ": "mail.example.com:587",
	} {
		c, err := New(text)
		if err != nil || fmt.Sprintf("%s:%d", c.host, c.port) != want {
			t.Errorf("%q: got %+v, %v", text, c, err)
		}
	}
	for _, text := range []string{"", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://u:" + password + "@mail.example.com?tls=none", "smtp://mail.example.com?starttls=1", "smtps://mail.example.com?tls=none",
		"smtp://mail.example.com:0", "smtp://mail.example.com:99999", "smtp://u:" + password + "%zz@x", "smtp://mail.example.com/path", "smtp://mail.example.com#x"} {
		_, err := New(text)
		problem, ok := errors.AsType[*casefile.Problem](err)
		if !ok || problem.Code != casefile.CodeUsage || strings.Contains(err.Error(), password) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
