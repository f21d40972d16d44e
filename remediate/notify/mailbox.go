package notify

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// mailbox writes mails into one file, as mail programs import it (mboxrd).
type mailbox struct {
	file *os.File
	out  *bufio.Writer
	// envelope is the line before each mail.
	envelope string
}

func newMailbox(dir, sender string, at time.Time) (*mailbox, error) {
	file, err := os.OpenFile(filepath.Join(dir, MailboxName), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &mailbox{file: file, out: bufio.NewWriterSize(file, 1<<16), envelope: "From " + sender + " " + at.UTC().Format(time.ANSIC) + "\n"}, nil
}

// add writes one mail, its lines ending with "\n" as in such a file, and quotes
// those that look like the start of another mail.
func (m *mailbox) add(raw []byte) error {
	_, err := m.out.WriteString(m.envelope)
	for line := range bytes.SplitSeq(bytes.TrimSuffix(raw, []byte("\r\n")), []byte("\r\n")) {
		if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
			_, errQuote := m.out.WriteString(">")
			err = errors.Join(err, errQuote)
		}
		_, errLine := m.out.Write(line)
		err = errors.Join(err, errLine, m.out.WriteByte('\n'))
	}
	return errors.Join(err, m.out.WriteByte('\n'))
}

func (m *mailbox) close() error {
	return errors.Join(m.out.Flush(), m.file.Close())
}

// abort closes the file where close did not; then it does nothing.
func (m *mailbox) abort() { _ = m.file.Close() }
