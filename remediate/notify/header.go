package notify

import (
	"mime"
	"net/mail"
	"strings"
)

// foldAt is the column that header lines are folded at where they can be, as
// RFC 5322 recommends.
const foldAt = 76

// headerLine returns "Name: value" with its line end, folded at spaces. The
// value must be encoded already; a line end in it becomes a space, so that no
// value can start another header.
func headerLine(name, value string) string {
	value = strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r == '\r' || r == '\n' }), " ")
	var b strings.Builder
	b.WriteString(name + ":")
	column := b.Len()
	for word := range strings.SplitSeq(value, " ") {
		if column+1+len(word) > foldAt && column > len(name)+1 && word != "" {
			b.WriteString("\r\n")
			column = 0
		}
		b.WriteString(" " + word)
		column += 1 + len(word)
	}
	b.WriteString("\r\n")
	return b.String()
}

// encodeText is an unstructured header value, in encoded words where it is not
// plain ASCII.
func encodeText(text string) string { return mime.QEncoding.Encode("utf-8", text) }

// encodeMailbox is an address with its display name, quoted or encoded.
func encodeMailbox(m Mailbox) string {
	return (&mail.Address{Name: m.Name, Address: m.Address}).String()
}
