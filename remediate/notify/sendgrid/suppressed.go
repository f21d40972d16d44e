package sendgrid

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

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

func (c *Client) listed(ctx context.Context, path string) (bool, error) {
	a, err := c.ask(ctx, path, "whether addresses are suppressed")
	switch {
	case err != nil:
		return false, err
	case a.status == http.StatusForbidden:
		return false, notify.ErrMayNotAsk
	case a.status == http.StatusNotFound:
		return false, nil
	}
	return isListed(a.body)
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
