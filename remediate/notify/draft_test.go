package notify

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
)

func read(t testing.TB, parts ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// decoded is a draft's headers and its text and HTML part, read with nothing
// of ours.
func decoded(t testing.TB, raw string) (header mail.Header, parts map[string]string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %q: %v", kind, err)
	}
	parts = map[string]string{}
	reader := multipart.NewReader(m.Body, parameters["boundary"])
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m.Header, parts
		} else if err != nil {
			t.Fatal(err)
		}
		if got := part.Header.Get("Content-Transfer-Encoding"); got != "quoted-printable" {
			t.Errorf("transfer encoding %q", got)
		}
		content, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		parts[kind] = strings.ReplaceAll(string(content), "\r\n", "\n")
	}
}

func TestDraftOfTheIncident(t *testing.T) {
	groups := incident()
	opened, d := mustDraft(t, groups)
	if len(d.Mails) != 4 || len(d.Skipped) != 0 {
		t.Fatalf("%d mails, %d skipped, want 4 and 0", len(d.Mails), len(d.Skipped))
	}
	raw := read(t, opened.Dir, DraftsName, "0003.eml")
	header, parts := decoded(t, raw)
	want := map[string]string{
		"X-Unsent": "1", "Date": "Sun, 28 Dec 2025 09:30:00 +0000", "From": `"Box Office" <tickets@example.com>`, "Reply-To": "<help@example.com>",
		"To": `"Saul Example" <saul@example.com>`, "Subject": "Your ticket was recorded twice: please use the first one", "Mime-Version": "1.0",
		"Message-Id": "<" + d.Mails[2].ID + "." + opened.ID + "@example.com>",
	}
	for name, value := range want {
		if got := header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if diff := cmp.Diff(read(t, "testdata", "saul.txt"), parts["text/plain"]); diff != "" {
		t.Errorf("the text part differs (-want +got):\n%s", diff)
	}
	for _, fact := range []string{"Ticket 1 (payment intent pi_3ShicpKI6MirOIdS1vKqmZyR)", "ID 108", "ID 109", "Your original ticket is valid", `href="mailto:help@example.com"`, "less than a second later"} {
		if !strings.Contains(parts["text/html"], fact) {
			t.Errorf("the HTML part does not say %q", fact)
		}
	}
}

func TestOneMailACustomer(t *testing.T) {
	second := ticketsTable()
	second.Name, second.Table = "bookings", "shop.bookings"
	groups := []*casefile.Group{
		group(testRow{"1", "pi_1", "1", "Ada Example", " Ada@Example.com ", "2025-12-24T03:20:37Z"}, testRow{"2", "pi_1", "1", "Ada Example", "ada@example.com", "2025-12-24T03:20:38Z"}),
		group(testRow{"3", "pi_2", "1", "Ada Example", "ADA@EXAMPLE.COM", "2025-12-24T03:20:37Z"}, testRow{"4", "pi_2", "1", "Ada Example", "ada@example.com", "2025-12-25T03:20:38Z"}, testRow{"5", "pi_2", "1", "Ada Example", "", "2025-12-25T03:21:38Z"}),
		group(testRow{"6", "pi_3", "1", "Ada Example", "ada+gala@example.com", "2025-12-24T03:20:37Z"}, testRow{"7", "pi_3", "1", "Ada Example", "ada+gala@example.com", "2025-12-24T03:20:38Z"}),
		group(testRow{"8", "pi_4", "1", "Ada Example", "ada@example.com", "2025-12-24T03:20:37Z"}, testRow{"9", "pi_4", "1", "Ada Example", "ada@example.com", "2025-12-24T03:20:38Z"}),
	}
	groups[3].Table = "bookings"
	opened, d := mustDraft(t, groups, ticketsTable(), second)
	type brief struct {
		To     string
		Groups []int
	}
	var got []brief
	for _, m := range d.Mails {
		got = append(got, brief{m.To, m.Groups})
	}
	if diff := cmp.Diff([]brief{{"Ada@example.com", []int{1, 2, 4}}, {"ada+gala@example.com", []int{3}}}, got); diff != "" {
		t.Errorf("mails differ (-want +got):\n%s", diff)
	}
	header, parts := decoded(t, read(t, opened.Dir, DraftsName, "0001.eml"))
	if got := header.Get("Subject"); got != "3 of your entries were recorded more than once: please use the first of each" {
		t.Errorf("subject %q", got)
	}
	if diff := cmp.Diff(read(t, "testdata", "ada.txt"), parts["text/plain"]); diff != "" {
		t.Errorf("the text part differs (-want +got):\n%s", diff)
	}
}

func TestWhoIsNotWrittenTo(t *testing.T) {
	row := func(id, key, email string) testRow {
		return testRow{id, key, "1", "Ada Example", email, "2025-12-24T03:20:37Z"}
	}
	groups := []*casefile.Group{
		group(row("1", "a", ""), row("2", "a", " ")),
		group(row("3", "b", "not an address"), row("4", "b", "not an address")),
		group(row("5", "c", "ada@example.com"), row("6", "c", "bo@example.com")),
		group(row("7", "d", "ada@example.com"), row("8", "d", "ada@example.com")),
		group(row("9", "e", "ada@example.com"), row("10", "e", "ada@example.com")),
		group(row("11", "f", "dörte@example.com"), row("12", "f", "dörte@example.com")),
		group(row("13", "g", "cy@example.com"), row("14", "g", "cy@example.com")),
		group(row("15", "h", "ada@example.com"), row("16", "h", "mangled@@")),
		group(row("17", "i", "dee@example.com"), row("18", "i", "dee@example.com")),
	}
	silent := ticketsTable()
	silent.Name, silent.Email = "silent", ""
	groups[6].Table = "silent"
	opened := makeCase(t, groups, ticketsTable(), silent)
	choices := keepFirst(groups)
	choices[3].Held, choices[3].HeldReason = true, "its copies differ"
	choices = append(choices[:4], choices[5:]...)
	options := testOptions()
	options.Suppressions = onList{"dee@example.com": "unsubscribed from all mail"}
	d, err := Draft(t.Context(), opened, groups, choices, options)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Mails) != 0 {
		t.Errorf("%d mails, want none", len(d.Mails))
	}
	got := map[int]SkipReason{}
	for _, s := range d.Skipped {
		got[s.Group] = s.Reason
	}
	want := map[int]SkipReason{1: NoAddress, 2: MalformedAddress, 3: SeveralAddresses, 4: GroupHeld, 5: NotPlanned, 6: MalformedAddress, 7: NoColumn, 8: SeveralAddresses, 9: IsSuppressed}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("skipped differs (-want +got):\n%s", diff)
	}
	lines, err := csv.NewReader(strings.NewReader(read(t, opened.Dir, DraftsName, SkippedName))).ReadAll()
	if err != nil || len(lines) != 10 {
		t.Errorf("%s has %d lines: %v", SkippedName, len(lines), err)
	}
}

// onList is a Suppressions from a list.
type onList map[string]string

func (l onList) Suppressed(_ context.Context, address string) (string, error) { return l[address], nil }

// mayNot is a Suppressions without the right to ask.
type mayNot struct{}

func (mayNot) Suppressed(context.Context, string) (string, error) { return "", ErrMayNotAsk }

func TestKeyThatMayNotAsk(t *testing.T) {
	groups := incident()
	opened := makeCase(t, groups)
	options := testOptions()
	options.Suppressions = mayNot{}
	d, err := Draft(t.Context(), opened, groups, keepFirst(groups), options)
	if err != nil || len(d.Mails) != 4 || len(d.Notes) != 1 {
		t.Errorf("got %+v, %v; want 4 mails and a note", d, err)
	}
}

func TestSupportList(t *testing.T) {
	groups := append(incident(), group(
		testRow{"=1+1", "k", "1", `=HYPERLINK("x";"y")`, "+1@example.com", "2025-12-24T03:20:37Z"}, testRow{"-7", "k", "1", "@x", "+1@example.com", "2025-12-24T03:20:37Z"}))
	opened, _ := mustDraft(t, groups)
	lines, err := csv.NewReader(strings.NewReader(read(t, opened.Dir, DraftsName, SupportName))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	twice := "Your ticket was recorded twice: please use the first one"
	want := [][]string{
		{"address", "name", "groups", "use", "disregard", "file", "language", "refund", "subject"},
		{"jax@example.com", "Jax Example", "1", "public.tickets id 102", "public.tickets id 107", "0001.eml", "en", "", twice},
		{"trinity@example.com", "Trinity Example", "2", "public.tickets id 103", "public.tickets id 106", "0002.eml", "en", "", twice},
		{"saul@example.com", "Saul Example", "3", "public.tickets id 108", "public.tickets id 109", "0003.eml", "en", "", twice},
		{"tess@example.com", "Tess Example", "4", "public.tickets id 111", "public.tickets id 112", "0004.eml", "en", "", twice},
		{"'+1@example.com", `'=HYPERLINK("x";"y")`, "5", "public.tickets id =1+1", "public.tickets id -7", "0005.eml", "en", "", twice},
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
}

func TestDraftsAreReplacedAsAWhole(t *testing.T) {
	groups := incident()
	opened, first := mustDraft(t, groups)
	fewer := keepFirst(groups)
	fewer[3].Held = true
	d, err := Draft(t.Context(), opened, groups, fewer, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Mails) != 3 || d.Mails[0].ID != first.Mails[0].ID || d.Mails[0].SHA256 != first.Mails[0].SHA256 {
		t.Errorf("the second draft is not the first one without its last mail")
	}
	if _, err := os.Stat(filepath.Join(opened.Dir, DraftsName, "0004.eml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a draft of the first time is still there: %v", err)
	}
	expectEntries(t, opened.Dir, "case.json", "drafts", "evidence.jsonl", "ledger.jsonl")
}

func expectEntries(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v: %v", e.Name(), info.Mode(), err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the directory differs (-want +got):\n%s", diff)
	}
}

func TestFailedDraftLeavesTheFormerOne(t *testing.T) {
	groups := incident()
	opened, _ := mustDraft(t, groups)
	before := read(t, opened.Dir, DraftsName, IndexName)
	wrong := keepFirst(groups)
	wrong[2].Keep = casefile.Fields{{Name: "id", Value: new("999")}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, draft := range map[string]func() error{
		"drift":     func() error { _, err := Draft(t.Context(), opened, groups, wrong, testOptions()); return err },
		"cancelled": func() error { _, err := Draft(ctx, opened, groups, keepFirst(groups), testOptions()); return err },
	} {
		if err := draft(); err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := read(t, opened.Dir, DraftsName, IndexName); got != before {
			t.Errorf("%s: the drafts changed", name)
		}
		expectEntries(t, opened.Dir, "case.json", "drafts", "evidence.jsonl", "ledger.jsonl")
	}
}

func TestLeftoversOfAKilledDraft(t *testing.T) {
	groups := incident()
	opened, _ := mustDraft(t, groups)
	// Killed between the two renames: the drafts stand under the hidden name.
	if err := os.Rename(filepath.Join(opened.Dir, DraftsName), filepath.Join(opened.Dir, formerPrefix+"1")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(opened.Dir, partialPrefix+"2"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Draft(t.Context(), opened, groups, keepFirst(groups), testOptions()); err != nil {
		t.Fatal(err)
	}
	expectEntries(t, opened.Dir, "case.json", "drafts", "evidence.jsonl", "ledger.jsonl")
}

func TestDraftRefuses(t *testing.T) {
	groups := incident()
	noEmail := ticketsTable()
	noEmail.Email = ""
	for name, c := range map[string]struct {
		code   string
		table  casefile.Table
		change func(*Options)
	}{
		"no column":   {casefile.CodeUsage, noEmail, func(*Options) {}},
		"no sender":   {casefile.CodeUsage, ticketsTable(), func(o *Options) { o.From = "" }},
		"bad sender":  {casefile.CodeUsage, ticketsTable(), func(o *Options) { o.From = "help@example.com\r\nBcc: x@example.com" }},
		"two senders": {casefile.CodeUsage, ticketsTable(), func(o *Options) { o.From = "a@example.com, b@example.com" }},
		"bad answers": {casefile.CodeUsage, ticketsTable(), func(o *Options) { o.ReplyTo = "help@localhost" }},
	} {
		opened := makeCase(t, groups, c.table)
		options := testOptions()
		c.change(&options)
		_, err := Draft(t.Context(), opened, groups, keepFirst(groups), options)
		expectProblem(t, name, err, c.code)
		if _, err := os.Stat(filepath.Join(opened.Dir, DraftsName)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: there are drafts: %v", name, err)
		}
	}
}

func TestDraftNeedsAPlan(t *testing.T) {
	groups := incident()
	opened := makeCase(t, groups)
	_, err := Draft(t.Context(), opened, groups, nil, testOptions())
	expectProblem(t, "no choices", err, casefile.CodeNotFound)
	none := makeCase(t, nil)
	d, err := Draft(t.Context(), none, nil, nil, testOptions())
	if err != nil || len(d.Mails) != 0 {
		t.Errorf("a case without groups: %+v, %v", d, err)
	}
}

func expectProblem(t *testing.T, name string, err error, code string) {
	t.Helper()
	if problem, ok := errors.AsType[*Problem](err); !ok {
		t.Errorf("%s: got the error %v, want a problem", name, err)
	} else if problem.Code != code || problem.Message == "" {
		t.Errorf("%s: got the code %q (%v), want %q", name, problem.Code, err, code)
	}
}

func TestKeepLast(t *testing.T) {
	groups := incident()[:1]
	opened := makeCase(t, groups)
	choice := Choice{Group: 1, Keep: groups[0].Rows[1].ID, Remove: []casefile.Fields{groups[0].Rows[0].ID}}
	if _, err := Draft(t.Context(), opened, groups, []Choice{choice}, testOptions()); err != nil {
		t.Fatal(err)
	}
	header, parts := decoded(t, read(t, opened.Dir, DraftsName, "0001.eml"))
	all := header.Get("Subject") + parts["text/plain"] + parts["text/html"]
	for _, lie := range []string{"first", "original"} {
		if strings.Contains(all, lie) {
			t.Errorf("the mail says %q though the last copy is kept:\n%s", lie, all)
		}
	}
	if want := "ID 102, made about 43 hours earlier"; !strings.Contains(parts["text/plain"], want) {
		t.Errorf("the mail does not say %q:\n%s", want, parts["text/plain"])
	}
}

func TestDraftWithoutRights(t *testing.T) {
	groups := incident()
	opened := makeCase(t, groups)
	if err := os.Mkdir(filepath.Join(opened.Dir, LedgerName), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Draft(t.Context(), opened, groups, keepFirst(groups), testOptions())
	expectProblem(t, "the ledger is a directory", err, casefile.CodeDisk)
}

func TestBoundaryNeverInText(t *testing.T) {
	m := Message{Case: "0123456789ab", Mail: "0123456789abcdef", From: Mailbox{Address: "a@example.com"}, ReplyTo: Mailbox{Address: "a@example.com"}, To: Mailbox{Address: "b@example.com"},
		Subject: "s", Text: "--=_0123456789abcdef_0123456789ab--\n", HTML: "--=_0123456789abcdef_0123456789ab\n"}
	var b bytes.Buffer
	if err := appendEML(&b, m, testNow); err != nil {
		t.Fatal(err)
	}
	got, err := parseEML(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got.Case, got.Mail = m.Case, m.Mail
	if diff := cmp.Diff(m, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
}
