package notify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"twinrow/detect/casefile"
)

// AlsoCase is another case whose customers are not written to again.
type AlsoCase struct {
	// Case is its id, Dir its directory as an absolute path.
	Case string `json:"case"`
	Dir  string `json:"dir"`
}

// mayBeOut is true for a mail that was taken, or may have been.
func mayBeOut(state State) bool { return state == Claimed || state == Accepted || state == Unknown }

// openAlso finds the cases that --also names.
func openAlso(self string, dirs []string) ([]AlsoCase, error) {
	also := []AlsoCase{}
	for _, dir := range dirs {
		other, err := casefile.Open(dir)
		if err != nil {
			return nil, err
		}
		full, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		if other.ID != self && !slices.ContainsFunc(also, func(a AlsoCase) bool { return a.Case == other.ID }) {
			also = append(also, AlsoCase{other.ID, full})
		}
	}
	return also, nil
}

// writtenElsewhere says of each address that got a mail, or may have, in one of
// the other cases, in which and when. Its keys are addresses in lower case.
func writtenElsewhere(also []AlsoCase) (map[string]string, error) {
	written := map[string]string{}
	for _, other := range also {
		if _, err := os.Stat(filepath.Join(other.Dir, casefile.CaseName)); err != nil {
			return nil, &Problem{Code: casefile.CodeNotFound, Message: "the case of --also is not where it was, so nobody knows who was written to there", Hint: "put it back, or draft again without --also", Err: err}
		}
		account, _, err := peek(other.Dir)
		if err != nil {
			return nil, err
		}
		for _, id := range account.order {
			if r := account.last[id]; mayBeOut(r.State) {
				written[strings.ToLower(r.To)] = fmt.Sprintf("already written to in case %s on %s", other.Case, day(r.At))
			}
		}
	}
	return written, nil
}

// day is the date of a time of the ledger.
func day(at string) string { return at[:min(len(at), len("2006-01-02"))] }

// keepWritten takes the mails of the former drafts that are out, or may be:
// they stay as they are, whatever is drafted now.
func (d *Drafts) keepWritten(dir string, a *account) error {
	former, err := readIndex(dir)
	var problem *Problem
	if errors.As(err, &problem) && problem.Code == casefile.CodeNotFound {
		return nil
	} else if err != nil {
		return err
	}
	if former.Case != d.Case {
		return nil
	}
	for _, m := range former.Mails {
		if mayBeOut(a.last[m.ID].State) {
			d.Mails = append(d.Mails, m)
		}
	}
	return nil
}

// dropWritten takes out the customers who got a mail, or may have. What such a
// mail did not tell is listed: a person may want to add it by hand.
func (d *Drafts) dropWritten(found *collector, a *account, elsewhere map[string]string) {
	told := map[int]bool{}
	for _, m := range d.Mails {
		for _, group := range m.Groups {
			told[group] = true
		}
	}
	found.customers = slices.DeleteFunc(found.customers, func(c *customer) bool {
		detail := elsewhere[c.address.identity]
		if r := a.last[mailID(d.Case, c.address)]; mayBeOut(r.State) {
			detail = "already written to in this case on " + day(r.At)
		}
		if detail == "" {
			return false
		}
		for _, e := range c.entries {
			if !told[e.group.Number] {
				d.skip(c, e, AlreadyWritten, detail)
			}
		}
		return true
	})
}

// skip lists an entry of a customer who is not written to.
func (d *Drafts) skip(c *customer, e entry, reason SkipReason, detail string) {
	d.Skipped = append(d.Skipped, Skip{Group: e.group.Number, Table: e.table.Name, Reason: reason, Detail: detail, Address: c.address.deliver, Name: c.name})
}
