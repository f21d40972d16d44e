package templates

import (
	"strings"
	"testing"
)

func entry(first bool, copies int) MailEntry {
	return MailEntry{Title: "Seat A1", Use: MailCopy{Label: "ID 1", When: "made on 1 May 2025 at 10:00 UTC"}, Disregard: make([]MailCopy, copies), UseIsFirst: first}
}

func TestMailSubject(t *testing.T) {
	for want, entries := range map[string][]MailEntry{
		"Your seat was recorded twice: please use the first one":                     {entry(true, 1)},
		"Your seat was recorded three times: which one to use":                       {entry(false, 2)},
		"Your seat was recorded 7 times: please use the first one":                   {entry(true, 6)},
		"2 of your seats were recorded more than once: please use the first of each": {entry(true, 1), entry(true, 1)},
		"2 of your seats were recorded more than once: which ones to use":            {entry(true, 1), entry(false, 1)},
	} {
		got, err := MailSubject(Mail{Noun: "seat", Nouns: "seats", Entries: entries})
		if err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

func TestMailWithoutNames(t *testing.T) {
	m := Mail{Noun: "seat", Nouns: "seats", Entries: []MailEntry{entry(false, 1)}, AnswerTo: "help@example.com"}
	var text, html strings.Builder
	if err := ExecuteMailText(&text, m); err != nil {
		t.Fatal(err)
	}
	if err := ExecuteMailHTML(&html, m); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{text.String(), html.String()} {
		for _, want := range []string{"Hello,", "Your support team", "Your seat is valid", "help@example.com"} {
			if !strings.Contains(part, want) {
				t.Errorf("no %q in:\n%s", want, part)
			}
		}
	}
}

// TestMailHTMLLoadsNothing keeps pictures, scripts and foreign links out: a
// mail must not tell anybody that it was opened.
func TestMailHTMLLoadsNothing(t *testing.T) {
	var html strings.Builder
	m := Mail{Name: "<img src=x>", Noun: "seat", Nouns: "seats", Entries: []MailEntry{entry(true, 1)}, AnswerTo: `x" onclick="y@example.com`}
	if err := ExecuteMailHTML(&html, m); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<img", "<script", "http", "src=", "url(", `onclick="`} {
		if strings.Contains(strings.ReplaceAll(html.String(), "&lt;img src=x&gt;", ""), bad) {
			t.Errorf("the HTML holds %q:\n%s", bad, html.String())
		}
	}
}
