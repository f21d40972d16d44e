// Package smtp hands mails to an SMTP server, for those without SendGrid. It
// owns what a server's replies mean, above all which of them leave open
// whether a mail was taken: before the dot that ends a mail it certainly was
// not, after it only the server's reply can tell.
//
// It must not know cases, drafts or the ledger, and it never retries a send:
// the caller does, with the claim it keeps. It is the only importer of go-mail.
package smtp

import (
	"context"
	"crypto/tls"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	mail "github.com/wneessen/go-mail"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
)

// Client is a notify.Carrier. It opens a connection for each mail: what became
// of one then never hangs on another.
type Client struct {
	host     string
	port     int
	user     string
	password string
	// implicit is true for TLS from the first byte, policy says what else.
	implicit bool
	policy   mail.TLSPolicy
	timeout  time.Duration
	// tls is for tests; nil means the system's roots.
	tls *tls.Config
	now func() time.Time
}

var _ notify.Carrier = (*Client)(nil)

// Ports where the URL names none (RFC 6409 and RFC 8314).
const (
	submissionPort = 587
	tlsPort        = 465
)

// New reads smtp://user:password@host:port or smtps://…. With smtp:// the
// connection must turn to TLS before anything is said, except to this machine,
// or where "?tls=none" is added and no password is. It does not reach out.
func New(text string) (*Client, error) {
	bad := &casefile.Problem{Code: casefile.CodeUsage, Message: "the address of the SMTP server cannot be read", Hint: "write it as smtp://user:password@mail.example.com:587 or smtps://…:465, with % codes for signs such as @ in the password"}
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return nil, bad // the error of the library would repeat the password
	}
	c := &Client{host: u.Hostname(), port: submissionPort, implicit: u.Scheme == "smtps", policy: mail.TLSMandatory, timeout: time.Minute, now: time.Now}
	if c.implicit {
		c.port = tlsPort
	}
	if u.Port() != "" {
		if c.port, err = strconv.Atoi(u.Port()); err != nil || c.port < 1 || c.port > 65535 {
			return nil, bad
		}
	}
	c.user = u.User.Username()
	c.password, _ = u.User.Password()
	if isLoopback(c.host) {
		c.policy = mail.TLSOpportunistic
	}
	return c, c.options(u.Query())
}

// options takes what follows the question mark.
func (c *Client) options(query url.Values) error {
	for name, values := range query {
		if name != "tls" || len(values) != 1 || values[0] != "none" || c.implicit {
			return &casefile.Problem{Code: casefile.CodeUsage, Message: "the address of the SMTP server has an option that is not known", Hint: "the only one is ?tls=none, for smtp:// without a password"}
		}
		if c.password != "" && !isLoopback(c.host) {
			return &casefile.Problem{Code: casefile.CodeUsage, Message: "the password would go over the network in the clear", Hint: "leave ?tls=none out, or the password"}
		}
		c.policy = mail.NoTLS
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Name stands in the ledger.
func (c *Client) Name() string { return "smtp" }

// Suppressed knows nothing against any address: SMTP has no such question.
func (c *Client) Suppressed(context.Context, string) (string, error) { return "", nil }

// Send makes one attempt. It is not cut short when ctx is cancelled.
func (c *Client) Send(ctx context.Context, m notify.Message) notify.Outcome {
	line := &line{host: c.host, implicit: c.implicit, tls: c.tls}
	client, err := c.client(line)
	if err != nil {
		return notify.Outcome{State: notify.Drafted, Reason: "the SMTP server cannot be used: " + c.clean(err, m), Stop: c.useless(err, m)}
	}
	session, err := client.DialToSMTPClientWithContext(context.WithoutCancel(ctx))
	if err != nil {
		line.cut()
		return c.judgeDial(err, m)
	}
	message := c.message(m)
	err = client.SendWithSMTPClient(session, message)
	if message.IsDelivered() {
		// Saying good-bye may fail; the mail is taken all the same.
		_ = client.CloseWithSMTPClient(session)
		return notify.Outcome{State: notify.Accepted, MessageID: strings.Trim(message.GetMessageID(), "<>")}
	}
	// Cut, not closed with QUIT: that command would end a mail whose text was
	// cut short, and the server would take the piece for the whole.
	_ = session.Close()
	return c.judgeSend(err, m)
}

func (c *Client) client(line *line) (*mail.Client, error) {
	options := []mail.Option{mail.WithPort(c.port), mail.WithTimeout(c.timeout), mail.WithTLSPolicy(c.policy), mail.WithDialContextFunc(line.dial),
		mail.WithoutNoop(), mail.WithoutRset(), mail.WithoutSMTPUTF8()}
	if c.implicit {
		options = append(options, mail.WithSSL())
	}
	if c.tls != nil {
		options = append(options, mail.WithTLSConfig(c.tls))
	}
	if c.user != "" {
		options = append(options, mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthCramMD5, mail.SMTPAuthPlain, mail.SMTPAuthLogin),
			mail.WithUsername(c.user), mail.WithPassword(c.password))
	}
	return mail.NewClient(c.host, options...)
}

// message has exactly one recipient. Its Message-ID is that of the draft, by
// which a mail server's log finds it again.
func (c *Client) message(m notify.Message) *mail.Msg {
	out := mail.NewMsg(mail.WithEncoding(mail.EncodingQP), mail.WithCharset(mail.CharsetUTF8), mail.WithNoDefaultUserAgent())
	out.FromMailAddress(box(m.From))
	out.ToMailAddress(box(m.To))
	out.ReplyToMailAddress(box(m.ReplyTo))
	out.Subject(m.Subject)
	out.SetDateWithValue(c.now().UTC())
	out.SetMessageIDWithValue(m.Mail + "." + m.Case + "@" + m.From.Address[strings.LastIndexByte(m.From.Address, '@')+1:])
	out.SetBodyString(mail.TypeTextPlain, m.Text)
	out.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	return out
}

func box(m notify.Mailbox) *netmail.Address {
	return &netmail.Address{Name: m.Name, Address: m.Address}
}
