package notify

import (
	"fmt"
	"strings"

	"twinrow/detect/casefile"
)

// Settle lets a person decide about a mail that nobody knows the fate of. mail
// is its id or its address; state is Accepted where it arrived, Failed where it
// did not, after which the next send tries again. A mail that was accepted
// stays so. The decision is recorded beside what was known before.
func Settle(opened *casefile.Opened, tool casefile.Tool, mail string, state State) error {
	if state != Accepted && state != Failed {
		return &Problem{Code: casefile.CodeUsage, Message: fmt.Sprintf("a mail cannot be settled as %q", state), Hint: "say accepted where it arrived, failed where it did not and may be sent again"}
	}
	book, err := openLedger(opened.Dir, opened.ID, opened.SHA256, tool)
	if err != nil {
		return err
	}
	defer book.Close()
	if err := book.closeClaims(); err != nil {
		return err
	}
	r, err := book.find(mail)
	if err != nil {
		return err
	}
	switch r.State {
	case Unknown, Failed:
	case Accepted:
		if state == Accepted {
			return nil
		}
		return &Problem{Code: casefile.CodeUnsupported, Message: "the provider accepted that mail, so it is never sent again", Hint: "write to the customer from a mail program instead"}
	default:
		return &Problem{Code: casefile.CodeUnsupported, Message: fmt.Sprintf("that mail is %s: there is nothing to settle", r.State), Hint: "see `twinrow notify status` for those that are unknown"}
	}
	return book.append(Mail{ID: r.Mail, To: r.To, Groups: make([]int, r.Groups)}, state, "", "settled by a person")
}

// find returns the last record of a mail by its id or address.
func (a *account) find(mail string) (record, error) {
	mail = strings.TrimSpace(mail)
	if r, ok := a.last[mail]; ok {
		return r, nil
	}
	if parsed, err := parseAddress(mail); err == nil {
		for _, r := range a.last {
			if strings.ToLower(r.To) == parsed.identity {
				return r, nil
			}
		}
	}
	return record{}, &Problem{Code: casefile.CodeNotFound, Message: "the ledger knows no such mail", Hint: "name an address or an id that `twinrow notify status` lists; a draft that was never sent needs no settling"}
}
