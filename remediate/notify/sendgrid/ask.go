package sendgrid

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/sendgrid/rest"

	"twinrow/detect/casefile"
)

// maxLookups is how often one lookup is tried.
const maxLookups = 4

// ask makes a request that only reads, until an answer comes; asking twice does
// no harm. The answer is 200, 403 or 404; what names the question in words for
// the error of any other.
func (c *Client) ask(ctx context.Context, path, what string) (answer, error) {
	pause := c.pause
	for try := 1; ; try++ {
		a := c.do(ctx, c.request(rest.Get, path))
		switch {
		case a.status == http.StatusOK && a.err == nil, a.status == http.StatusNotFound, a.status == http.StatusForbidden:
			return a, nil
		case ctx.Err() != nil:
			return a, ctx.Err()
		case a.status != 0 && a.status < 500 && a.status != http.StatusTooManyRequests && a.status != http.StatusOK:
			reason := fmt.Sprintf("SendGrid refused to say %s, with %d: %s", what, a.status, c.errorText(a.body))
			if stop := refusesAll(a.status, reason); stop != nil {
				return a, stop
			}
			return a, &casefile.Problem{Code: casefile.CodeConnection, Message: reason}
		}
		if a.status == http.StatusTooManyRequests {
			pause = max(c.untilReset(a.headers), time.Second)
		}
		if try == maxLookups || pause > maxWait {
			return a, c.noLookup(a, what)
		}
		if err := c.sleep(ctx, pause); err != nil {
			return a, err
		}
		pause *= 2
	}
}

func (c *Client) noLookup(a answer, what string) error {
	p := &casefile.Problem{Code: casefile.CodeConnection, Message: "SendGrid did not say " + what, Hint: "try again later"}
	if a.status != 0 {
		p.Message += fmt.Sprintf(" and answered %d", a.status)
	} else if a.err != nil {
		p.Message += ": " + c.clean(a.err.Error())
	}
	return p
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
