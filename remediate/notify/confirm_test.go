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

// record is a provider's activity at the network's edge.
type activityRecord struct {
	found  map[string]*Handled
	mails  map[string][]Handled
	begun  map[string]time.Time
	asked  int
	failAt int
}

func (a *activityRecord) ask() error {
	a.asked++
	if a.asked == a.failAt {
		return errors.New("the provider went away")
	}
	return nil
}

func (a *activityRecord) Find(_ context.Context, mail, _ string) (*Handled, error) {
	return a.found[mail], a.ask()
}

func (a *activityRecord) Mails(_ context.Context, to, subject string, since time.Time) ([]Handled, error) {
	var out []Handled
	for _, h := range a.mails[to] {
		if (subject == "" || h.Subject == subject) && !a.begun[h.ID].Before(since) {
			out = append(out, h)
		}
	}
	return out, a.ask()
}

func (a *activityRecord) Begun(_ context.Context, id string) (time.Time, error) {
	return a.begun[id], a.ask()
}

// unknowns drafts and sends n mails whose fate nobody knows.
func unknowns(t *testing.T, n int) (*casefile.Opened, *Drafts) {
	t.Helper()
	opened, d := mustDraft(t, many(n))
	for range n {
		if _, _, err := run(opened, &scripted{outcomes: []Outcome{{State: Unknown, Reason: "no answer came"}}}, SendOptions{Limit: 1}); err != nil {
			t.Fatal(err)
		}
	}
	return opened, d
}

func TestConfirm(t *testing.T) {
	opened, d := unknowns(t, 3)
	provider := &activityRecord{found: map[string]*Handled{d.Mails[1].ID: {ID: "sg-7.filter", To: d.Mails[1].To, Status: "delivered"}}}
	var told []string
	done, err := Confirm(t.Context(), opened, provider, ConfirmOptions{Tool: testTool, AbsentAsFailed: true, Each: func(to string, s State, _ string) { told = append(told, to+" "+string(s)) }})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Confirmed{Accepted: 1, Absent: 2}, done); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	expectStates(t, opened, Unknown, Accepted, Unknown)
	s, err := LoadStatus(opened.Dir)
	if err != nil || s.Mails[1].MessageID != "sg-7.filter" || !strings.Contains(s.Mails[1].Reason, "delivered") || len(told) != 3 {
		t.Errorf("got %+v, told %v, %v", s.Mails[1], told, err)
	}
	// An hour later, and only when a person says so, silence is an answer.
	later := time.Now().Add(61 * time.Minute)
	if done, err = Confirm(t.Context(), opened, provider, ConfirmOptions{Tool: testTool, Now: later}); err != nil || done.Absent != 2 {
		t.Errorf("without being told: %+v, %v", done, err)
	}
	expectStates(t, opened, Unknown, Accepted, Unknown)
	if done, err = Confirm(t.Context(), opened, provider, ConfirmOptions{Tool: testTool, Now: later, AbsentAsFailed: true}); err != nil || done.Failed != 2 {
		t.Errorf("told so: %+v, %v", done, err)
	}
	carrier := &scripted{}
	if _, _, err := run(opened, carrier, SendOptions{}); err != nil || len(carrier.sent) != 2 {
		t.Errorf("%d mails were sent after that, want 2: %v", len(carrier.sent), err)
	}
	expectStates(t, opened, Accepted, Accepted, Accepted)
}

func TestConfirmStopsPartWay(t *testing.T) {
	opened, d := unknowns(t, 3)
	provider := &activityRecord{failAt: 2, found: map[string]*Handled{d.Mails[0].ID: {ID: "a"}, d.Mails[1].ID: {ID: "b"}, d.Mails[2].ID: {ID: "c"}}}
	done, err := Confirm(t.Context(), opened, provider, ConfirmOptions{Tool: testTool})
	expectProblem(t, "a provider that goes away", err, casefile.CodeStopped)
	if done.Accepted != 1 || done.Left != 2 {
		t.Errorf("got %+v", done)
	}
	expectStates(t, opened, Accepted, Unknown, Unknown)
	if done, err := Confirm(t.Context(), opened, provider, ConfirmOptions{Tool: testTool}); err != nil || done.Accepted != 2 {
		t.Errorf("again: %+v, %v", done, err)
	}
	expectStates(t, opened, Accepted, Accepted, Accepted)
}

// TestConfirmLeavesSMTPAlone: a mail that went out otherwise is not the provider's to know.
func TestConfirmLeavesSMTPAlone(t *testing.T) {
	opened, _ := mustDraft(t, many(1))
	if _, _, err := run(opened, viaSMTP{&scripted{outcomes: []Outcome{{State: Unknown, Reason: "no reply"}}}}, SendOptions{}); err != nil {
		t.Fatal(err)
	}
	provider := &activityRecord{}
	done, err := Confirm(t.Context(), opened, provider, ConfirmOptions{Tool: testTool, AbsentAsFailed: true, Now: time.Now().Add(24 * time.Hour)})
	if err != nil || done.Elsewhere != 1 || provider.asked != 0 {
		t.Errorf("got %+v, %d questions, %v", done, provider.asked, err)
	}
	expectStates(t, opened, Unknown)
}

type viaSMTP struct{ *scripted }

func (viaSMTP) Name() string { return "smtp" }

// incidentRecord is what a provider keeps of the incident's own mails: two to
// Saul, one to Jax, two to Trinity of which one is a newsletter, two to Tess of
// which one never arrived.
func incidentRecord() *activityRecord {
	a := &activityRecord{mails: map[string][]Handled{}, begun: map[string]time.Time{}}
	add := func(to, id, subject, status, at string) {
		a.mails[to] = append(a.mails[to], Handled{ID: id, To: to, Subject: subject, Status: status})
		a.begun[id], _ = time.Parse(time.RFC3339, at)
	}
	add("saul@example.com", "s2", "Your ticket", "delivered", "2025-12-24T03:20:41Z")
	add("saul@example.com", "s1", "Your ticket", "delivered", "2025-12-24T03:20:40Z")
	add("saul@example.com", "s3", "Your ticket", "delivered", "2025-12-26T10:00:00Z")
	add("jax@example.com", "j1", "Your ticket", "delivered", "2025-12-19T22:32:50Z")
	add("trinity@example.com", "t1", "Your ticket", "delivered", "2025-12-20T05:26:00Z")
	add("trinity@example.com", "t2", "News", "delivered", "2025-12-21T00:41:00Z")
	add("tess@example.com", "e1", "Your ticket", "delivered", "2025-12-25T03:56:00Z")
	add("tess@example.com", "e2", "Your ticket", "not_delivered", "2025-12-25T03:56:01Z")
	return a
}

func TestConfirmOriginal(t *testing.T) {
	groups := incident()
	opened := makeCase(t, groups)
	evidence := read(t, opened.Dir, casefile.EvidenceName)
	provider := incidentRecord()
	doc, err := ConfirmOriginal(t.Context(), opened, groups, provider, OriginalOptions{Tool: testTool, Provider: "sendgrid", Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Verdict{}
	for _, c := range doc.Customers {
		got[c.To] = c.Verdict
	}
	if diff := cmp.Diff(map[string]Verdict{"saul@example.com": SentTwice, "jax@example.com": NotTwice, "trinity@example.com": NotTwice, "tess@example.com": NotTwice}, got); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	want := OriginalCustomer{To: "saul@example.com", Groups: []int{3}, From: "2025-12-24T03:15:37Z", Until: "2025-12-24T04:20:37Z", AskedAt: "2025-12-28T09:30:00Z", Verdict: SentTwice,
		Reason: "2 mails with one subject within the window", Messages: []OriginalMessage{{"s1", "Your ticket", "delivered", "2025-12-24T03:20:40Z"}, {"s2", "Your ticket", "delivered", "2025-12-24T03:20:41Z"}}}
	if diff := cmp.Diff(want, doc.Customers[2]); diff != "" {
		t.Errorf("the customer differs (-want +got):\n%s", diff)
	}
	if read(t, opened.Dir, casefile.EvidenceName) != evidence {
		t.Error("the evidence changed")
	}
	expectEntries(t, opened.Dir, "case.json", ConfirmedName, "evidence.jsonl")
	// What is known is not asked again.
	before := provider.asked
	again, err := ConfirmOriginal(t.Context(), opened, groups, provider, OriginalOptions{Tool: testTool, Provider: "sendgrid", Now: testNow.Add(time.Hour)})
	if err != nil || provider.asked != before {
		t.Errorf("%d more questions, %v", provider.asked-before, err)
	}
	if diff := cmp.Diff(doc, again); diff != "" {
		t.Errorf("asked again (-want +got):\n%s", diff)
	}
}

func TestConfirmOriginalOurMailsAreNoPartOfIt(t *testing.T) {
	groups := incident()[2:3]
	opened, d := mustDraft(t, groups)
	if _, _, err := run(opened, &scripted{}, SendOptions{}); err != nil {
		t.Fatal(err)
	}
	provider := &activityRecord{mails: map[string][]Handled{"saul@example.com": {{ID: "sg-" + d.Mails[0].ID + ".filter", Subject: "s"}, {ID: "other", Subject: "s"}}}, begun: map[string]time.Time{}}
	for _, id := range []string{"sg-" + d.Mails[0].ID + ".filter", "other"} {
		provider.begun[id] = time.Date(2025, 12, 24, 3, 30, 0, 0, time.UTC)
	}
	doc, err := ConfirmOriginal(t.Context(), opened, groups, provider, OriginalOptions{Tool: testTool, Now: testNow})
	if err != nil || doc.Customers[0].Verdict != NotTwice {
		t.Errorf("got %+v, %v", doc, err)
	}
}

func TestConfirmOriginalPartWay(t *testing.T) {
	groups := incident()
	opened := makeCase(t, groups)
	provider := incidentRecord()
	provider.failAt = 3
	doc, err := ConfirmOriginal(t.Context(), opened, groups, provider, OriginalOptions{Tool: testTool, Now: testNow})
	expectProblem(t, "a provider that goes away", err, casefile.CodeStopped)
	if doc.Totals[NotTwice] != 2 || doc.Totals[NotKnown] != 2 {
		t.Errorf("totals %v", doc.Totals)
	}
	if doc, err = ConfirmOriginal(t.Context(), opened, groups, provider, OriginalOptions{Tool: testTool, Now: testNow, Limit: 1}); err != nil || doc.Totals[SentTwice] != 1 || doc.Totals[NotKnown] != 1 {
		t.Errorf("one more: %+v, %v", doc.Totals, err)
	}
	long, err := ConfirmOriginal(t.Context(), opened, groups, provider, OriginalOptions{Tool: testTool, Provider: "other", Now: testNow.Add(60 * 24 * time.Hour)})
	if err != nil || long.Totals[NotKnown] != 4 {
		t.Errorf("long after: %+v, %v; a record that is gone says nothing", long.Totals, err)
	}
	if err := os.WriteFile(filepath.Join(opened.Dir, ConfirmedName), []byte(`{"schema":"twinrow/confirmed/v2"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = ConfirmOriginal(t.Context(), opened, groups, provider, OriginalOptions{Tool: testTool, Now: testNow})
	expectProblem(t, "a newer document", err, casefile.CodeNewer)
}
