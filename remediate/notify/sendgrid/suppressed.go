package sendgrid

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/sendgrid/rest"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
)

// lists are SendGrid's lists of addresses that its own delivery leaves out,
// each asked for one address. The first answers with an object that is empty
// where the address is not on it, the others with an array.
var lists = []struct{ path, reason string }{
	{"/v3/asm/suppressions/global/", "unsubscribed from all mail"},
	{"/v3/suppression/bounces/", "mail to it bounced"},
	{"/v3/suppression/blocks/", "its mail server blocked mail"},
	{"/v3/suppression/spam_reports/", "reported mail as spam"},
}

// maxLookups is how often one lookup is tried.
const maxLookups = 4

// Suppressed asks SendGrid's lists about one address.
func (c *Client) Suppressed(ctx context.Context, address string) (string, error) {
	for _, list := range lists {
		listed, err := c.listed(ctx, list.path+url.PathEscape(address))
		if err != nil {
			return "", err
		}
		if listed {
			return list.reason, nil
		}
	}
	return "", nil
}

// listed asks until an answer comes; asking twice does no harm.
func (c *Client) listed(ctx context.Context, path string) (bool, error) {
	pause := c.pause
	for try := 1; ; try++ {
		a := c.do(ctx, c.request(rest.Get, path))
		switch {
		case a.status == http.StatusOK && a.err == nil:
			return isListed(a.body)
		case a.status == http.StatusNotFound:
			return false, nil
		case a.status == http.StatusForbidden:
			return false, notify.ErrMayNotAsk
		case ctx.Err() != nil:
			return false, ctx.Err()
		case a.status != 0 && a.status < 500 && a.status != http.StatusTooManyRequests && a.status != http.StatusOK:
			reason := fmt.Sprintf("SendGrid refused to say whether addresses are suppressed, with %d: %s", a.status, c.errorText(a.body))
			if stop := refusesAll(a.status, reason); stop != nil {
				return false, stop
			}
			return false, &casefile.Problem{Code: casefile.CodeConnection, Message: reason}
		}
		if a.status == http.StatusTooManyRequests {
			pause = max(c.untilReset(a.headers), time.Second)
		}
		if try == maxLookups || pause > maxWait {
			return false, c.noLookup(a)
		}
		if err := sleep(ctx, pause); err != nil {
			return false, err
		}
		pause *= 2
	}
}

func (c *Client) noLookup(a answer) error {
	p := &casefile.Problem{Code: casefile.CodeConnection, Message: "SendGrid did not say whether addresses are suppressed", Hint: "try again later"}
	if a.status != 0 {
		p.Message += fmt.Sprintf(" and answered %d", a.status)
	} else if a.err != nil {
		p.Message += ": " + c.clean(a.err.Error())
	}
	return p
}

// isListed is true for an object or array that holds anything.
func isListed(body string) (bool, error) {
	var object map[string]any
	if json.Unmarshal([]byte(body), &object) == nil {
		return len(object) > 0, nil
	}
	var array []any
	if err := json.Unmarshal([]byte(body), &array); err != nil {
		return false, &casefile.Problem{Code: casefile.CodeConnection, Message: "SendGrid answered a question about suppressed addresses with something else", Hint: "check SENDGRID_BASE_URL"}
	}
	return len(array) > 0, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
