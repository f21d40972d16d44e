package sendgrid

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/sendgrid/rest"
	"github.com/sendgrid/sendgrid-go/helpers/mail"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
)

// Waits after a 429 or a refused connection.
const (
	// minWait is for an answer that names no time: the window of SendGrid's
	// limits is not in its documentation, so it is asked again soon.
	minWait = 2 * time.Second
	// maxWait is the longest that is waited; a reset further away ends the run.
	maxWait = 2 * time.Minute
	// refusedWait is for a server that does not listen.
	refusedWait = time.Second
)

// Names of the custom arguments by which a mail is found again in SendGrid's
// activity and events.
const (
	argCase = "twinrow_case"
	argMail = "twinrow_mail"
)

// Send makes one attempt. It is not cut short when ctx is cancelled.
func (c *Client) Send(ctx context.Context, m notify.Message) notify.Outcome {
	request := c.request(rest.Post, "/v3/mail/send")
	request.Body = mail.GetRequestBody(c.message(m))
	return c.judge(c.do(context.WithoutCancel(ctx), request))
}

// message has exactly one recipient, and asks SendGrid to change and track nothing.
func (c *Client) message(m notify.Message) *mail.SGMailV3 {
	out := mail.NewV3MailInit(box(m.From), m.Subject, box(m.To), mail.NewContent("text/plain", m.Text), mail.NewContent("text/html", m.HTML))
	out.SetReplyTo(box(m.ReplyTo))
	out.AddCategories("twinrow", "twinrow-"+m.Case)
	// With the recipient, not with the mail: SendGrid's published document has
	// an object of arguments only there.
	out.Personalizations[0].SetCustomArg(argCase, m.Case)
	out.Personalizations[0].SetCustomArg(argMail, m.Mail)
	out.SetTrackingSettings(mail.NewTrackingSettings().
		SetClickTracking(mail.NewClickTrackingSetting().SetEnable(false).SetEnableText(false)).
		SetOpenTracking(mail.NewOpenTrackingSetting().SetEnable(false)).
		SetSubscriptionTracking(mail.NewSubscriptionTrackingSetting().SetEnable(false)).
		SetGoogleAnalytics(mail.NewGaSetting().SetEnable(false)))
	if c.sandbox {
		out.SetMailSettings(mail.NewMailSettings().SetSandboxMode(mail.NewSetting(true)))
	}
	return out
}

func box(m notify.Mailbox) *mail.Email { return mail.NewEmail(m.Name, m.Address) }

// judge says what an answer leaves known. Whatever is neither a clear yes nor
// a clear no is Unknown.
func (c *Client) judge(a answer) notify.Outcome {
	switch {
	case a.status == 0 && !a.began:
		return notify.Outcome{State: notify.Drafted, Again: true, Wait: refusedWait, Reason: "SendGrid could not be reached: " + c.clean(a.err.Error())}
	case a.status == 0:
		return notify.Outcome{State: notify.Unknown, Reason: "no answer came: " + c.clean(a.err.Error())}
	case a.status == http.StatusAccepted:
		return notify.Outcome{State: notify.Accepted, MessageID: c.clean(a.headers.Get("X-Message-Id"))}
	case a.status == http.StatusOK && c.sandbox:
		return notify.Outcome{State: notify.Drafted, Reason: "checked in SendGrid's sandbox and not sent"}
	case a.status == http.StatusTooManyRequests:
		return c.tooMany(a)
	case a.status == http.StatusRequestTimeout || a.status >= 500 || a.status < 300:
		return notify.Outcome{State: notify.Unknown, Reason: fmt.Sprintf("SendGrid answered %d: %s", a.status, c.errorText(a.body))}
	}
	reason := fmt.Sprintf("SendGrid refused it with %d: %s", a.status, c.errorText(a.body))
	if stop := refusesAll(a.status, reason); stop != nil {
		return notify.Outcome{State: notify.Drafted, Reason: reason, Stop: stop}
	}
	return notify.Outcome{State: notify.Failed, Reason: reason}
}

// refusesAll is the Problem for an answer that every mail would get.
func refusesAll(status int, reason string) error {
	switch {
	case status == http.StatusUnauthorized:
		return &casefile.Problem{Code: casefile.CodePermission, Message: reason, Hint: "check SENDGRID_API_KEY, and SENDGRID_BASE_URL for an account in the EU region"}
	case status == http.StatusForbidden:
		return &casefile.Problem{Code: casefile.CodePermission, Message: reason, Hint: "give the key the right to send mail, and verify the sender's address or domain in SendGrid"}
	case status < 400 || status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return &casefile.Problem{Code: casefile.CodeConnection, Message: reason, Hint: "check SENDGRID_BASE_URL: it ought to be a scheme and a host alone"}
	}
	return nil
}

func (c *Client) tooMany(a answer) notify.Outcome {
	out := notify.Outcome{State: notify.Drafted, Reason: "SendGrid allows no more requests for now"}
	wait := c.untilReset(a.headers)
	if wait > maxWait {
		out.Stop = &casefile.Problem{Code: casefile.CodeStopped, Message: out.Reason, Hint: "run `twinrow notify send` again in " + wait.Round(time.Second).String()}
		return out
	}
	out.Again, out.Wait = true, max(wait, time.Second)
	return out
}

// untilReset reads when requests are allowed again: X-RateLimit-Reset holds
// Unix seconds (SendGrid's page on rate limits), Retry-After seconds.
func (c *Client) untilReset(headers http.Header) time.Duration {
	if reset, err := strconv.ParseInt(headers.Get("X-RateLimit-Reset"), 10, 64); err == nil {
		seconds := min(max(reset-c.now().Unix(), 0), 24*60*60)
		return time.Duration(seconds)*time.Second + 100*time.Millisecond // clocks differ
	}
	if seconds, err := strconv.ParseInt(headers.Get("Retry-After"), 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	return minWait
}

// errorText takes the messages out of SendGrid's error document.
func (c *Client) errorText(body string) string {
	var document struct {
		Errors []struct {
			Message string `json:"message"`
			Field   string `json:"field"`
		} `json:"errors"`
	}
	if json.Unmarshal([]byte(body), &document) != nil || len(document.Errors) == 0 {
		return "no reason given"
	}
	var parts []string
	for _, e := range document.Errors {
		if e.Field != "" {
			e.Message = e.Field + ": " + e.Message
		}
		parts = append(parts, e.Message)
	}
	return c.clean(strings.Join(parts, "; "))
}

// clean makes one short line of what came from outside, without the key.
func (c *Client) clean(text string) string {
	text = strings.ReplaceAll(text, c.key, "[key]")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:299]) + "…"
	}
	return strings.TrimSpace(text)
}
