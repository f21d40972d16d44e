package templates

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io"
	"strings"
	texttemplate "text/template"
)

// Mail is all that a mail to one customer may say. Every text in it is one
// line of plain text; the HTML part escapes it.
type Mail struct {
	// Name is the customer's, "" where none is known: then nobody is named.
	Name string
	// Noun and Nouns are the word for one entry and for several, as "ticket"
	// and "tickets".
	Noun, Nouns string
	Entries     []MailEntry
	// AnswerTo is the address that answers to the mail go to.
	AnswerTo string
	// Sender is the name to sign with, "" where there is none.
	Sender string
}

// MailEntry is one thing that exists more than once.
type MailEntry struct {
	// Title names it, as "Ticket 1 (payment intent pi_3Sh)".
	Title string
	Use   MailCopy
	// Disregard is never empty.
	Disregard []MailCopy
	// UseIsFirst is true where the copy to use is the one that was made first.
	UseIsFirst bool
}

// MailCopy is one of the copies.
type MailCopy struct {
	// Label tells it from the others, as "ID 108" or "the first one".
	Label string
	// When is a date and time with its zone, or how much later than the copy
	// to use it was made; "" where that is not known.
	When string
}

// FirstCounts is true where in every entry the copy made first is the one to use.
func (m Mail) FirstCounts() bool {
	for _, e := range m.Entries {
		if !e.UseIsFirst {
			return false
		}
	}
	return true
}

// Times says how often the entry exists: "twice", "three times", "12 times".
func (e MailEntry) Times() string {
	words := []string{"twice", "three times", "four times", "five times"}
	if n := len(e.Disregard) - 1; n < len(words) {
		return words[n]
	}
	return fmt.Sprintf("%d times", len(e.Disregard)+1)
}

//go:embed mails
var mailFiles embed.FS

var (
	mailText = texttemplate.Must(texttemplate.ParseFS(mailFiles, "mails/*.txt"))
	mailHTML = htmltemplate.Must(htmltemplate.ParseFS(mailFiles, "mails/*.html"))
)

// MailSubject returns the subject, one line.
func MailSubject(m Mail) (string, error) {
	var b strings.Builder
	err := mailText.ExecuteTemplate(&b, "subject.txt", m)
	return strings.TrimSpace(b.String()), err
}

// ExecuteMailText writes the plain text part, lines ending with "\n".
func ExecuteMailText(w io.Writer, m Mail) error {
	return mailText.ExecuteTemplate(w, "body.txt", m)
}

// ExecuteMailHTML writes the HTML part, a whole document.
func ExecuteMailHTML(w io.Writer, m Mail) error {
	return mailHTML.ExecuteTemplate(w, "body.html", m)
}
