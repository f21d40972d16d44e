package notify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
)

// scripted is a Carrier at the network's edge: it gives the outcomes in turn
// and takes every mail after them.
type scripted struct {
	onList
	outcomes []Outcome
	sent     []Message
	onSend   func(Message)
}

func (s *scripted) Name() string { return "scripted" }

func (s *scripted) Send(_ context.Context, m Message) Outcome {
	if s.onSend != nil {
		s.onSend(m)
	}
	s.sent = append(s.sent, m)
	if len(s.outcomes) == 0 {
		return Outcome{State: Accepted, MessageID: "sg-" + m.Mail}
	}
	out := s.outcomes[0]
	s.outcomes = s.outcomes[1:]
	return out
}

// run sends without waiting between attempts.
func run(opened *casefile.Opened, carrier Carrier, options SendOptions) (*Sent, []time.Duration, error) {
	var waits []time.Duration
	options.Tool = testTool
	s := &sender{opened: opened, carrier: carrier, options: options, sent: &Sent{}, pace: pace{rate: options.Rate, now: func() time.Time { return testNow }}, wait: func(ctx context.Context, d time.Duration) error {
		if d > 0 {
			waits = append(waits, d)
		}
		return ctx.Err()
	}}
	err := s.run(context.Background())
	return s.sent, waits, err
}

func states(t *testing.T, dir string) []State {
	t.Helper()
	s, err := LoadStatus(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []State
	for _, m := range s.Mails {
		out = append(out, m.State)
	}
	return out
}

func expectStates(t *testing.T, opened *casefile.Opened, want ...State) {
	t.Helper()
	if diff := cmp.Diff(want, states(t, opened.Dir)); diff != "" {
		t.Errorf("the states differ (-want +got):\n%s", diff)
	}
}

func TestSendOnce(t *testing.T) {
	opened, d := mustDraft(t, incident())
	expectStates(t, opened, Drafted, Drafted, Drafted, Drafted)
	carrier := &scripted{}
	if _, err := Send(t.Context(), opened, carrier, SendOptions{Tool: testTool, Limit: 1}); err != nil {
		t.Fatal(err)
	}
	expectStates(t, opened, Accepted, Drafted, Drafted, Drafted)
	if _, err := Send(t.Context(), opened, carrier, SendOptions{Tool: testTool, Only: " SAUL@example.com"}); err != nil {
		t.Fatal(err)
	}
	expectStates(t, opened, Accepted, Drafted, Accepted, Drafted)
	for range 2 {
		if _, err := Send(t.Context(), opened, carrier, SendOptions{Tool: testTool}); err != nil {
			t.Fatal(err)
		}
		expectStates(t, opened, Accepted, Accepted, Accepted, Accepted)
	}
	if len(carrier.sent) != 4 {
		t.Fatalf("%d mails were sent, want 4", len(carrier.sent))
	}
	m := carrier.sent[1]
	if m.Case != opened.ID || m.Mail != d.Mails[2].ID || m.To != (Mailbox{"Saul Example", "saul@example.com"}) || m.From != (Mailbox{"Box Office", "tickets@example.com"}) || !strings.Contains(m.Text, "ID 108") || !strings.Contains(m.HTML, "ID 108") {
		t.Errorf("the mail is %+v", m)
	}
	_, err := Send(t.Context(), opened, carrier, SendOptions{Tool: testTool, Only: "nobody@example.com"})
	expectProblem(t, "an address without a draft", err, casefile.CodeNotFound)
}

func TestOutcomesAreRecorded(t *testing.T) {
	opened, _ := mustDraft(t, many(5))
	carrier := &scripted{onList: onList{"p0000003@example.com": "mail to it bounced"}, outcomes: []Outcome{
		{State: Failed, Reason: "refused"}, {State: Unknown, Reason: "no answer came"}, {State: Drafted, Reason: "checked in the sandbox"}}}
	sent, _, err := run(opened, carrier, SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Sent{Accepted: 1, Failed: 1, Unknown: 1, Suppressed: 1, Checked: 1}, sent); diff != "" {
		t.Errorf("the count differs (-want +got):\n%s", diff)
	}
	expectStates(t, opened, Failed, Unknown, Drafted, Suppressed, Accepted)
	carrier.onList = nil
	if _, _, err := run(opened, carrier, SendOptions{}); err != nil {
		t.Fatal(err)
	}
	expectStates(t, opened, Accepted, Unknown, Accepted, Accepted, Accepted)
	counts := map[string]int{}
	for _, m := range carrier.sent {
		counts[m.To.Address]++
	}
	if diff := cmp.Diff(map[string]int{"p0000000@example.com": 2, "p0000001@example.com": 1, "p0000002@example.com": 2, "p0000003@example.com": 1, "p0000004@example.com": 1}, counts); diff != "" {
		t.Errorf("the attempts differ (-want +got):\n%s", diff)
	}
}

func TestAgain(t *testing.T) {
	opened, _ := mustDraft(t, many(2))
	again := Outcome{State: Drafted, Again: true, Wait: 7 * time.Second, Reason: "no more requests for now"}
	carrier := &scripted{outcomes: []Outcome{again, again}}
	carrier.onSend = func(Message) { // while the request is made, the mail is claimed
		if got := states(t, opened.Dir); got[0] != Claimed && got[1] != Claimed {
			t.Errorf("the states during a request are %v", got)
		}
	}
	sent, waits, err := run(opened, carrier, SendOptions{})
	if err != nil || sent.Accepted != 2 {
		t.Errorf("got %+v, %v", sent, err)
	}
	if diff := cmp.Diff([]time.Duration{7 * time.Second, 7 * time.Second}, waits); diff != "" {
		t.Errorf("the waits differ (-want +got):\n%s", diff)
	}
}

func TestAgainIsBounded(t *testing.T) {
	opened, _ := mustDraft(t, many(3))
	carrier := &scripted{outcomes: []Outcome{{State: Accepted}}}
	for range 20 {
		carrier.outcomes = append(carrier.outcomes, Outcome{State: Drafted, Again: true, Wait: time.Second, Reason: "SendGrid could not be reached"})
	}
	sent, waits, err := run(opened, carrier, SendOptions{})
	expectProblem(t, "a server that is away", err, casefile.CodeStopped)
	if len(waits) != maxTries-1 || sent.Accepted != 1 || sent.Left != 2 {
		t.Errorf("%d waits, %+v", len(waits), sent)
	}
	expectStates(t, opened, Accepted, Drafted, Drafted)
}

func TestStop(t *testing.T) {
	opened, _ := mustDraft(t, many(3))
	revoked := &Problem{Code: casefile.CodePermission, Message: "revoked", Hint: "check the key"}
	carrier := &scripted{outcomes: []Outcome{{State: Drafted, Reason: "revoked", Stop: revoked}}}
	_, _, err := run(opened, carrier, SendOptions{})
	expectProblem(t, "a revoked key", err, casefile.CodePermission)
	expectStates(t, opened, Drafted, Drafted, Drafted)
	if len(carrier.sent) != 1 {
		t.Errorf("%d requests with a revoked key", len(carrier.sent))
	}
}

func TestUnknownInARowEndsTheRun(t *testing.T) {
	opened, _ := mustDraft(t, many(6))
	unknown := Outcome{State: Unknown, Reason: "SendGrid answered 503"}
	carrier := &scripted{outcomes: []Outcome{unknown, unknown, unknown, unknown, unknown, unknown}}
	_, _, err := run(opened, carrier, SendOptions{})
	expectProblem(t, "a server in trouble", err, casefile.CodeStopped)
	expectStates(t, opened, Unknown, Unknown, Unknown, Drafted, Drafted, Drafted)
}

func TestCancelledBetweenMails(t *testing.T) {
	opened, _ := mustDraft(t, many(3))
	ctx, cancel := context.WithCancel(t.Context())
	carrier := &scripted{onSend: func(Message) { cancel() }}
	sent, err := Send(ctx, opened, carrier, SendOptions{Tool: testTool})
	expectProblem(t, "interrupted", err, casefile.CodeStopped)
	if !errors.Is(err, context.Canceled) || sent.Accepted != 1 || sent.Left != 2 {
		t.Errorf("got %+v, %v", sent, err)
	}
	expectStates(t, opened, Accepted, Drafted, Drafted)
}

func TestTwoSendsAtOnce(t *testing.T) {
	groups := many(2)
	opened, _ := mustDraft(t, groups)
	tried := 0
	carrier := &scripted{}
	carrier.onSend = func(Message) {
		tried++
		_, err := Send(t.Context(), opened, carrier, SendOptions{Tool: testTool})
		expectProblem(t, "a second send", err, casefile.CodeBusy)
		_, err = Draft(t.Context(), opened, groups, keepFirst(groups), testOptions())
		expectProblem(t, "a draft beside a send", err, casefile.CodeBusy)
		expectProblem(t, "settling beside a send", Settle(opened, testTool, "p0000000@example.com", Accepted), casefile.CodeBusy)
	}
	if _, err := Send(t.Context(), opened, carrier, SendOptions{Tool: testTool}); err != nil || tried != 2 {
		t.Errorf("%d tries, %v", tried, err)
	}
}

func TestDraftAfterSend(t *testing.T) {
	groups := many(2)
	opened, d := mustDraft(t, groups)
	carrier := &scripted{outcomes: []Outcome{{State: Failed, Reason: "refused"}}}
	if _, _, err := run(opened, carrier, SendOptions{Limit: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := Draft(t.Context(), opened, groups, keepFirst(groups), testOptions()); err != nil {
		t.Errorf("drafting again after a refused mail: %v", err)
	}
	if _, _, err := run(opened, &scripted{}, SendOptions{Limit: 1}); err != nil {
		t.Fatal(err)
	}
	sent := read(t, opened.Dir, DraftsName, d.Mails[0].File)
	again, err := Draft(t.Context(), opened, groups, keepFirst(groups), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d.Mails, again.Mails); diff != "" || read(t, opened.Dir, DraftsName, d.Mails[0].File) != sent {
		t.Errorf("drafting again changed a mail that was sent (-want +got):\n%s", diff)
	}
	if box := read(t, opened.Dir, DraftsName, MailboxName); strings.Contains(box, d.Mails[0].To) || !strings.Contains(box, d.Mails[1].To) {
		t.Errorf("the mailbox is not just the mails that were not sent:\n%s", box)
	}
	expectStates(t, opened, Accepted, Drafted)
}

func TestChangedDraftIsNotSent(t *testing.T) {
	opened, d := mustDraft(t, many(2))
	path := filepath.Join(opened.Dir, DraftsName, d.Mails[1].File)
	raw := read(t, path)
	if err := os.WriteFile(path, []byte(strings.Replace(raw, "Kind", "Best", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	carrier := &scripted{}
	_, _, err := run(opened, carrier, SendOptions{})
	expectProblem(t, "a changed draft", err, casefile.CodeStopped)
	expectStates(t, opened, Accepted, Drafted)
}

func TestSendRefuses(t *testing.T) {
	groups := many(1)
	opened := makeCase(t, groups)
	_, err := Send(t.Context(), opened, &scripted{}, SendOptions{Tool: testTool})
	expectProblem(t, "no drafts", err, casefile.CodeNotFound)
	options := testOptions()
	options.PlanSHA256 = "a"
	if _, err := Draft(t.Context(), opened, groups, keepFirst(groups), options); err != nil {
		t.Fatal(err)
	}
	_, err = Send(t.Context(), opened, &scripted{}, SendOptions{Tool: testTool, PlanSHA256: "b"})
	expectProblem(t, "another plan", err, casefile.CodeDrift)
	moved := *opened
	moved.SHA256 = "another"
	_, err = Pending(&moved, SendOptions{})
	expectProblem(t, "another case", err, casefile.CodeTampered)
	_, err = Pending(opened, SendOptions{Only: "nonsense"})
	expectProblem(t, "no address", err, casefile.CodeUsage)
}

func TestSettle(t *testing.T) {
	opened, d := mustDraft(t, many(3))
	unknown := Outcome{State: Unknown, Reason: "no answer came"}
	if _, _, err := run(opened, &scripted{outcomes: []Outcome{unknown, unknown}}, SendOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		mail string
		to   State
		code string
	}{
		"an accepted one": {d.Mails[2].ID, Failed, casefile.CodeUnsupported},
		"no such state":   {d.Mails[0].ID, Claimed, casefile.CodeUsage},
		"no such mail":    {"nobody@example.com", Accepted, casefile.CodeNotFound},
	} {
		expectProblem(t, name, Settle(opened, testTool, c.mail, c.to), c.code)
	}
	if err := Settle(opened, testTool, "P0000000@example.com ", Accepted); err != nil {
		t.Fatal(err)
	}
	if err := Settle(opened, testTool, d.Mails[1].ID, Failed); err != nil {
		t.Fatal(err)
	}
	expectStates(t, opened, Accepted, Failed, Accepted)
	carrier := &scripted{}
	if _, _, err := run(opened, carrier, SendOptions{}); err != nil || len(carrier.sent) != 1 || carrier.sent[0].Mail != d.Mails[1].ID {
		t.Errorf("after settling, %d mails were sent: %v", len(carrier.sent), err)
	}
}

func TestStatus(t *testing.T) {
	opened, d := mustDraft(t, many(2))
	if _, _, err := run(opened, &scripted{}, SendOptions{Limit: 1}); err != nil {
		t.Fatal(err)
	}
	s, err := LoadStatus(opened.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.Mails[0].At == "" {
		t.Error("an accepted mail has no time")
	}
	s.Mails[0].At = ""
	want := &Status{Schema: StatusSchema, Totals: map[State]int{Drafted: 1, Claimed: 0, Accepted: 1, Unknown: 0, Failed: 0, Suppressed: 0}, Mails: []MailStatus{
		{To: "p0000000@example.com", State: Accepted, MessageID: "sg-" + d.Mails[0].ID, Groups: 1, ID: d.Mails[0].ID, File: "0001.eml"},
		{To: "p0000001@example.com", State: Drafted, Groups: 1, ID: d.Mails[1].ID, File: "0002.eml"}}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
	if err := os.RemoveAll(filepath.Join(opened.Dir, DraftsName)); err != nil {
		t.Fatal(err)
	}
	expectStates(t, opened, Accepted)
	if _, err := LoadStatus(t.TempDir()); err == nil {
		t.Error("a directory without drafts has a status")
	}
}
