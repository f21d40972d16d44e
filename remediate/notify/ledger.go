package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"twinrow/detect/casefile"
)

// record is one line of ledger.jsonl: a state that a mail came to.
type record struct {
	// At is RFC 3339 in UTC.
	At     string `json:"at"`
	Mail   string `json:"mail"`
	To     string `json:"to"`
	Groups int    `json:"groups"`
	State  State  `json:"state"`
	// MessageID is the provider's name for an accepted mail.
	MessageID string `json:"message_id,omitempty"`
	Reason    string `json:"reason,omitempty"`
	// Draft is the digest of the draft that was claimed.
	Draft string `json:"draft,omitempty"`
	// Via names the carrier.
	Via string `json:"via,omitempty"`
}

// head is the first line.
type head struct {
	Schema     string        `json:"schema"`
	Tool       casefile.Tool `json:"tool"`
	Case       string        `json:"case"`
	CaseSHA256 string        `json:"case_sha256"`
}

// ledger is the open ledger of a case, locked against every other run.
type ledger struct {
	file *os.File
	*account
	// via is the carrier of the run, "" where none is at work.
	via string
	// broken is the first error of a write: what is in the file after it is
	// not known, so nothing more is written.
	broken error
	now    func() time.Time
}

// openLedger locks and reads the ledger, making it where there is none. A torn
// last line is cut off: its writer was gone before it could act on it.
func openLedger(dir, caseID, caseSHA256 string, tool casefile.Tool) (*ledger, error) {
	file, err := os.OpenFile(filepath.Join(dir, LedgerName), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, diskProblem("opening the ledger", err)
	}
	l := &ledger{file: file, now: time.Now}
	if err := l.load(dir, head{Schema: LedgerSchema, Tool: tool, Case: caseID, CaseSHA256: caseSHA256}); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

func (l *ledger) load(dir string, want head) error {
	if err := lock(l.file); err != nil {
		return err
	}
	raw, err := io.ReadAll(l.file)
	if err != nil {
		return diskProblem("reading the ledger", err)
	}
	var whole int64
	if l.account, whole, err = readAccount(raw); err != nil {
		return err
	}
	if whole < int64(len(raw)) {
		if err := l.file.Truncate(whole); err != nil {
			return diskProblem("cutting off the torn end of the ledger", err)
		}
	}
	if l.head == nil {
		l.head = &want
		if err := l.write(want); err != nil {
			return err
		}
		return diskProblem("making the ledger durable", syncDirectory(dir))
	}
	if l.head.Case != want.Case {
		return &Problem{Code: casefile.CodeTampered, Message: "the ledger is of another case", Hint: "put the ledger back where it belongs; it says who was written to"}
	}
	return nil
}

// lock takes the ledger for this run alone. It waits a moment, since a look at
// the status holds the ledger too, for as long as it reads.
func lock(file *os.File) error {
	for try := 0; ; try++ {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EINTR):
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return fmt.Errorf("locking the ledger: %w", err)
		case try == 10:
			return &Problem{Code: casefile.CodeBusy, Message: "another run is working on the mails of this case", Hint: "wait until it is done, then look at `twinrow notify status`"}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Close unlocks the ledger.
func (l *ledger) Close() error { return l.file.Close() }

// append makes a record durable; only then may anything be done about it.
func (l *ledger) append(m Mail, state State, messageID, reason string) error {
	r := record{At: l.now().UTC().Format(time.RFC3339Nano), Mail: m.ID, To: m.To, Groups: len(m.Groups), State: state, MessageID: messageID, Reason: reason, Via: l.via}
	if l.via == "" {
		r.Via = l.last[m.ID].Via
	}
	if state == Claimed {
		r.Draft = m.SHA256
	}
	if err := l.write(r); err != nil {
		return err
	}
	l.take(r)
	return nil
}

func (l *ledger) write(line any) error {
	if l.broken != nil {
		return l.broken
	}
	raw, err := json.Marshal(line)
	if err == nil {
		if _, err = l.file.Write(append(raw, '\n')); err == nil {
			err = l.file.Sync()
		}
	}
	if err != nil {
		l.broken = diskProblem("writing the ledger", err)
	}
	return l.broken
}

// account is what the lines of a ledger add up to.
type account struct {
	head *head
	// order holds the ids of mails in the order they first came up.
	order []string
	last  map[string]record
}

func (a *account) take(r record) {
	if _, known := a.last[r.Mail]; !known {
		a.order = append(a.order, r.Mail)
	}
	a.last[r.Mail] = r
}

// readAccount reads a ledger. whole is the length up to the end of the last
// whole line: what follows has no line end, so its writing never finished. A
// line that is whole and cannot be read was changed by somebody: the ledger
// could no longer tell who was written to, and is refused.
func readAccount(raw []byte) (a *account, whole int64, err error) {
	a = &account{last: map[string]record{}}
	whole = int64(bytes.LastIndexByte(raw, '\n') + 1)
	number := 0
	for line := range bytes.SplitSeq(bytes.TrimSuffix(raw[:whole], []byte("\n")), []byte("\n")) {
		if whole == 0 {
			break
		}
		number++
		if number == 1 {
			if err := casefile.CheckSchema(LedgerName, line, LedgerSchema); err != nil {
				return nil, 0, err
			}
			a.head = &head{}
			err = json.Unmarshal(line, a.head)
		} else {
			err = a.takeLine(line)
		}
		if err != nil {
			return nil, 0, &Problem{Code: casefile.CodeTampered, Message: fmt.Sprintf("line %d of the ledger is not what twinrow wrote", number), Hint: "restore " + LedgerName + " from a copy: without it nobody knows who was written to", Err: err}
		}
	}
	return a, whole, nil
}

func (a *account) takeLine(line []byte) error {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return err
	}
	if r.Mail == "" || r.To == "" {
		return errors.New("it names no mail")
	}
	if slices.Contains(States, r.State) {
		a.take(r)
		return nil
	}
	return errors.New("its state is not known")
}

// peek reads the ledger without changing it. busy is true where a run holds
// its lock at this moment. A ledger that is not there is empty.
func peek(dir string) (a *account, busy bool, err error) {
	file, err := os.Open(filepath.Join(dir, LedgerName))
	if errors.Is(err, fs.ErrNotExist) {
		return &account{last: map[string]record{}}, false, nil
	} else if err != nil {
		return nil, false, &Problem{Code: casefile.CodePermission, Message: "reading the ledger", Hint: "a case belongs to the user who scanned; run as that user", Err: err}
	}
	defer file.Close()
	// Looked at before the lines are read: the claims of a run that ends in
	// between have their results by then.
	busy = errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
	raw, err := io.ReadAll(file)
	if err != nil {
		return nil, false, fmt.Errorf("reading the ledger: %w", err)
	}
	a, _, err = readAccount(raw)
	return a, busy, err
}
