package notify

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/templates"
)

// compose makes what the mail to a customer says, from their entries alone.
func compose(engine string, c *customer, answerTo Mailbox, sender, noun string) templates.Mail {
	fields := templates.Mail{Name: c.name, AnswerTo: answerTo.Address, Sender: sender}
	words := map[nouns]bool{}
	for _, e := range c.entries {
		word := wordFor(engine, e.table, noun)
		words[word] = true
		fields.Noun, fields.Nouns = word.one, word.many
		fields.Entries = append(fields.Entries, composeEntry(e, word))
	}
	if len(words) > 1 {
		mixed := nounsOf(defaultNoun)
		fields.Noun, fields.Nouns = mixed.one, mixed.many
	}
	return fields
}

func wordFor(engine string, table *casefile.Table, noun string) nouns {
	if noun != "" {
		return nounsOf(noun)
	}
	return tableNouns(table.Table, engine == "csv", table.KeyNames())
}

func composeEntry(e entry, word nouns) templates.MailEntry {
	composed := templates.MailEntry{
		Title:      entryTitle(e.group.Key, e.table.Key, word.one),
		Use:        templates.MailCopy{Label: copyLabel(e, e.keep)},
		UseIsFirst: e.keep == &e.group.Rows[0] && e.keep.Time != nil,
	}
	useTime, timed := parseTime(e.keep.Time)
	if timed {
		composed.Use.When = "made on " + whenMade(useTime)
	}
	for _, row := range e.drop {
		copied := templates.MailCopy{Label: copyLabel(e, row)}
		if t, ok := parseTime(row.Time); ok && timed {
			copied.When = whenCopied(useTime, t)
		} else if ok {
			copied.When = "made on " + whenMade(t)
		}
		composed.Disregard = append(composed.Disregard, copied)
	}
	return composed
}

// entryTitle names the entry by its key: the part that numbers the thing
// itself stands beside its word, the others in brackets. Expressions and NULLs
// mean nothing to a customer and are left out.
func entryTitle(key casefile.Fields, parts []casefile.KeyPart, noun string) string {
	title := capital(noun)
	var others []string
	for i, field := range key {
		if field.Value == nil || (i < len(parts) && parts[i].Expression) {
			continue
		}
		shown := cleanLine(*field.Value, maxValue)
		label := columnLabel(field.Name)
		switch {
		case shown == "":
		case label == noun && title == capital(noun):
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

// copyLabel tells a row from the other copies: by its id where that is made of
// columns, else by its place in time.
func copyLabel(e entry, row *casefile.Row) string {
	var ids []string
	for _, field := range row.ID {
		if field.Value != nil && hasColumn(e.table, field.Name) {
			ids = append(ids, columnLabel(field.Name)+" "+cleanLine(*field.Value, maxValue))
		}
	}
	if len(ids) > 0 && len(ids) == len(row.ID) {
		ids[0] = capital(ids[0])
		return strings.Join(ids, ", ")
	}
	place := slices.IndexFunc(e.group.Rows, func(r casefile.Row) bool { return rowKey(r.ID) == rowKey(row.ID) })
	words := []string{"the first one", "the second one", "the third one"}
	if row.Time == nil {
		if row == e.keep {
			return "the original"
		}
		return "the copy"
	}
	if place < len(words) {
		return words[place]
	}
	return fmt.Sprintf("number %d", place+1)
}

func hasColumn(table *casefile.Table, name string) bool {
	return slices.ContainsFunc(table.Columns, func(c casefile.Column) bool { return c.Name == name })
}
