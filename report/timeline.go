package report

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Event is one thing that happened, as a document tells it.
type Event struct {
	// At is RFC 3339 in UTC.
	At string `json:"at"`
	// Text says what, without a full stop.
	Text string `json:"text"`
	// From names the document and the field.
	From string `json:"from"`
}

// maxEvents is how many records of the journal stand in a timeline: a clean-up
// in many batches has one each.
const maxEvents = 40

// timeline puts what all documents tell in order of time. What happened at one
// time stays in the order in which it is told here.
func (d *Document) timeline() []Event {
	var events []Event
	add := func(at, text, from string) {
		if at != "" {
			events = append(events, Event{At: at, Text: text, From: from})
		}
	}
	for i := range d.Tables {
		events = append(events, d.Tables[i].events(i, len(d.Tables) > 1)...)
	}
	add(d.ScannedAt, "scanned, and the case written", "case.json: created_at")
	if d.Journal != nil {
		events = append(events, cutMiddle(d.Journal.Events)...)
	}
	if d.Mails != nil {
		add(d.Mails.DraftedAt, Count(d.Mails.Drafts, "mail")+" drafted", "drafts/index.json: created_at")
		add(d.Mails.FirstSentAt, "first mail accepted by the provider", "ledger.jsonl: at")
		if c := d.Mails.Confirmed; c != nil {
			add(c.At, c.text(), "confirmed.json: totals")
		}
		if d.Mails.LastSentAt != d.Mails.FirstSentAt {
			add(d.Mails.LastSentAt, "last mail accepted by the provider", "ledger.jsonl: at")
		}
	}
	for i := range d.Probes {
		add(d.Probes[i].At, "probed, "+d.Probes[i].text(), d.Probes[i].From)
	}
	slices.SortStableFunc(events, func(a, b Event) int { return moment(a.At).Compare(moment(b.At)) })
	return events
}

// events are what the case says about when the duplicates were written.
func (t *Table) events(index int, several bool) []Event {
	first, last := t.Totals.FirstDuplicate, t.Totals.LastDuplicate
	if first == nil || last == nil {
		return nil
	}
	place := ""
	if several {
		place = " in " + Shorten(Plain(t.Name), 60, nil)
	}
	if *first == *last {
		return []Event{{*first, "the duplicate written" + place, TableField(index, "totals.first_duplicate")}}
	}
	return []Event{
		{*first, "first duplicate written" + place, TableField(index, "totals.first_duplicate")},
		{*last, "last duplicate written" + place, TableField(index, "totals.last_duplicate")},
	}
}

// cutMiddle keeps the beginning and the end of a long journal.
func cutMiddle(events []Event) []Event {
	if len(events) <= maxEvents {
		return events
	}
	half := maxEvents / 2
	cut := events[half : len(events)-half]
	between := Event{At: cut[0].At, Text: Number(len(cut)) + " more records until " + Instant(&cut[len(cut)-1].At) + " UTC", From: "journal.jsonl"}
	return slices.Concat(events[:half], []Event{between}, events[len(events)-half:])
}

// moment is the zero time for what is none, which then comes first.
func moment(at string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return time.Time{}
	}
	return t
}

func join(names []string) string { return Plain(strings.Join(names, ", ")) }

// TableField names a field of the table at index in case.json, as all that is
// said names where it comes from.
func TableField(index int, field string) string {
	return "case.json: tables[" + strconv.Itoa(index) + "]." + field
}
