package notify

import (
	"bytes"
	"io"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"strings"
	"time"

	"twinrow/templates"
)

// draftMessage makes the message to a customer from what it is to say.
func draftMessage(mails *templates.Mails, caseID, mailID string, from, replyTo, to Mailbox, fields templates.Mail) (Message, error) {
	m := Message{Case: caseID, Mail: mailID, From: from, ReplyTo: replyTo, To: to}
	var err error
	m.Subject, m.Text, m.HTML, err = mails.Fill(fields)
	m.Subject = cleanLine(m.Subject, maxSubject)
	return m, err
}

// appendEML writes the message as RFC 5322 with X-Unsent, by which mail
// programs open it as a draft. The same message and time give the same bytes.
func appendEML(b *bytes.Buffer, m Message, at time.Time) error {
	// "=_" can never stand in quoted-printable, so no text can hold the boundary.
	boundary := "=_" + m.Mail + "_" + m.Case
	domain := m.From.Address[strings.LastIndexByte(m.From.Address, '@')+1:]
	for _, header := range [][2]string{
		{"X-Unsent", "1"},
		{"Date", at.Format("Mon, 02 Jan 2006 15:04:05 -0700")},
		{"Message-ID", "<" + m.Mail + "." + m.Case + "@" + domain + ">"},
		{"From", encodeMailbox(m.From)},
		{"Reply-To", encodeMailbox(m.ReplyTo)},
		{"To", encodeMailbox(m.To)},
		{"Subject", encodeText(m.Subject)},
		{"MIME-Version", "1.0"},
		{"Content-Type", `multipart/alternative; boundary="` + boundary + `"`},
	} {
		b.WriteString(headerLine(header[0], header[1]))
	}
	b.WriteString("\r\n")
	parts := multipart.NewWriter(b)
	if err := parts.SetBoundary(boundary); err != nil {
		return err
	}
	for _, part := range [][2]string{{"text/plain", m.Text}, {"text/html", m.HTML}} {
		if err := addPart(parts, part[0], part[1]); err != nil {
			return err
		}
	}
	return parts.Close()
}

func addPart(parts *multipart.Writer, contentType, content string) error {
	header := textproto.MIMEHeader{}
	header.Set("Content-Type", contentType+"; charset=utf-8")
	header.Set("Content-Transfer-Encoding", "quoted-printable")
	part, err := parts.CreatePart(header)
	if err != nil {
		return err
	}
	encoder := quotedprintable.NewWriter(part)
	if _, err := io.WriteString(encoder, content); err != nil {
		return err
	}
	return encoder.Close()
}
