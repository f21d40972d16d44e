package notify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// parseEML reads a draft back. It takes only what appendEML writes: one
// recipient, one text and one HTML part.
func parseEML(raw []byte) (Message, error) {
	var m Message
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return m, err
	}
	for name, box := range map[string]*Mailbox{"From": &m.From, "Reply-To": &m.ReplyTo, "To": &m.To} {
		list, err := parsed.Header.AddressList(name)
		if err != nil || len(list) != 1 {
			return m, fmt.Errorf("the header %s is not one address", name)
		}
		*box = Mailbox{Name: list[0].Name, Address: list[0].Address}
	}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject")); err != nil {
		return m, err
	}
	kind, parameters, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return m, errors.New("the mail is not of two parts")
	}
	return m, m.parseParts(multipart.NewReader(parsed.Body, parameters["boundary"]))
}

func (m *Message) parseParts(parts *multipart.Reader) error {
	for _, want := range []struct {
		kind string
		into *string
	}{{"text/plain", &m.Text}, {"text/html", &m.HTML}} {
		part, err := parts.NextRawPart()
		if err != nil {
			return err
		}
		if kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type")); err != nil || kind != want.kind {
			return errors.New("the parts are not a text and an HTML one")
		}
		content, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return err
		}
		*want.into = strings.ReplaceAll(string(content), "\r\n", "\n")
	}
	if _, err := parts.NextRawPart(); !errors.Is(err, io.EOF) {
		return errors.New("the mail has more than two parts")
	}
	return nil
}

// ReadMessage reads a mail of two parts as a draft is read; its ids are left empty.
func ReadMessage(raw []byte) (Message, error) { return parseEML(raw) }
