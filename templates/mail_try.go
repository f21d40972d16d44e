package templates

import (
	"maps"
	"slices"
	"strings"
)

// try fills every template with mails of all kinds, so that a fault that only
// shows in the filling is found before any mail is drafted.
func (m *Mails) try() error {
	for _, language := range m.Languages() {
		if err := m.tryWords(language); err != nil {
			return err
		}
		for _, fields := range mailSamples() {
			fields.Language = language
			subject, text, html, err := m.Fill(fields)
			switch {
			case err != nil:
				return err
			case subject == "":
				return &MailTemplateError{language + "/" + subjectFile, "it gives an empty subject"}
			case strings.TrimSpace(text) == "":
				return &MailTemplateError{language + "/" + textFile, "it gives an empty text"}
			case strings.TrimSpace(html) == "":
				return &MailTemplateError{language + "/" + htmlFile, "it gives an empty part"}
			}
		}
	}
	return nil
}

func (m *Mails) tryWords(language string) error {
	words := m.languages[language].words
	for _, class := range mailClasses {
		if _, err := words.Cause(MailCause{Class: class}); err != nil {
			return parseFault(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wordData)) {
		said, err := words.say(name, wordData[name])
		if err != nil {
			return parseFault(err)
		}
		if said == "" && name != "cause" {
			return &MailTemplateError{language + "/" + wordsFile, "{{define \"" + name + "\"}} gives nothing"}
		}
	}
	return nil
}

var mailClasses = []string{"same-transaction", "race", "resubmit", "retry", "replay", "untimed"}

// mailSamples are mails of all kinds: about one thing and several, with a name
// and without, with every state of money and clean-up.
func mailSamples() []Mail {
	var samples []Mail
	for i, refund := range []string{"", RefundDue, RefundMade, RefundMixed} {
		for j, cleanup := range []string{"", CopiesRemoved, CopiesPlanned} {
			for n := 1; n <= 2; n++ {
				m := Mail{Noun: "ticket", Nouns: "tickets", AnswerTo: "help@example.com", Cleanup: cleanup, Refund: MailRefund{State: refund}}
				if (i+j)%2 == 0 {
					m.Name, m.Sender, m.Cause, m.Refund.Amount = "Ada Example", "Box Office", "It went wrong.", "EUR 45.00"
				}
				for k := range n {
					m.Entries = append(m.Entries, sampleEntry(k, refund, cleanup, (i+j+k)%2 == 0))
				}
				samples = append(samples, m)
			}
		}
	}
	return samples
}

func sampleEntry(k int, refund, cleanup string, full bool) MailEntry {
	if refund == RefundMixed {
		refund = []string{RefundDue, RefundMade}[k%2]
	}
	e := MailEntry{Title: "Ticket 1 (payment intent pi_1)", Times: "twice", Class: mailClasses[k%len(mailClasses)], Cleanup: cleanup, UseIsFirst: full,
		Use: MailCopy{Label: "ID 1"}, Disregard: []MailCopy{{Label: "ID 2"}}, Refund: MailRefund{State: refund}}
	if full {
		e.Cause, e.Use.When, e.Use.Time, e.Refund.Amount = "It went wrong.", "made on 1 May 2025 at 10:00 UTC", "2025-05-01T10:00:00Z", "EUR 45.00"
		e.Disregard = append(e.Disregard, MailCopy{Label: "ID 3", When: "made 1 second later", Time: "2025-05-01T10:00:01Z", Amount: "EUR 45.00"})
	}
	return e
}
