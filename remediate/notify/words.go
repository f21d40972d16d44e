package notify

import (
	"strings"
	"unicode"
)

// defaultNoun is the word for a row where nothing better is known.
const defaultNoun = "entry"

// nouns are the words for one row of a table and for several.
type nouns struct{ one, many string }

// tableNouns makes them from a table's name: "public.tickets" holds tickets,
// each a ticket. A file's name need not name its rows ("dup.csv"), so where it
// is no plural the word comes from a key column such as ticket_number.
func tableNouns(table string, isFile bool, keyNames []string) nouns {
	if isFile {
		table = withoutExtensions(table)
	}
	words := splitWords(lastPart(table))
	for len(words) > 1 && (words[0] == "tbl" || words[0] == "t") {
		words = words[1:]
	}
	if len(words) > 0 {
		last := len(words) - 1
		one := singular(words[last])
		plural := one != words[last]
		if plural || !isFile {
			single := join(words[:last], one)
			if plural {
				return nouns{single, strings.Join(words, " ")}
			}
			return nounsOf(single)
		}
	}
	for _, name := range keyNames {
		words := splitWords(name)
		if n := len(words); n > 1 && counts(words[n-1]) {
			return nounsOf(strings.Join(words[:n-1], " "))
		}
	}
	return nounsOf(defaultNoun)
}

// nounsOf makes the plural of a word that a person gave.
func nounsOf(one string) nouns {
	one = strings.Join(splitWords(one), " ")
	if one == "" {
		one = defaultNoun
	}
	return nouns{one, plural(one)}
}

func join(words []string, last string) string {
	return strings.Join(append(append([]string{}, words...), last), " ")
}

// lastPart is the name without its schema and quotes.
func lastPart(table string) string {
	if n := len(table); n > 1 && table[n-1] == '"' {
		if open := strings.LastIndexByte(table[:n-1], '"'); open >= 0 {
			return table[open+1 : n-1]
		}
	}
	return table[strings.LastIndexByte(table, '.')+1:]
}

// splitWords takes a name apart at everything that is neither letter nor
// digit, and where a small letter meets a capital one; all in lower case.
func splitWords(name string) []string {
	var b strings.Builder
	var before rune
	for _, r := range cleanLine(name, maxName) {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
			r = ' '
		case unicode.IsUpper(r) && unicode.IsLower(before):
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	return strings.Fields(b.String())
}

// counts is true for the last word of a column that numbers things, as
// ticket_number does tickets.
func counts(word string) bool {
	switch word {
	case "number", "no", "nr", "num":
		return true
	}
	return false
}

// identifies is true for the last word of a column that names a thing.
func identifies(word string) bool {
	return counts(word) || word == "id" || word == "uuid" || word == "ref"
}

// withoutExtensions takes what says the format off a file's name.
func withoutExtensions(file string) string {
	for {
		dot := strings.LastIndexByte(file, '.')
		if dot < 1 {
			return file
		}
		switch strings.ToLower(file[dot+1:]) {
		case "csv", "tsv", "jsonl", "ndjson", "json", "gz", "zst":
			file = file[:dot]
		default:
			return file
		}
	}
}

// columnLabel is what a customer may read instead of a column's name:
// "payment_intent_id" is a payment intent, "id" an ID.
func columnLabel(column string) string {
	words := splitWords(column)
	n := len(words)
	if n > 1 && identifies(words[n-1]) {
		return strings.Join(words[:n-1], " ")
	}
	for i, word := range words {
		if word == "id" || word == "uuid" {
			words[i] = strings.ToUpper(word)
		}
	}
	return strings.Join(words, " ")
}

// capital makes the first letter a capital one.
func capital(text string) string {
	for i, r := range text {
		return string(unicode.ToUpper(r)) + text[i+len(string(r)):]
	}
	return text
}
