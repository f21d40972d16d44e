// Package smtptest is a strict SMTP server for tests: it takes a mail only by
// the book, remembers what it took, and fails at every stage in the ways that
// real ones do.
//
// It must not know the packages that it tests.
package smtptest

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// Stage is a point of the conversation.
type Stage string

// The stages, in order. AfterDot comes when the mail is whole and no reply was given.
const (
	Connect  Stage = "connect"
	Ehlo     Stage = "ehlo"
	MailFrom Stage = "mail"
	Rcpt     Stage = "rcpt"
	Data     Stage = "data"
	InText   Stage = "text"
	AfterDot Stage = "dot"
)

// Fault is what goes wrong with one mail at a stage.
type Fault struct {
	Stage Stage
	// Reply is said instead of the right one; "" cuts the connection.
	Reply string
	// Take counts the mail as taken though the stage failed; of AfterDot only.
	Take bool
	// Wait is before the fault.
	Wait time.Duration
}

// Mail is one that was taken.
type Mail struct {
	From, To string
	// Raw is the text with "\n" line ends.
	Raw string
}

// Server listens on the loopback until the test ends.
type Server struct {
	// Address is its host and port.
	Address string

	tls            *tls.Config
	implicit       bool
	user, password string

	mu     sync.Mutex
	faults []Fault
	taken  []Mail
	wrong  []string
}

// Option changes how a server is started.
type Option func(*Server)

// WithTLS lets the server offer STARTTLS, or speak TLS from the first byte.
func WithTLS(config *tls.Config, implicit bool) Option {
	return func(s *Server) { s.tls, s.implicit = config, implicit }
}

// WithLogin lets the server ask for a user and a password.
func WithLogin(user, password string) Option {
	return func(s *Server) { s.user, s.password = user, password }
}

// Start starts a server.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Address: listener.Addr().String()}
	for _, option := range options {
		option(s)
	}
	var sessions sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); sessions.Wait() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { s.serve(conn) })
		}
	}()
	return s
}

// Then sets what goes wrong with the next mails, in order; a Fault without a
// stage is none.
func (s *Server) Then(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Taken returns the mails that were taken.
func (s *Server) Taken() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail{}, s.taken...)
}

// Wrong returns what was not by the book.
func (s *Server) Wrong() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.wrong...)
}

func (s *Server) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// session is one connection.
type session struct {
	*Server
	conn  net.Conn
	text  *textproto.Reader
	fault Fault
	// loggedIn and secure say what was done so far.
	loggedIn, secure bool
	mail             Mail
}

func (s *Server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	s.mu.Lock()
	c := &session{Server: s, conn: conn, secure: s.implicit, loggedIn: s.user == ""}
	if len(s.faults) > 0 {
		c.fault, s.faults = s.faults[0], s.faults[1:]
	}
	s.mu.Unlock()
	if s.implicit {
		c.conn = tls.Server(conn, s.tls)
	}
	c.text = textproto.NewReader(bufio.NewReader(c.conn))
	if !c.pass(Connect) || !c.say("220 smtptest") {
		return
	}
	for {
		line, err := c.text.ReadLine()
		if err != nil || !c.command(line) {
			return
		}
	}
}

// say sends a reply; false where the other side is gone.
func (c *session) say(reply string) bool {
	_, err := fmt.Fprintf(c.conn, "%s\r\n", reply)
	return err == nil
}

// pass is false where the session ends at the stage.
func (c *session) pass(stage Stage) bool {
	if c.fault.Stage != stage {
		return true
	}
	time.Sleep(c.fault.Wait)
	if c.fault.Reply != "" {
		c.say(c.fault.Reply)
	}
	return false
}

// command answers one command; false ends the session.
func (c *session) command(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		return c.pass(Ehlo) && c.say(c.extensions())
	case "STARTTLS":
		return c.startTLS()
	case "AUTH":
		return c.auth(rest)
	case "MAIL":
		return c.mailFrom(rest)
	case "RCPT":
		return c.rcptTo(rest)
	case "DATA":
		return c.data()
	case "RSET", "NOOP":
		return c.say("250 done")
	case "QUIT":
		c.say("221 bye")
		return false
	}
	c.note("an unknown command: %q", line)
	return c.say("502 unknown")
}

func (c *session) extensions() string {
	lines := []string{"250-smtptest", "250-8BITMIME"}
	if c.tls != nil && !c.secure {
		lines = append(lines, "250-STARTTLS")
	}
	if c.user != "" && (c.secure || c.tls == nil) {
		lines = append(lines, "250-AUTH PLAIN")
	}
	return strings.Join(append(lines, "250 HELP"), "\r\n")
}

func (c *session) startTLS() bool {
	if c.tls == nil || c.secure || !c.say("220 go ahead") {
		return false
	}
	c.conn, c.secure = tls.Server(c.conn, c.tls), true
	c.text = textproto.NewReader(bufio.NewReader(c.conn))
	return true
}

func (c *session) auth(rest string) bool {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
	if err != nil || string(raw) != "\x00"+c.user+"\x00"+c.password {
		return c.say("535 5.7.8 authentication failed")
	}
	c.loggedIn = true
	return c.say("235 welcome")
}

func (c *session) mailFrom(rest string) bool {
	from, ok := path(rest, "FROM:")
	switch {
	case !c.loggedIn:
		return c.say("530 5.7.0 log in first")
	case !ok || c.mail.From != "":
		c.note("a wrong MAIL: %q", rest)
		return c.say("501 wrong")
	}
	c.mail = Mail{From: from}
	return c.pass(MailFrom) && c.say("250 sender taken")
}

func (c *session) rcptTo(rest string) bool {
	to, ok := path(rest, "TO:")
	if !ok || c.mail.From == "" || c.mail.To != "" {
		c.note("a wrong RCPT, or a second one: %q", rest)
		return c.say("501 wrong")
	}
	c.mail.To = to
	return c.pass(Rcpt) && c.say("250 recipient taken")
}

func path(rest, keyword string) (string, bool) {
	inside, ok := strings.CutPrefix(strings.ToUpper(rest[:min(len(rest), len(keyword))])+rest[min(len(rest), len(keyword)):], keyword)
	address, _, _ := strings.Cut(inside, " ")
	return strings.Trim(address, "<>"), ok && strings.HasPrefix(address, "<") && strings.HasSuffix(address, ">")
}

// data reads the text up to the dot. Text that ends without one is dropped.
func (c *session) data() bool {
	if !c.pass(Data) || !c.say("354 go ahead") {
		return false
	}
	if c.fault.Stage == InText {
		_, _ = c.text.ReadLine()
		return c.pass(InText)
	}
	raw, err := c.text.ReadDotBytes()
	if err != nil {
		return false
	}
	c.mail.Raw = string(raw)
	refused := c.fault.Stage == AfterDot
	if !refused || c.fault.Take {
		c.mu.Lock()
		c.taken = append(c.taken, c.mail)
		c.mu.Unlock()
	}
	c.mail = Mail{}
	if refused {
		return c.pass(AfterDot)
	}
	return c.say("250 taken as smtptest-1")
}
