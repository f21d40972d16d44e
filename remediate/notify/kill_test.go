package notify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
	"twinrow/remediate/notify/sendgrid"
	"twinrow/remediate/notify/sendgrid/sendgridtest"
)

// Points of sending at which the process is killed.
const (
	killBeforeClaim   = "before-claim"
	killAfterClaim    = "after-claim"
	killInFlight      = "in-flight"
	killBeforeResult  = "before-result"
	killAfterResult   = "after-result"
	killNever         = "never"
	childEnv          = "TWINROW_TEST_SEND"
	childKey          = "SG.child"
	mailsToSend       = 60
	childRequestLimit = 5 * time.Second
)

// TestMain lets the test binary be the program that is killed.
func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		os.Exit(child(strings.Split(spec, "|")))
	}
	os.Exit(m.Run())
}

// child sends the case's drafts until the point of the n-th mail.
func child(spec []string) int {
	dir, url, point := spec[0], spec[1], spec[2]
	var n int
	if _, err := fmt.Sscan(spec[3], &n); err != nil {
		return 2
	}
	opened, err := casefile.Open(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	client, err := sendgrid.New(sendgrid.Config{Key: childKey, BaseURL: url, Timeout: childRequestLimit})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	c := &deadly{Client: client, point: point, left: n}
	_, err = notify.Send(context.Background(), opened, c, notify.SendOptions{Each: func(notify.Mail, notify.State, string) { c.die(killAfterResult) }})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// deadly is a carrier that kills its process at one point of its n-th mail.
type deadly struct {
	*sendgrid.Client
	point string
	left  int
}

func (d *deadly) die(point string) {
	if point != d.point || d.left > 0 {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // until the signal arrives
}

func (d *deadly) Suppressed(ctx context.Context, address string) (string, error) {
	d.left--
	d.die(killBeforeClaim)
	return d.Client.Suppressed(ctx, address)
}

func (d *deadly) Send(ctx context.Context, m notify.Message) notify.Outcome {
	d.die(killAfterClaim)
	if d.point == killInFlight && d.left <= 0 {
		go func() {
			time.Sleep(time.Duration(rand.IntN(1500)) * time.Microsecond)
			d.die(killInFlight)
		}()
	}
	out := d.Client.Send(ctx, m)
	d.die(killBeforeResult)
	return out
}

// TestKilledAtEachPoint kills the sending program at every point, over and
// over, until all is sent.
func TestKilledAtEachPoint(t *testing.T) {
	server := sendgridtest.Start(t, childKey)
	opened := draftCase(t, mailsToSend)
	points := []string{killBeforeClaim, killAfterClaim, killInFlight, killBeforeResult, killAfterResult}
	killed := map[string]int{}
	for run := range 50 {
		point := points[run%len(points)]
		if ended := runChild(t, opened.Dir, server.URL, point, 1+run%3); ended == killNever {
			break
		}
		killed[point]++
	}
	if ended := runChild(t, opened.Dir, server.URL, killNever, 0); ended != killNever {
		t.Fatal("the last run was killed")
	}
	for _, point := range points {
		if killed[point] < 5 {
			t.Errorf("only %d runs were killed at %s", killed[point], point)
		}
	}
	expectOnce(t, opened, server)
	if wrong := server.Wrong(); len(wrong) > 0 {
		t.Error(wrong)
	}
}

func expectOnce(t *testing.T, opened *casefile.Opened, server *sendgridtest.Server) {
	t.Helper()
	taken := map[string]int{}
	for _, m := range server.Taken() {
		taken[m.Personalizations[0].To[0].Email]++
	}
	status, err := notify.LoadStatus(opened.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(status.Mails) != mailsToSend {
		t.Errorf("the status has %d mails, want %d", len(status.Mails), mailsToSend)
	}
	for _, m := range status.Mails {
		n := taken[m.To]
		delete(taken, m.To)
		switch {
		case n > 1:
			t.Errorf("mail %s went out %d times", m.ID, n)
		case m.State == notify.Accepted && n != 1, m.State != notify.Accepted && m.State != notify.Unknown:
			t.Errorf("mail %s is %s and went out %d times", m.ID, m.State, n)
		}
	}
	if len(taken) > 0 {
		t.Errorf("%d addresses got a mail that the ledger does not know", len(taken))
	}
	t.Logf("totals: %v", status.Totals)
}

// runChild returns the point at which the child was killed, or killNever.
func runChild(t *testing.T, dir, url, point string, n int) string {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{dir, url, point, fmt.Sprint(n)}, "|"))
	var stderr bytes.Buffer
	command.Stderr = &stderr
	err := command.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return point
	}
	if err != nil {
		t.Fatalf("the child at %s: %v: %s", point, err, stderr.String())
	}
	return killNever
}

// draftCase makes a case of n customers with drafts.
func draftCase(t *testing.T, n int) *casefile.Opened {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "case")
	w, err := casefile.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	var groups []*casefile.Group
	var choices []notify.Choice
	for i := range n {
		g := &casefile.Group{Table: "orders", Key: fields("order_no", fmt.Sprintf("o%d", i)), Rows: []casefile.Row{
			{ID: fields("id", fmt.Sprint(2*i)), Values: fields("email", fmt.Sprintf("c%d@example.com", i))},
			{ID: fields("id", fmt.Sprint(2*i+1)), Values: fields("email", fmt.Sprintf("c%d@example.com", i))}}}
		if err := w.Add(g); err != nil {
			t.Fatal(err)
		}
		groups = append(groups, g)
		choices = append(choices, notify.Choice{Group: g.Number, Keep: g.Rows[0].ID, Remove: []casefile.Fields{g.Rows[1].ID}})
	}
	table := casefile.Table{Name: "orders", Table: "orders", Key: []casefile.KeyPart{{Text: "order_no"}}, ID: []string{"id"}, Email: "email", Columns: []casefile.Column{{Name: "id"}, {Name: "email"}}}
	if err := w.Commit(&casefile.Case{Tables: []casefile.Table{table}}); err != nil {
		t.Fatal(err)
	}
	opened, err := casefile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := notify.Draft(t.Context(), opened, groups, choices, notify.Options{From: "help@example.com"}); err != nil {
		t.Fatal(err)
	}
	return opened
}

func fields(name, value string) casefile.Fields { return casefile.Fields{{Name: name, Value: &value}} }

// TestRequestsHoldTheDrafts compares what reached the server with the drafts,
// which are proven to hold nothing of another customer.
func TestRequestsHoldTheDrafts(t *testing.T) {
	server := sendgridtest.Start(t, childKey)
	opened := draftCase(t, 5)
	client, err := sendgrid.New(sendgrid.Config{Key: childKey, BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	drafts, err := notify.LoadDrafts(opened)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := notify.Send(t.Context(), opened, client, notify.SendOptions{}); err != nil {
		t.Fatal(err)
	}
	taken := server.Taken()
	if len(taken) != len(drafts.Mails) {
		t.Fatalf("%d mails were taken, want %d", len(taken), len(drafts.Mails))
	}
	for i, got := range taken {
		want, err := notify.LoadMessage(opened, drafts.Mails[i])
		if err != nil {
			t.Fatal(err)
		}
		same := got.Personalizations[0].To[0].Email == want.To.Address && got.Subject == want.Subject && got.Content[0].Value == want.Text && got.Content[1].Value == want.HTML && got.CustomArgs["twinrow_mail"] == want.Mail
		if !same {
			t.Errorf("the request is %+v, the draft %+v", got, want)
		}
	}
	raw, err := os.ReadFile(filepath.Join(opened.Dir, notify.LedgerName))
	if err != nil || bytes.Contains(raw, []byte(childKey)) {
		t.Errorf("the ledger holds the key: %v", err)
	}
}

// TestServerInTrouble sends to a server that fails in every way between taking mails.
func TestServerInTrouble(t *testing.T) {
	server := sendgridtest.Start(t, childKey)
	opened := draftCase(t, mailsToSend)
	client, err := sendgrid.New(sendgrid.Config{Key: childKey, BaseURL: server.URL, Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	accept := sendgridtest.Answer(sendgridtest.Accept)
	server.Then(accept, sendgridtest.TooMany(time.Now()), accept, sendgridtest.Refuse(503, "busy"), accept, sendgridtest.Silent(400*time.Millisecond), accept, sendgridtest.Cut(true), sendgridtest.Cut(false), accept,
		sendgridtest.CutBody, sendgridtest.Refuse(500, "x"), sendgridtest.Refuse(502, "x"), sendgridtest.Refuse(504, "x"))
	_, err = notify.Send(t.Context(), opened, client, notify.SendOptions{})
	var problem *casefile.Problem
	if !errors.As(err, &problem) || problem.Code != casefile.CodeStopped {
		t.Errorf("three answers in a row that leave all open: got %v, want the run to stop", err)
	}
	if _, err := notify.Send(t.Context(), opened, client, notify.SendOptions{}); err != nil {
		t.Fatal(err)
	}
	expectOnce(t, opened, server)
}
