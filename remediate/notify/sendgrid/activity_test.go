package sendgrid

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
	"twinrow/remediate/notify/sendgrid/sendgridtest"
)

// clock is a time that passes only where the client waits, and gives the
// server's minute back with it.
type clock struct {
	now    time.Time
	waited time.Duration
	server *sendgridtest.Server
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.now, c.waited = c.now.Add(d), c.waited+d
	if d >= 50*time.Second {
		c.server.NextMinute()
	}
	return ctx.Err()
}

func startActivity(t *testing.T) (*sendgridtest.Server, *Client, *clock) {
	t.Helper()
	server, c := start(t, nil)
	clk := &clock{now: time.Date(2025, 12, 28, 9, 30, 0, 0, time.UTC), server: server}
	c.now, c.sleep = func() time.Time { return clk.now }, clk.sleep
	return server, c, clk
}

func TestFind(t *testing.T) {
	server, c, _ := startActivity(t)
	at := time.Date(2025, 12, 28, 9, 0, 0, 0, time.UTC)
	server.Handle(sendgridtest.Handled{ID: "sg-1.filter", To: "Ada@example.com", Subject: "s", Status: "delivered", At: at, Args: map[string]string{"twinrow_mail": "aa"}},
		sendgridtest.Handled{ID: "sg-2.filter", To: "bo@example.com", Status: "processed", At: at, Args: map[string]string{"twinrow_mail": "bb"}})
	got, err := c.Find(t.Context(), "aa", "ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&notify.Handled{ID: "sg-1.filter", To: "Ada@example.com", Subject: "s", Status: "delivered", LastEvent: at}, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
	for mail, to := range map[string]string{"zz": "ada@example.com", "bb": "ada@example.com", `x" OR "1"="1`: "ada@example.com"} {
		if got, _ := c.Find(t.Context(), mail, to); got != nil {
			t.Errorf("mail %s to %s: got %+v", mail, to, got)
		}
	}
}

func TestMailsAndBegun(t *testing.T) {
	server, c, _ := startActivity(t)
	at := time.Date(2025, 12, 24, 3, 20, 38, 0, time.UTC)
	odd := `Your "ticket" \ and more`
	server.Handle(sendgridtest.Handled{ID: "a/1?x", To: "ada@example.com", Subject: odd, Status: "delivered", At: at}, sendgridtest.Handled{ID: "2", To: "ada@example.com", Subject: "other", At: at},
		sendgridtest.Handled{ID: "3", To: "bo@example.com", Subject: odd, At: at}, sendgridtest.Handled{ID: "4", To: "ada@example.com", Subject: odd, At: at.Add(-time.Hour)})
	all, err := c.Mails(t.Context(), "ada@example.com", "", at)
	if err != nil || len(all) != 2 {
		t.Errorf("got %+v, %v, want two mails", all, err)
	}
	some, err := c.Mails(t.Context(), "ada@example.com", odd, at)
	if err != nil || len(some) != 1 {
		t.Fatalf("got %+v, %v, want one mail", some, err)
	}
	begun, err := c.Begun(t.Context(), some[0].ID)
	if err != nil || !begun.Equal(at) {
		t.Errorf("begun %v, %v, want %v", begun, err, at)
	}
	if begun, err := c.Begun(t.Context(), "unknown"); err != nil || !begun.IsZero() {
		t.Errorf("a mail that is not known: %v, %v", begun, err)
	}
	if wrong := server.Wrong(); len(wrong) > 0 {
		t.Error(wrong)
	}
}

// TestSixAMinute asks twenty times; the server tells on whoever asks too often.
func TestSixAMinute(t *testing.T) {
	server, c, clock := startActivity(t)
	for range 20 {
		if _, err := c.Find(t.Context(), "aa", "ada@example.com"); err != nil {
			t.Fatal(err)
		}
		clock.now = clock.now.Add(time.Second) // an answer takes a while
	}
	if wrong := server.Wrong(); len(wrong) > 0 || server.Asked() != 20 {
		t.Errorf("%d requests, %v", server.Asked(), wrong)
	}
	if clock.waited < 2*time.Minute || clock.waited > 4*time.Minute {
		t.Errorf("waited %v for 20 requests", clock.waited)
	}
}

// TestAnotherRunAsked meets a minute that somebody else used up.
func TestAnotherRunAsked(t *testing.T) {
	server, c, clock := startActivity(t)
	clock.now = time.Now() // the server's reset is of the real clock
	for range 6 {
		if _, err := c.Find(t.Context(), "aa", "ada@example.com"); err != nil {
			t.Fatal(err)
		}
	}
	c.asked = nil // as a new process
	if _, err := c.Find(t.Context(), "aa", "ada@example.com"); err != nil || server.Asked() != 8 {
		t.Errorf("%d requests, %v; want one refused and one answered after the server's reset", server.Asked(), err)
	}
}

func TestActivityNotAllowed(t *testing.T) {
	server, c, _ := startActivity(t)
	server.ForbidActivity()
	_, err := c.Find(t.Context(), "aa", "ada@example.com")
	expect(t, err, casefile.CodePermission)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Mails(ctx, "ada@example.com", "", time.Now()); err == nil {
		t.Error("a cancelled question has an answer")
	}
}
