package notify

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"

	"twinrow/detect/casefile"
	"twinrow/templates"
)

// maxRendered is how many drafts the preview shows with their HTML part: a page
// with thousands of frames opens in no browser, and their texts say the same.
const maxRendered = 200

// preview writes the page that shows all drafts, each as it comes, so that ten
// thousand of them need no memory.
type preview struct {
	file   *os.File
	out    *bufio.Writer
	writer *draftWriter
	shown  int
}

func newPreview(dir string, w *draftWriter) (*preview, error) {
	file, err := os.OpenFile(filepath.Join(dir, PreviewName), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &preview{file: file, out: bufio.NewWriterSize(file, 1<<16), writer: w}
	count := len(w.found.customers)
	page := templates.MailPreview{Case: w.opened.ID, From: encodeMailbox(w.drafts.From), ReplyTo: encodeMailbox(w.drafts.ReplyTo), Count: count, Rendered: min(count, maxRendered), Redacted: w.options.Redact}
	if err := page.Begin(p.out); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return p, nil
}

// add shows one draft, masked where that was asked for.
func (p *preview) add(c *customer, m Mail, message Message) error {
	if p.writer.options.Redact {
		masked, err := p.writer.redacted(c, p.shown < maxRendered)
		if err != nil {
			return err
		}
		message = masked
	}
	if p.shown++; p.shown == 1 {
		p.writer.drafts.Sample = &message
	}
	item := templates.MailPreviewItem{To: message.To.Address, Name: message.To.Name, File: m.File, Groups: numbers(m.Groups), Language: m.Language,
		Subject: message.Subject, Text: message.Text, Open: p.shown == 1}
	if p.shown <= maxRendered {
		item.HTML = message.HTML
	}
	return item.Write(p.out)
}

// redacted is the mail to a customer with names, addresses, keys and amounts
// masked; whole says whether its HTML part is needed.
func (w *draftWriter) redacted(c *customer, whole bool) (Message, error) {
	masked := *w.composer
	masked.mask = newMask(&w.opened.Case, w.opened.SHA256)
	fields, err := masked.compose(c)
	if err != nil {
		return Message{}, templateProblem(err)
	}
	m := Message{From: w.drafts.From, ReplyTo: w.drafts.ReplyTo, To: Mailbox{Name: masked.show(c.name), Address: masked.show(c.address.deliver)}}
	if whole {
		m.Subject, m.Text, m.HTML, err = masked.mails.Fill(fields)
	} else {
		m.Subject, m.Text, err = masked.mails.FillText(fields)
	}
	if err != nil {
		return Message{}, templateProblem(err)
	}
	m.Subject = cleanLine(m.Subject, maxSubject)
	return m, nil
}

// newMask hides values as the redacted report does: a value has the same mask
// everywhere in one case and another in any other.
func newMask(c *casefile.Case, caseSHA256 string) func(string) string {
	key := []byte(c.ID + "\x00" + caseSHA256)
	return func(value string) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(value))
		return "masked:" + hex.EncodeToString(mac.Sum(nil)[:6])
	}
}

func (p *preview) close() error {
	return errors.Join(templates.EndMailPreview(p.out), p.out.Flush(), p.file.Close())
}

// abort closes the file where close did not; then it does nothing.
func (p *preview) abort() { _ = p.file.Close() }
