package templates

import (
	"fmt"
	"strings"
	texttemplate "text/template"
)

// MailWords puts dates, durations, causes and money into the words of one
// language; the words themselves stand in the language's words.txt.
type MailWords struct{ templates *texttemplate.Template }

// MailDate is a moment in UTC.
type MailDate struct {
	Year  int    `doc:"as 2025"`
	Month int    `doc:"1 for January"`
	Day   int    `doc:"of the month"`
	Clock string `doc:"hours and minutes, as \"03:20\""`
}

// MailMade is for the word that a copy was made.
type MailMade struct {
	Date string `doc:"what \"date\" made"`
}

// MailSpan is how far two copies are apart.
type MailSpan struct {
	N       int64  `doc:"how many units"`
	Unit    string `doc:"none, instant (under a second), second, minute, hour or day"`
	Earlier bool   `doc:"true where the copy is older than the one to use"`
}

// MailNumber is a place or a count.
type MailNumber struct {
	N int `doc:"1 for the first"`
}

// MailMoney is an amount.
type MailMoney struct {
	Currency  string   `doc:"as EUR"`
	Thousands []string `doc:"the whole part in groups of three digits"`
	Fraction  string   `doc:"the digits after the point; empty where the currency has none"`
}

// MailCause is a class of duplicates.
type MailCause struct {
	Class string `doc:"same-transaction, race, resubmit, retry, replay or untimed"`
	Many  bool   `doc:"true where it is said of several entries"`
}

// Date is a moment, as "24 December 2025 at 03:20 UTC".
func (w *MailWords) Date(d MailDate) (string, error) { return w.say("date", d) }

// Made says when the copy to use was made.
func (w *MailWords) Made(date string) (string, error) { return w.say("made", MailMade{date}) }

// Later says how much later, or earlier, another copy was made.
func (w *MailWords) Later(span MailSpan) (string, error) { return w.say("later", span) }

// Place names a copy by its place in time, 1 for the first.
func (w *MailWords) Place(n int) (string, error) { return w.say("place", MailNumber{n}) }

// Original and Copy name the copies where no time tells them apart.
func (w *MailWords) Original() (string, error) { return w.say("original", MailNumber{}) }

// Copy is the other of them.
func (w *MailWords) Copy() (string, error) { return w.say("copy", MailNumber{}) }

// Times says how often there is a thing.
func (w *MailWords) Times(n int) (string, error) { return w.say("times", MailNumber{n}) }

// Money is an amount with its currency.
func (w *MailWords) Money(m MailMoney) (string, error) { return w.say("money", m) }

// Cause says in a sentence what went wrong; "" for a class without one.
func (w *MailWords) Cause(c MailCause) (string, error) { return w.say("cause", c) }

// Entry is the word for a thing where no better one is known, in the singular
// and in the plural.
func (w *MailWords) Entry() (one, many string, err error) {
	if one, err = w.say("entry", MailNumber{}); err == nil {
		many, err = w.say("entries", MailNumber{})
	}
	return one, many, err
}

func (w *MailWords) say(name string, data any) (string, error) {
	var b strings.Builder
	if err := w.templates.ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("filling the words of a mail: %w", err)
	}
	return strings.Join(strings.Fields(b.String()), " "), nil
}

// wordData is what each definition of words.txt is given.
var wordData = map[string]any{
	"date": MailDate{}, "made": MailMade{}, "later": MailSpan{}, "place": MailNumber{1}, "original": MailNumber{}, "copy": MailNumber{},
	"times": MailNumber{2}, "money": MailMoney{Currency: "EUR", Thousands: []string{"1", "234"}, Fraction: "50"}, "cause": MailCause{}, "entry": MailNumber{}, "entries": MailNumber{},
}
