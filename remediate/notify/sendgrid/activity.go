package sendgrid

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
)

var _ notify.Activity = (*Client)(nil)

// Limits of the activity API, which is a paid add-on (SendGrid's reference of
// "Filter all messages").
const (
	// activityRequests are allowed in activityWindow.
	activityRequests = 6
	activityWindow   = time.Minute
	// maxMessages is how many mails to one address are looked at.
	maxMessages = 100
)

// listedMessage is one of the answer's messages.
type listedMessage struct {
	ID        string          `json:"msg_id"`
	To        string          `json:"to_email"`
	Subject   string          `json:"subject"`
	Status    string          `json:"status"`
	LastEvent json.RawMessage `json:"last_event_time"`
}

// Find looks for a mail of ours by the custom argument that it was sent with;
// nil where SendGrid's activity does not know it.
func (c *Client) Find(ctx context.Context, mail, to string) (*notify.Handled, error) {
	found, err := c.messages(ctx, fmt.Sprintf("(unique_args['%s']=%s)", argMail, quote(mail)), 10)
	if err != nil {
		return nil, err
	}
	for _, m := range found {
		if strings.EqualFold(m.To, to) {
			return &m, nil
		}
	}
	return nil, nil
}

// Mails lists the mails to an address of which anything was heard since then,
// all of them or those with just that subject.
func (c *Client) Mails(ctx context.Context, to, subject string, since time.Time) ([]notify.Handled, error) {
	query := fmt.Sprintf("to_email=%s AND last_event_time BETWEEN TIMESTAMP %s AND TIMESTAMP %s", quote(to), stamp(since), stamp(c.now().Add(time.Hour)))
	if subject != "" {
		query += " AND subject=" + quote(subject)
	}
	return c.messages(ctx, query, maxMessages)
}

func stamp(t time.Time) string { return `"` + t.UTC().Format("2006-01-02T15:04:05.000Z") + `"` }

// quote makes a value of the query language; control characters cannot stand in one.
func quote(value string) string {
	value = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, value)
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

func (c *Client) messages(ctx context.Context, query string, limit int) ([]notify.Handled, error) {
	a, err := c.askActivity(ctx, "/v3/messages?limit="+strconv.Itoa(limit)+"&query="+url.QueryEscape(query))
	if err != nil || a.status == http.StatusNotFound {
		return nil, err
	}
	var list struct {
		Messages []listedMessage `json:"messages"`
	}
	if err := json.Unmarshal([]byte(a.body), &list); err != nil {
		return nil, notActivity(err)
	}
	var handled []notify.Handled
	for _, m := range list.Messages {
		h := notify.Handled{ID: c.clean(m.ID), To: m.To, Subject: m.Subject, Status: c.clean(m.Status)}
		h.LastEvent, _ = eventTime(m.LastEvent) // not needed where it is missing
		handled = append(handled, h)
	}
	return handled, nil
}

func notActivity(err error) error {
	return &casefile.Problem{Code: casefile.CodeConnection, Message: "SendGrid answered a question about its activity with something else", Hint: "check SENDGRID_BASE_URL", Err: err}
}

// Begun is when SendGrid began with a mail that Mails listed.
func (c *Client) Begun(ctx context.Context, id string) (time.Time, error) {
	a, err := c.askActivity(ctx, "/v3/messages/"+url.PathEscape(id))
	if err != nil || a.status == http.StatusNotFound {
		return time.Time{}, err
	}
	var message struct {
		Events []struct {
			Name string          `json:"event_name"`
			At   json.RawMessage `json:"processed"`
		} `json:"events"`
	}
	if err := json.Unmarshal([]byte(a.body), &message); err != nil {
		return time.Time{}, notActivity(err)
	}
	var first time.Time
	for _, event := range message.Events {
		if at, ok := eventTime(event.At); ok && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first, nil
}

// eventTime reads a time as SendGrid's reference has it, in text, and as its
// OpenAPI document has it, in Unix seconds.
func eventTime(raw json.RawMessage) (time.Time, bool) {
	var seconds int64
	if json.Unmarshal(raw, &seconds) == nil {
		return time.Unix(seconds, 0).UTC(), seconds > 0
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, text)
	return at.UTC(), err == nil
}

// askActivity keeps to the rate that SendGrid allows before it asks.
func (c *Client) askActivity(ctx context.Context, path string) (answer, error) {
	if len(c.asked) == activityRequests {
		if wait := activityWindow - c.now().Sub(c.asked[0]); wait > 0 {
			if err := c.sleep(ctx, wait); err != nil {
				return answer{}, err
			}
		}
		c.asked = c.asked[1:]
	}
	c.asked = append(c.asked, c.now())
	a, err := c.ask(ctx, path, "what became of mails")
	if err == nil && a.status == http.StatusForbidden {
		err = &casefile.Problem{Code: casefile.CodePermission, Message: "the key may not read SendGrid's email activity: " + c.errorText(a.body), Hint: "the activity API is an add-on of the account and a right of the key; without it look in SendGrid's web page, then use `twinrow notify settle`"}
	}
	return a, err
}
