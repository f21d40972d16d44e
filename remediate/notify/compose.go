package notify

import (
	"slices"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/templates"
)

// composer makes what mails say; it holds what is the same for all of them.
type composer struct {
	mails *templates.Mails
	// engine is the source's, which tells a file's name from a table's.
	engine   string
	noun     string
	answerTo Mailbox
	sender   string
	money    *moneyRules
	// mask hides a value of a row; nil shows it.
	mask func(string) string
	// speakers are those of the languages used so far.
	speakers map[string]*speaker
}

// speaker is that of a language, without an error of before.
func (c *composer) speaker(language string) *speaker {
	say := c.speakers[language]
	if say == nil {
		say = &speaker{words: c.mails.Words(language)}
		c.speakers[language] = say
	}
	say.err = nil
	return say
}

// compose makes what the mail to a customer says, from their entries alone.
func (c *composer) compose(to *customer) (templates.Mail, error) {
	say := c.speaker(to.language)
	fields := templates.Mail{Language: to.language, Name: c.show(to.name), AnswerTo: c.answerTo.Address, Sender: c.sender}
	words := map[nouns]bool{}
	for _, e := range to.entries {
		word := c.wordFor(e.table, say)
		words[word] = true
		fields.Noun, fields.Nouns = word.one, word.many
		fields.Entries = append(fields.Entries, c.entry(e, word, say))
	}
	if len(words) > 1 {
		fields.Noun, fields.Nouns = say.entry()
	}
	fields.Cause = sharedCause(fields.Entries, say)
	fields.Cleanup = sharedCleanup(fields.Entries)
	fields.Refund = c.refundOf(to.entries, fields.Entries, say)
	return fields, say.err
}

// show is a value as the mail says it.
func (c *composer) show(value string) string {
	if c.mask == nil || value == "" {
		return value
	}
	return c.mask(value)
}

func (c *composer) wordFor(table *casefile.Table, say *speaker) nouns {
	if c.noun != "" {
		return nounsOf(c.noun)
	}
	word := tableNouns(table.Table, c.engine == "csv", table.KeyNames())
	if word.one == defaultNoun {
		word.one, word.many = say.entry()
	}
	return word
}

func (c *composer) entry(e entry, word nouns, say *speaker) templates.MailEntry {
	composed := templates.MailEntry{
		Title:      c.title(e, word.one),
		Times:      say.times(len(e.drop) + 1),
		Class:      string(e.group.Class),
		Use:        c.copyOf(e, e.keep, say),
		UseIsFirst: e.keep == &e.group.Rows[0] && e.keep.Time != nil,
		Cleanup:    e.cleanup,
	}
	if e.group.Strength != casefile.Possible && !e.group.Mixed {
		composed.Cause = say.cause(composed.Class, false)
	}
	useTime, timed := parseTime(e.keep.Time)
	if timed {
		composed.Use.When = say.made(useTime)
	}
	for _, row := range e.drop {
		copied := c.copyOf(e, row, say)
		if t, ok := parseTime(row.Time); ok && timed {
			copied.When = say.later(useTime, t)
		} else if ok {
			copied.When = say.made(t)
		}
		composed.Disregard = append(composed.Disregard, copied)
	}
	composed.Refund = c.entryRefund(e, say)
	return composed
}

// copyOf says of one row what is true of it alone.
func (c *composer) copyOf(e entry, row *casefile.Row, say *speaker) templates.MailCopy {
	copied := templates.MailCopy{Label: c.label(e, row, say)}
	if t, ok := parseTime(row.Time); ok {
		copied.Time = t.UTC().Format("2006-01-02T15:04:05.999999999Z")
	}
	if c.money.stateOf(e.table) != "" {
		if a, ok := c.money.amountOf(e.table, row); ok {
			copied.Amount = c.show(say.money(a))
		}
	}
	return copied
}

// title names the entry by its key: the part that numbers the thing itself
// stands beside its word, the others in brackets. Expressions and NULLs mean
// nothing to a customer and are left out.
func (c *composer) title(e entry, noun string) string {
	title := capital(noun)
	var others []string
	for i, field := range e.group.Key {
		if field.Value == nil || (i < len(e.table.Key) && e.table.Key[i].Expression) {
			continue
		}
		shown := c.show(cleanLine(*field.Value, maxValue))
		label := columnLabel(field.Name)
		switch {
		case shown == "":
		case strings.EqualFold(label, noun) && title == capital(noun):
			title += " " + shown
		default:
			others = append(others, label+" "+shown)
		}
	}
	if len(others) > 0 {
		title += " (" + strings.Join(others, ", ") + ")"
	}
	return title
}

// label tells a row from the other copies: by its id where that is made of
// columns, else by its place in time.
func (c *composer) label(e entry, row *casefile.Row, say *speaker) string {
	var ids []string
	for _, field := range row.ID {
		if field.Value != nil && hasColumn(e.table, field.Name) {
			shown := cleanLine(*field.Value, maxValue)
			if isPersonal(e.table, field.Name) {
				shown = c.show(shown)
			}
			ids = append(ids, columnLabel(field.Name)+" "+shown)
		}
	}
	if len(ids) > 0 && len(ids) == len(row.ID) {
		ids[0] = capital(ids[0])
		return strings.Join(ids, ", ")
	}
	if row.Time == nil {
		return say.untimed(row == e.keep)
	}
	return say.place(1 + slices.IndexFunc(e.group.Rows, func(r casefile.Row) bool { return rowKey(r.ID) == rowKey(row.ID) }))
}

func hasColumn(table *casefile.Table, name string) bool {
	return slices.ContainsFunc(table.Columns, func(c casefile.Column) bool { return c.Name == name })
}

// isPersonal is true for a column that tells one customer from another.
func isPersonal(table *casefile.Table, column string) bool {
	return column == table.Email || column == table.Person || slices.Contains(table.KeyNames(), column)
}

// sharedCause is the cause that all entries have, said of all of them.
func sharedCause(entries []templates.MailEntry, say *speaker) string {
	for _, e := range entries {
		if e.Cause == "" || e.Class != entries[0].Class {
			return ""
		}
	}
	return say.cause(entries[0].Class, len(entries) > 1)
}

// sharedCleanup is what is true of the copies of all entries.
func sharedCleanup(entries []templates.MailEntry) string {
	for _, e := range entries {
		if e.Cleanup != entries[0].Cleanup {
			return ""
		}
	}
	return entries[0].Cleanup
}
