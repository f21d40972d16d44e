package notify

import (
	"errors"

	"twinrow/detect/casefile"
)

// Status is what `notify status` shows.
type Status struct {
	Schema string       `json:"schema"`
	Mails  []MailStatus `json:"mails"`
	// Totals counts the mails by state; every state is there.
	Totals map[State]int `json:"totals"`
}

// MailStatus is one mail.
type MailStatus struct {
	To    string `json:"to"`
	State State  `json:"state"`
	// MessageID is the provider's, "" before a mail was accepted.
	MessageID string `json:"message_id"`
	// Groups counts the groups that the mail is about.
	Groups int `json:"groups"`
	// ID names the mail, File its draft ("" where the drafts are gone).
	ID   string `json:"id"`
	File string `json:"file"`
	// Reason says in words why a mail is not accepted, or how that is known; it may be empty.
	Reason string `json:"reason"`
	// At is when it came to that state, RFC 3339 in UTC; "" for a draft that was never touched.
	At string `json:"at"`
}

// LoadStatus reads how far the mails of the case in dir are. It changes
// nothing. A claim whose run is gone is shown as unknown, which it is.
func LoadStatus(dir string) (*Status, error) {
	account, busy, err := peek(dir)
	if err != nil {
		return nil, err
	}
	d, err := readIndex(dir)
	var problem *Problem
	if errors.As(err, &problem) && problem.Code == casefile.CodeNotFound && len(account.order) > 0 {
		d = &Drafts{} // the drafts were removed; what was sent still stands in the ledger
	} else if err != nil {
		return nil, err
	}
	s := &Status{Schema: StatusSchema, Mails: []MailStatus{}, Totals: map[State]int{}}
	for _, state := range States {
		s.Totals[state] = 0
	}
	listed := map[string]bool{}
	for _, m := range d.Mails {
		listed[m.ID] = true
		s.add(MailStatus{To: m.To, State: Drafted, Groups: len(m.Groups), ID: m.ID, File: m.File}, account.last[m.ID], busy)
	}
	for _, id := range account.order {
		if r := account.last[id]; !listed[id] {
			s.add(MailStatus{To: r.To, Groups: r.Groups, ID: id}, r, busy)
		}
	}
	return s, nil
}

func (s *Status) add(m MailStatus, r record, busy bool) {
	if r.State != "" {
		m.State, m.MessageID, m.Reason, m.At = r.State, r.MessageID, r.Reason, r.At
	}
	if m.State == Claimed && !busy {
		m.State, m.Reason = Unknown, "the run that was sending it ended before the answer came"
	}
	s.Mails = append(s.Mails, m)
	s.Totals[m.State]++
}
