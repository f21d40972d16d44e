package notify

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"twinrow/detect/casefile"
)

// TestEveryTornEnd cuts a ledger at every byte: whatever a crash leaves, a
// mail whose request had begun is never a draft again.
func TestEveryTornEnd(t *testing.T) {
	opened, d := mustDraft(t, many(3))
	carrier := &scripted{}
	begun := map[string]int64{} // the ledger's size when the request was made
	carrier.onSend = func(m Message) {
		info, err := os.Stat(filepath.Join(opened.Dir, LedgerName))
		if err != nil {
			t.Fatal(err)
		}
		begun[m.Mail] = info.Size()
	}
	if _, err := Send(t.Context(), opened, carrier, SendOptions{Tool: testTool}); err != nil {
		t.Fatal(err)
	}
	raw := []byte(read(t, opened.Dir, LedgerName))
	for size := range len(raw) + 1 {
		a, whole, err := readAccount(raw[:size])
		if err != nil {
			t.Fatalf("cut to %d bytes: %v", size, err)
		}
		if whole > int64(size) || size == len(raw) && whole != int64(size) {
			t.Fatalf("cut to %d bytes: %d are whole", size, whole)
		}
		open, err := pending(d.Mails, a, SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range open {
			if begun[m.ID] <= int64(size) {
				t.Errorf("cut to %d bytes: the mail %s would be sent again", size, m.ID)
			}
		}
	}
	if len(begun) != 3 {
		t.Errorf("%d mails were sent", len(begun))
	}
}

func TestTornEndIsCutOffBeforeWriting(t *testing.T) {
	opened, _ := mustDraft(t, many(2))
	path := filepath.Join(opened.Dir, LedgerName)
	whole := read(t, path)
	if err := os.WriteFile(path, []byte(whole+`{"at":"2025-12-28T`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Send(t.Context(), opened, &scripted{}, SendOptions{Tool: testTool}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(read(t, path)), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("the ledger holds the line %q", line)
		}
	}
}

func TestChangedLedgerIsRefused(t *testing.T) {
	opened, _ := mustDraft(t, many(2))
	if _, err := Send(t.Context(), opened, &scripted{}, SendOptions{Tool: testTool}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(opened.Dir, LedgerName)
	whole := read(t, path)
	lines := strings.SplitAfter(whole, "\n")
	for name, c := range map[string]struct{ content, code string }{
		"a broken line in the middle": {lines[0] + "{" + lines[1] + lines[2], casefile.CodeTampered},
		"a broken last line":          {whole + "{\n", casefile.CodeTampered},
		"an empty line":               {lines[0] + "\n" + lines[1], casefile.CodeTampered},
		"no first line":               {strings.Join(lines[1:], ""), casefile.CodeBadInput},
		"an unknown state":            {strings.ReplaceAll(whole, "accepted", "done"), casefile.CodeTampered},
		"a newer version":             {strings.Replace(whole, LedgerSchema, "twinrow/ledger/v2", 1), casefile.CodeNewer},
		"another case's":              {strings.Replace(whole, opened.ID, "000000000000", 1), casefile.CodeTampered},
	} {
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		carrier := &scripted{}
		_, err := Send(t.Context(), opened, carrier, SendOptions{Tool: testTool})
		expectProblem(t, name, err, c.code)
		if len(carrier.sent) > 0 {
			t.Errorf("%s: %d mails were sent", name, len(carrier.sent))
		}
		if got := read(t, path); got != c.content {
			t.Errorf("%s: the ledger was changed", name)
		}
	}
}

func TestFullDiskStopsBeforeTheRequest(t *testing.T) {
	opened, d := mustDraft(t, many(2))
	book, err := openLedger(opened.Dir, opened.ID, opened.SHA256, testTool)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	book.file, full = full, book.file
	carrier := &scripted{}
	s := &sender{opened: opened, carrier: carrier, book: book, sent: &Sent{}, wait: wait}
	expectProblem(t, "a full disk", s.one(t.Context(), d.Mails[0]), casefile.CodeDisk)
	if len(carrier.sent) > 0 {
		t.Error("a mail was sent that was not claimed")
	}
	book.file = full
	if err := book.append(d.Mails[0], Claimed, "", ""); err == nil {
		t.Error("a ledger that failed once is written on")
	}
}

func FuzzReadAccount(f *testing.F) {
	good := `{"schema":"twinrow/ledger/v1","case":"c"}` + "\n" + `{"at":"x","mail":"m","to":"a@example.com","groups":1,"state":"claimed"}` + "\n"
	f.Add([]byte(good))
	f.Add([]byte(good + `{"at`))
	f.Add([]byte("\n\n"))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, whole, err := readAccount(raw)
		if err != nil {
			return
		}
		if whole < 0 || whole > int64(len(raw)) || whole > 0 && raw[whole-1] != '\n' || bytes.IndexByte(raw[whole:], '\n') >= 0 {
			t.Fatalf("%d bytes are whole of %q", whole, raw)
		}
		if len(a.order) != len(a.last) {
			t.Fatalf("%d mails in order, %d known", len(a.order), len(a.last))
		}
		again, _, err := readAccount(raw[:whole])
		if err != nil || len(again.last) != len(a.last) {
			t.Fatalf("the whole part reads otherwise: %v", err)
		}
	})
}

func TestClaimOfADeadRunBecomesUnknown(t *testing.T) {
	opened, d := mustDraft(t, many(2))
	book, err := openLedger(opened.Dir, opened.ID, opened.SHA256, testTool)
	if err != nil {
		t.Fatal(err)
	}
	if err := book.append(d.Mails[0], Claimed, "", ""); err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	carrier := &scripted{}
	if _, err := Send(t.Context(), opened, carrier, SendOptions{Tool: testTool}); err != nil {
		t.Fatal(err)
	}
	a, _, err := readAccount([]byte(read(t, opened.Dir, LedgerName)))
	if err != nil {
		t.Fatal(err)
	}
	if r := a.last[d.Mails[0].ID]; r.State != Unknown || r.Reason == "" || len(carrier.sent) != 1 {
		t.Errorf("the claim became %+v, and %d mails were sent", r, len(carrier.sent))
	}
}
