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
	"twinrow/remediate/notify/smtp"
	"twinrow/remediate/notify/smtp/smtptest"
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
	runsEnv           = "TWINROW_TEST_RUNS"
	childKey          = "SG.child"
	mailsToSend       = 50
	usualRuns         = 24
	childRequestLimit = 5 * time.Second
)

// TestMain lets the test binary be the program that is killed, or measured.
func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		os.Exit(child(strings.Split(spec, "|")))
	}
	if dir := os.Getenv(draftEnv); dir != "" {
		os.Exit(draftChild(dir))
	}
	os.Exit(m.Run())
}

// child sends the case's drafts until the point of the n-th mail.
func child(spec []string) int {
	dir, via, point := spec[0], spec[1], spec[2]
	var n int
	if _, err := fmt.Sscan(spec[3], &n); err != nil {
		return 2
	}
	opened, err := casefile.Open(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	carrier, err := carrierOf(via)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	c := &deadly{Carrier: carrier, point: point, left: n}
	_, err = notify.Send(context.Background(), opened, c, notify.SendOptions{Each: func(notify.Mail, notify.State, string) { c.die(killAfterResult) }})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func carrierOf(via string) (notify.Carrier, error) {
	if strings.HasPrefix(via, "smtp:") {
		return smtp.New(via)
	}
	return sendgrid.New(sendgrid.Config{Key: childKey, BaseURL: via, Timeout: childRequestLimit})
}

// deadly is a carrier that kills its process at one point of its n-th mail.
type deadly struct {
	notify.Carrier
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
	return d.Carrier.Suppressed(ctx, address)
}

func (d *deadly) Send(ctx context.Context, m notify.Message) notify.Outcome {
	d.die(killAfterClaim)
	if d.point == killInFlight && d.left <= 0 {
		go func() {
			time.Sleep(time.Duration(rand.IntN(1500)) * time.Microsecond)
			d.die(killInFlight)
		}()
	}
	out := d.Carrier.Send(ctx, m)
	d.die(killBeforeResult)
	return out
}

// TestKilledAtEachPoint sends 50 mails in each run and kills the sending
// program at any point, up to three times, before it may finish; every other
// run goes through SMTP. `make chaos-notify` makes 200 runs.
func TestKilledAtEachPoint(t *testing.T) {
	runs := usualRuns
	if text := os.Getenv(runsEnv); text != "" {
		if _, err := fmt.Sscan(text, &runs); err != nil {
			t.Fatal(err)
		}
	}
	points := []string{killBeforeClaim, killAfterClaim, killInFlight, killBeforeResult, killAfterResult}
	killed := map[string]int{}
	totals := map[notify.State]int{}
	for run := range runs {
		t.Run(fmt.Sprint(run+1), func(t *testing.T) {
			http, mail := sendgridtest.Start(t, childKey), smtptest.Start(t)
			via := []string{http.URL, "smtp://" + mail.Address}[run%2]
			opened := draftCase(t, mailsToSend)
			for kill := range 1 + run%3 {
				point := points[(run+kill)%len(points)]
				if runChild(t, opened.Dir, via, point, 1+rand.IntN(mailsToSend/3)) != killNever {
					killed[point]++
				}
			}
			if ended := runChild(t, opened.Dir, via, killNever, 0); ended != killNever {
				t.Fatal("the last run was killed")
			}
			for state, n := range expectOnce(t, opened, mailsToSend, addressesOf(http, mail)) {
				totals[state] += n
			}
			if wrong := append(http.Wrong(), mail.Wrong()...); len(wrong) > 0 {
				t.Error(wrong)
			}
		})
	}
	for _, point := range points {
		if killed[point] < 2 {
			t.Errorf("only %d runs were killed at %s", killed[point], point)
		}
	}
	t.Logf("%d runs of %d mails; killed at %v; the mails ended as %v", runs, mailsToSend, killed, totals)
}

// addressesOf counts the mails that the servers took, by address.
func addressesOf(http *sendgridtest.Server, mail *smtptest.Server) map[string]int {
	taken := map[string]int{}
	for _, m := range http.Taken() {
		taken[m.Personalizations[0].To[0].Email]++
	}
	for _, m := range mail.Taken() {
		taken[m.To]++
	}
	return taken
}

// expectOnce checks the ledger against what was taken, and returns its totals.
func expectOnce(t *testing.T, opened *casefile.Opened, want int, taken map[string]int) map[notify.State]int {
	t.Helper()
	status, err := notify.LoadStatus(opened.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(status.Mails) != want {
		t.Errorf("the status has %d mails, want %d", len(status.Mails), want)
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
	return status.Totals
}

// runChild returns the point at which the child was killed, or killNever.
func runChild(t *testing.T, dir, via, point string, n int) string {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{dir, via, point, fmt.Sprint(n)}, "|"))
	var stderr bytes.Buffer
	command.Stderr = &stderr
	err := command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return point
	}
	if err != nil {
		t.Fatalf("the child at %s: %v: %s", point, err, stderr.String())
	}
	return killNever
}

// draftCase makes a case of n customers with drafts.
func draftCase(t testing.TB, n int) *casefile.Opened {
	t.Helper()
	opened, groups, choices := bareCase(t, n)
	if _, err := notify.Draft(t.Context(), opened, groups, choices, notify.Options{From: "help@example.com"}); err != nil {
		t.Fatal(err)
	}
	return opened
}

// bareCase makes one without.
func bareCase(t testing.TB, n int) (*casefile.Opened, []*casefile.Group, []notify.Choice) {
	t.Helper()
	return writeCase(t, func(add func(*casefile.Group)) {
		for i := range n {
			at := [2]string{"2025-12-24T03:20:37.914Z", "2025-12-24T03:20:37.993Z"}
			values := fields("email", fmt.Sprintf("c%d@example.com", i))
			add(&casefile.Group{Table: "orders", Class: casefile.Race, Key: fields("order_no", fmt.Sprintf("o%d", i)), Rows: []casefile.Row{
				{ID: fields("id", fmt.Sprint(2*i)), Time: &at[0], Values: values}, {ID: fields("id", fmt.Sprint(2*i+1)), Time: &at[1], Values: values}}})
		}
	})
}

// writeCase makes a case of the groups that fill adds, the first row of each to be kept.
func writeCase(t testing.TB, fill func(add func(*casefile.Group))) (*casefile.Opened, []*casefile.Group, []notify.Choice) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "case")
	w, err := casefile.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	var groups []*casefile.Group
	fill(func(g *casefile.Group) {
		if err := w.Add(g); err != nil {
			t.Fatal(err)
		}
		groups = append(groups, g)
	})
	table := casefile.Table{Name: "orders", Table: "orders", Key: []casefile.KeyPart{{Text: "order_no"}}, ID: []string{"id"}, Email: "email", Person: "name", Columns: []casefile.Column{{Name: "id"}, {Name: "email"}}}
	if err := w.Commit(&casefile.Case{Tables: []casefile.Table{table}}); err != nil {
		t.Fatal(err)
	}
	opened, err := casefile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return opened, groups, firstOfEach(groups)
}

func firstOfEach(groups []*casefile.Group) []notify.Choice {
	var choices []notify.Choice
	for _, g := range groups {
		choices = append(choices, notify.Choice{Group: g.Number, Keep: g.Rows[0].ID, Remove: []casefile.Fields{g.Rows[1].ID}})
	}
	return choices
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
		same := got.Personalizations[0].To[0].Email == want.To.Address && got.Subject == want.Subject && got.Content[0].Value == want.Text && got.Content[1].Value == want.HTML && got.Personalizations[0].CustomArgs["twinrow_mail"] == want.Mail
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
	mail := smtptest.Start(t)
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
	expectOnce(t, opened, mailsToSend, addressesOf(server, mail))
}
