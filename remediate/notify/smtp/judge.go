package smtp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"time"
	"unicode"

	mail "github.com/wneessen/go-mail"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
)

// Waits before another attempt.
const (
	// unreachableWait is for a server that does not answer.
	unreachableWait = time.Second
	// busyWait is for one that says to come again.
	busyWait = 10 * time.Second
)

// judgeDial says what a failure before any mail was begun means: nobody took
// anything, and the question is only whether to try again.
func (c *Client) judgeDial(err error, m notify.Message) notify.Outcome {
	out := notify.Outcome{State: notify.Drafted, Reason: "the SMTP server could not be reached: " + c.clean(err, m)}
	code := replyCode(err)
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	switch text := err.Error(); {
	case errors.Is(err, mail.ErrNoSupportedAuthDiscovered) || strings.Contains(text, "AUTH") || code == 535 || code == 534 || code == 530:
		out.Stop = &casefile.Problem{Code: casefile.CodePermission, Message: "the SMTP server did not let us in: " + c.clean(err, m), Hint: "check the user and the password in the address of the server, and whether it wants TLS"}
	case strings.Contains(text, "STARTTLS"):
		out.Stop = &casefile.Problem{Code: casefile.CodeConnection, Message: "the SMTP server offers no TLS", Hint: "use smtps://, or add ?tls=none to the address if the network between is trusted"}
	case badCertificate:
		out.Stop = c.useless(err, m)
	case code >= 500:
		out.Stop = c.useless(err, m)
	default:
		out.Again, out.Wait = true, unreachableWait
		if code >= 400 {
			out.Wait = busyWait
		}
	}
	return out
}

func (c *Client) useless(err error, m notify.Message) error {
	return &casefile.Problem{Code: casefile.CodeConnection, Message: "the SMTP server cannot be used: " + c.clean(err, m), Hint: "check the address of the server"}
}

// judgeSend says what a failure within a mail leaves known.
func (c *Client) judgeSend(err error, m notify.Message) notify.Outcome {
	fault, ok := errors.AsType[*mail.SendError](err)
	if !ok {
		return notify.Outcome{State: notify.Unknown, Reason: "what became of the mail is not known: " + c.clean(err, m)}
	}
	code := fault.ErrorCode()
	said := c.clean(err, m)
	switch {
	case fault.Reason == mail.ErrSMTPDataClose && (code < 400 || code > 599):
		return notify.Outcome{State: notify.Unknown, Reason: "no reply came after the mail was sent"}
	case code == 421, code >= 400 && code < 500 && fault.Reason != mail.ErrSMTPRcptTo:
		return notify.Outcome{State: notify.Drafted, Again: true, Wait: busyWait, Reason: "the SMTP server takes no mail for now: " + said}
	case code >= 500 && fault.Reason == mail.ErrSMTPMailFrom:
		return notify.Outcome{State: notify.Drafted, Reason: "the SMTP server refused the sender: " + said, Stop: &casefile.Problem{Code: casefile.CodePermission, Message: "the SMTP server refused the sender: " + said, Hint: "draft again with a --from that the server may send for"}}
	case code >= 400:
		return notify.Outcome{State: notify.Failed, Reason: fmt.Sprintf("the SMTP server refused it: %s", said)}
	}
	// The connection ended before the dot that ends a mail: a server must not
	// take what came without it (RFC 5321, section 4.1.1.4).
	return notify.Outcome{State: notify.Drafted, Again: true, Wait: unreachableWait, Reason: "the connection to the SMTP server ended before the mail was whole"}
}

// replyCode is the number of a server's reply, 0 where the error is none.
func replyCode(err error) int {
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		return reply.Code
	}
	return 0
}

// clean makes one short line of what came from outside, without the password
// and without addresses.
func (c *Client) clean(err error, m notify.Message) string {
	text := err.Error()
	for secret, word := range map[string]string{c.password: "[password]", m.To.Address: "[address]", m.From.Address: "[sender]"} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, word)
		}
	}
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == ' ' }), " ")
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:299]) + "…"
	}
	return text
}
