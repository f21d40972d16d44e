package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"twinrow/detect/casefile"
)

// ConfirmedSchema is of confirmed.json.
const ConfirmedSchema = "twinrow/confirmed/v1"

// ConfirmedName is the document of a case that says which customers were really
// sent two mails, by the provider's own record. It is no evidence of the scan.
const ConfirmedName = "confirmed.json"

// Verdict says what the provider's record shows for one customer.
type Verdict string

// The verdicts.
const (
	// SentTwice is for two or more mails with one subject within the window.
	SentTwice Verdict = "twice"
	// NotTwice is for a record that is there and shows no two such mails.
	NotTwice Verdict = "not-twice"
	// NotKnown is where the record does not reach, or was not asked.
	NotKnown Verdict = "unknown"
)

// Original is confirmed.json.
type Original struct {
	Schema string        `json:"schema"`
	Tool   casefile.Tool `json:"tool"`
	// Case is the case's id, CaseSHA256 the digest of case.json.
	Case       string `json:"case"`
	CaseSHA256 string `json:"case_sha256"`
	// Provider is whose record was asked, as "sendgrid".
	Provider string `json:"provider"`
	// Subject narrowed the mails; "" where all were looked at.
	Subject   string             `json:"subject"`
	Customers []OriginalCustomer `json:"customers"`
	Totals    map[Verdict]int    `json:"totals"`
}

// OriginalCustomer is one customer of the case.
type OriginalCustomer struct {
	To     string `json:"to"`
	Groups []int  `json:"groups"`
	// From and Until are the window that was looked at, RFC 3339 in UTC; "" where
	// the rows have no times.
	From  string `json:"from"`
	Until string `json:"until"`
	// AskedAt is RFC 3339 in UTC; "" where the provider was not asked.
	AskedAt string  `json:"asked_at"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"`
	// Messages are those with one subject within the window, in order of time.
	Messages []OriginalMessage `json:"messages"`
}

// OriginalMessage is one mail that the provider sent to the customer.
type OriginalMessage struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
	Status  string `json:"status"`
	// At is when the provider began with it, RFC 3339 in UTC.
	At string `json:"at"`
}

// The window around the rows of a customer: clocks differ, and a mail may wait.
const (
	beforeRows = 5 * time.Minute
	afterRows  = time.Hour
	// recordKept is how far a record reaches at most (SendGrid: 30 days).
	recordKept = 30 * 24 * time.Hour
)

// OriginalOptions say what to ask.
type OriginalOptions struct {
	Tool casefile.Tool
	// Provider names the Activity.
	Provider string
	// Subject is that of the doubled mails, "" for any.
	Subject string
	// Limit is how many customers to ask about in this run; 0 means all.
	Limit int
	// Now is the time of the call where it is zero.
	Now time.Time
	// Each is called after every customer; it may be nil.
	Each func(OriginalCustomer)
}

// ConfirmOriginal asks the provider's record whether the customers of the case
// were really sent two mails, and writes the answer into the case. Customers
// whose answer stands there already are not asked about again. Where it stops
// part-way, what is known so far is written.
func ConfirmOriginal(ctx context.Context, opened *casefile.Opened, groups []*casefile.Group, provider Activity, options OriginalOptions) (*Original, error) {
	if !namesAddresses(opened) {
		return nil, &Problem{Code: casefile.CodeUsage, Message: "the case names no column of mail addresses, so nobody can be asked about", Hint: "scan again with --email COLUMN"}
	}
	if options.Now.IsZero() {
		options.Now = time.Now()
	}
	doc := &Original{Schema: ConfirmedSchema, Tool: options.Tool, Case: opened.ID, CaseSHA256: opened.SHA256, Provider: options.Provider, Subject: options.Subject, Customers: []OriginalCustomer{}}
	known, err := doc.known(opened.Dir)
	if err != nil {
		return nil, err
	}
	own, _, err := peek(opened.Dir)
	if err != nil {
		return nil, err
	}
	o := &originals{provider: provider, options: &options, own: own}
	asked := 0
	for _, customer := range concerned(opened, groups) {
		before, isKnown := known[customer.To]
		switch {
		case isKnown && before.Verdict != NotKnown && slices.Equal(before.Groups, customer.Groups):
			customer = before
		case err == nil && (options.Limit == 0 || asked < options.Limit):
			asked++
			if err = o.ask(ctx, &customer); err == nil && options.Each != nil {
				options.Each(customer)
			}
		}
		doc.Customers = append(doc.Customers, customer)
	}
	doc.count()
	if writeErr := casefile.WriteJSON(filepath.Join(opened.Dir, ConfirmedName), doc); writeErr != nil {
		return nil, errors.Join(writeErr, err)
	}
	if err != nil && asked > 1 {
		err = &Problem{Code: casefile.CodeStopped, Message: "stopped after " + casefile.Count(asked-1, "customer"), Hint: "run `twinrow notify confirm --original` again: it goes on with the others", Err: err}
	}
	return doc, err
}

// known are the customers of the document that is there already, by address.
func (doc *Original) known(dir string) (map[string]OriginalCustomer, error) {
	raw, err := os.ReadFile(filepath.Join(dir, ConfirmedName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, &Problem{Code: casefile.CodePermission, Message: "reading " + ConfirmedName, Hint: "a case belongs to the user who scanned; run as that user", Err: err}
	}
	if err := casefile.CheckSchema(ConfirmedName, raw, ConfirmedSchema); err != nil {
		return nil, err
	}
	var before Original
	if err := json.Unmarshal(raw, &before); err != nil {
		return nil, &Problem{Code: casefile.CodeTampered, Message: ConfirmedName + " is not the JSON that twinrow wrote", Hint: "remove it and ask again", Err: err}
	}
	known := map[string]OriginalCustomer{}
	if before.CaseSHA256 == doc.CaseSHA256 && before.Subject == doc.Subject && before.Provider == doc.Provider {
		for _, c := range before.Customers {
			known[c.To] = c
		}
	}
	return known, nil
}

func (doc *Original) count() {
	doc.Totals = map[Verdict]int{SentTwice: 0, NotTwice: 0, NotKnown: 0}
	for _, c := range doc.Customers {
		doc.Totals[c.Verdict]++
	}
}

// concerned lists the customers of a case with their windows, whatever a plan
// says of their groups.
func concerned(opened *casefile.Opened, groups []*casefile.Group) []OriginalCustomer {
	var customers []OriginalCustomer
	at := map[string]int{}
	for _, group := range groups {
		table := opened.TableNamed(group.Table)
		if table == nil {
			continue
		}
		to, reason, _ := recipient(table, group)
		if reason != "" {
			continue
		}
		i, seen := at[to.identity]
		if !seen {
			i = len(customers)
			at[to.identity] = i
			customers = append(customers, OriginalCustomer{To: to.deliver, Groups: []int{}, Verdict: NotKnown, Reason: "not asked yet", Messages: []OriginalMessage{}})
		}
		customers[i].Groups = append(customers[i].Groups, group.Number)
		customers[i].widen(group)
	}
	return customers
}

// widen takes the times of a group's rows into the window.
func (c *OriginalCustomer) widen(group *casefile.Group) {
	for i := range group.Rows {
		at, ok := parseTime(group.Rows[i].Time)
		if !ok {
			continue
		}
		if from := at.Add(-beforeRows).UTC().Format(time.RFC3339); c.From == "" || from < c.From {
			c.From = from
		}
		if until := at.Add(afterRows).UTC().Format(time.RFC3339); until > c.Until {
			c.Until = until
		}
	}
}

// originals asks about one customer after another.
type originals struct {
	provider Activity
	options  *OriginalOptions
	// own is the ledger: mails of ours are no part of the incident.
	own *account
}

func (o *originals) ask(ctx context.Context, c *OriginalCustomer) error {
	from, timed := parseTime(&c.From)
	until, _ := parseTime(&c.Until)
	if !timed {
		c.Reason = "its rows have no times, so there is no window to look at"
		return nil
	}
	if o.options.Now.Sub(until) > recordKept {
		c.Reason = "the provider's record does not reach back that far"
		return nil
	}
	listed, err := o.provider.Mails(ctx, c.To, o.options.Subject, from)
	if err != nil {
		return err
	}
	found, err := o.within(ctx, o.candidates(listed), from, until)
	if err != nil {
		return err
	}
	c.AskedAt = o.options.Now.UTC().Format(time.RFC3339)
	c.judge(found, o.options.Now.Sub(from) > recordKept)
	return nil
}

// candidates are the mails that share their subject with another, reached the
// customer as far as is known, and are not ours.
func (o *originals) candidates(listed []Handled) []Handled {
	subjects := map[string]int{}
	listed = slices.DeleteFunc(listed, func(h Handled) bool { return h.Status == notDelivered || o.isOurs(h) })
	for _, h := range listed {
		subjects[h.Subject]++
	}
	return slices.DeleteFunc(listed, func(h Handled) bool { return subjects[h.Subject] < 2 })
}

// notDelivered is the status of a mail that never came to its customer.
const notDelivered = "not_delivered"

// isOurs is true for a mail that this case sent: the provider's id of it begins
// with the one that it answered with.
func (o *originals) isOurs(h Handled) bool {
	for _, r := range o.own.last {
		if r.MessageID != "" && strings.HasPrefix(h.ID, r.MessageID) {
			return true
		}
	}
	return false
}

// within keeps the mails that the provider began with in the window.
func (o *originals) within(ctx context.Context, mails []Handled, from, until time.Time) ([]OriginalMessage, error) {
	var found []OriginalMessage
	for _, h := range mails {
		begun, err := o.provider.Begun(ctx, h.ID)
		if err != nil {
			return nil, err
		}
		if begun.Before(from) || begun.After(until) {
			continue
		}
		found = append(found, OriginalMessage{ID: h.ID, Subject: h.Subject, Status: h.Status, At: begun.UTC().Format(time.RFC3339)})
	}
	slices.SortFunc(found, func(a, b OriginalMessage) int { return strings.Compare(a.At+a.ID, b.At+b.ID) })
	return found, nil
}

// judge decides by the subject that came most often. tooOld is true where the
// record may not reach the beginning of the window.
func (c *OriginalCustomer) judge(found []OriginalMessage, tooOld bool) {
	most, count := "", map[string]int{}
	for _, m := range found {
		if count[m.Subject]++; count[m.Subject] > count[most] {
			most = m.Subject
		}
	}
	c.Messages = []OriginalMessage{}
	switch {
	case count[most] >= 2:
		c.Verdict, c.Reason = SentTwice, fmt.Sprintf("%d mails with one subject within the window", count[most])
		c.Messages = slices.DeleteFunc(found, func(m OriginalMessage) bool { return m.Subject != most })
	case tooOld:
		c.Verdict, c.Reason = NotKnown, "the provider's record does not reach back to the first row"
	default:
		c.Verdict, c.Reason = NotTwice, "no two mails with one subject within the window"
	}
}
