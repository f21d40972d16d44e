package notify

import (
	"bytes"
	"html"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
)

// readMailbox takes a mailbox apart as mail programs do (mboxrd).
func readMailbox(t *testing.T, raw string) []string {
	t.Helper()
	var mails []string
	for line := range strings.Lines(raw) {
		if strings.HasPrefix(line, "From ") {
			if _, err := time.Parse(time.ANSIC, strings.TrimSpace(strings.SplitN(line, " ", 3)[2])); err != nil {
				t.Errorf("the line %q has no time: %v", line, err)
			}
			mails = append(mails, "")
			continue
		}
		if trimmed := strings.TrimLeft(line, ">"); strings.HasPrefix(trimmed, "From ") {
			line = line[1:]
		}
		mails[len(mails)-1] += line
	}
	for i := range mails {
		mails[i] = strings.ReplaceAll(strings.TrimSuffix(mails[i], "\n"), "\n", "\r\n")
	}
	return mails
}

func TestMailboxHoldsTheDrafts(t *testing.T) {
	opened, d := mustDraft(t, append(hostileGroups(), incident()...))
	var want []string
	for _, m := range d.Mails {
		want = append(want, read(t, opened.Dir, DraftsName, m.File))
	}
	if diff := cmp.Diff(want, readMailbox(t, read(t, opened.Dir, DraftsName, MailboxName))); diff != "" {
		t.Errorf("the mailbox is not the drafts (-drafts +mailbox):\n%s", diff)
	}
}

func TestMailboxQuotesWhatLooksLikeAMail(t *testing.T) {
	dir := t.TempDir()
	box, err := newMailbox(dir, "a@example.com", testNow)
	if err != nil {
		t.Fatal(err)
	}
	m := Message{Case: "0123456789ab", Mail: "0123456789abcdef", From: Mailbox{Address: "a@example.com"}, ReplyTo: Mailbox{Address: "a@example.com"}, To: Mailbox{Address: "b@example.com"},
		Subject: "s", Text: "From here on\n>From there\nfine\n", HTML: "From x\n"}
	var b bytes.Buffer
	if err := appendEML(&b, m, testNow); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := box.add(b.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if err := box.close(); err != nil {
		t.Fatal(err)
	}
	got := readMailbox(t, read(t, dir, MailboxName))
	if len(got) != 2 || got[0] != b.String() || got[1] != b.String() {
		t.Errorf("reads back as %d mails: %q", len(got), got)
	}
}

// FuzzMailbox proves that no text of a mail ends it early, and that all of it
// reads back.
func FuzzMailbox(f *testing.F) {
	f.Add("From x\n", ">From y\n\nFrom z")
	f.Fuzz(func(t *testing.T, text, html string) {
		m := Message{Case: "c", Mail: "m", From: Mailbox{Address: "a@example.com"}, ReplyTo: Mailbox{Address: "a@example.com"}, To: Mailbox{Address: "b@example.com"}, Subject: "s", Text: toLines(text), HTML: toLines(html)}
		var b bytes.Buffer
		if err := appendEML(&b, m, testNow); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		box, err := newMailbox(dir, "a@example.com", testNow)
		if err != nil {
			t.Fatal(err)
		}
		if err := box.add(b.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := box.close(); err != nil {
			t.Fatal(err)
		}
		if got := readMailbox(t, read(t, dir, MailboxName)); len(got) != 1 || got[0] != b.String() {
			t.Fatalf("reads back as %q", got)
		}
	})
}

func TestPreviewShowsAllDrafts(t *testing.T) {
	opened, d := mustDraft(t, append(hostileGroups(), incident()...))
	page := read(t, opened.Dir, DraftsName, PreviewName)
	for _, m := range d.Mails {
		message, err := LoadMessage(opened, m)
		if err != nil {
			t.Fatal(err)
		}
		shown := strings.ReplaceAll(html.UnescapeString(page), "\u00a0", " ")
		for _, want := range []string{m.To, message.Subject, message.Text, message.HTML} {
			if !strings.Contains(shown, want) {
				t.Errorf("the page does not show %q", want)
			}
		}
	}
	for _, bad := range []string{"<script", "<img", "javascript:", "http:", "https:", "url("} {
		if strings.Contains(strings.ToLower(page), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if n := strings.Count(page, "<details"); n != len(d.Mails) || strings.Count(page, "<iframe sandbox ") != n {
		t.Errorf("%d drafts are shown, want %d", n, len(d.Mails))
	}
}

func TestPreviewOfThousands(t *testing.T) {
	opened, _ := mustDraft(t, many(maxRendered+5))
	page := read(t, opened.Dir, DraftsName, PreviewName)
	if got, frames := strings.Count(page, "<details"), strings.Count(page, "<iframe"); got != maxRendered+5 || frames != maxRendered {
		t.Errorf("%d drafts and %d frames", got, frames)
	}
}

// TestRedactedPreview reads every value of every row: none is on the page.
func TestRedactedPreview(t *testing.T) {
	groups := append(incident(), paid(group(testRow{"201", "pi_of_money", "1", "Mo Example", "money@example.com", "2025-12-24T03:20:37Z"}, testRow{"202", "pi_of_money", "1", "Mo Example", "money@example.com", "2025-12-24T03:20:38Z"}), "EUR", "4711", "4711"))
	for _, g := range groups[:4] {
		paid(g, "EUR", "8899", "8899")
	}
	opened, d := draftPaid(t, groups, func(o *Options) { o.Redact = true })
	page := read(t, opened.Dir, DraftsName, PreviewName) + d.Sample.Text + d.Sample.HTML + d.Sample.Subject + d.Sample.To.Name + d.Sample.To.Address
	for _, g := range groups {
		for _, row := range g.Rows {
			for _, name := range []string{"payment_intent_id", "customer_name", "customer_email"} {
				if v, _ := row.Values.Get(name); strings.Contains(page, v) {
					t.Errorf("the redacted page holds the %s %q", name, v)
				}
			}
		}
	}
	for _, amount := range []string{"47.11", "88.99", "4711", "8899"} {
		if strings.Contains(page, "EUR "+amount) {
			t.Errorf("the redacted page holds the amount %s", amount)
		}
	}
	if !strings.Contains(page, "masked:") || strings.Contains(page, `href="mailto:masked`) {
		t.Error("the page has no masks, or masks where none belong")
	}
	raw := read(t, opened.Dir, DraftsName, d.Mails[0].File)
	if strings.Contains(raw, "masked:") || !strings.Contains(raw, "jax@example.com") {
		t.Error("the drafts themselves are masked")
	}
}

func TestPace(t *testing.T) {
	now := testNow
	p := pace{rate: 4, now: func() time.Time { return now }}
	var got []time.Duration
	for range 3 {
		got = append(got, p.next())
	}
	now = now.Add(10 * time.Second) // what was not used is not made up for
	got = append(got, p.next(), p.next())
	if diff := cmp.Diff([]time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond, 0, 250 * time.Millisecond}, got); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if none := (&pace{}).next(); none != 0 {
		t.Errorf("without a rate: %v", none)
	}
}

// TestRateIsKept sends with a clock of its own: each attempt waits its turn,
// also the second one of a mail.
func TestRateIsKept(t *testing.T) {
	opened, _ := mustDraft(t, many(4))
	again := Outcome{State: Drafted, Again: true, Reason: "later"}
	_, waits, err := run(opened, &scripted{outcomes: []Outcome{{State: Accepted}, again}}, SendOptions{Rate: 10})
	if err != nil {
		t.Fatal(err)
	}
	var want []time.Duration // the clock of run stands still, so the waits add up
	for i := 1; i <= 4; i++ {
		want = append(want, time.Duration(i)*100*time.Millisecond)
	}
	if diff := cmp.Diff(want, waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

// TestAFileInTheWay stays as it is, and nothing is left beside it.
func TestAFileInTheWay(t *testing.T) {
	groups := incident()
	opened := makeCase(t, groups)
	if err := os.WriteFile(filepath.Join(opened.Dir, DraftsName), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Draft(t.Context(), opened, groups, keepFirst(groups), testOptions())
	expectProblem(t, "a file in the way", err, casefile.CodePermission)
	if got := read(t, opened.Dir, DraftsName); got != "mine" {
		t.Errorf("the file in the way is now %q", got)
	}
	expectEntries(t, opened.Dir, "case.json", "drafts", "evidence.jsonl", "ledger.jsonl")
}

// TestDraftsOpenInARealParser reads each draft's headers with net/mail alone.
func TestDraftsOpenInARealParser(t *testing.T) {
	opened, d := mustDraft(t, hostileGroups())
	for _, m := range d.Mails {
		parsed, err := mail.ReadMessage(strings.NewReader(read(t, opened.Dir, DraftsName, m.File)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsed.Header.Date(); err != nil {
			t.Errorf("%s has no date: %v", m.File, err)
		}
		to, err := parsed.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != m.To || to[0].Name != m.Name {
			t.Errorf("%s is to %v, want %s: %v", m.File, to, m.To, err)
		}
	}
}
