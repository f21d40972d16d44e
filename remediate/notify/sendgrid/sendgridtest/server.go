// Package sendgridtest is a strict SendGrid for tests: it takes a mail only
// if it is exactly what a mail to one customer must be, remembers whom it took
// mail for, and fails in the ways that the real one can.
//
// It must not know the packages that it tests.
package sendgridtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server listens on the loopback until the test ends.
type Server struct {
	// URL is the base URL.
	URL string

	key string
	mu  sync.Mutex
	// answers are what the next requests for sending get, in order.
	answers  []Answer
	taken    []Mail
	requests int
	wrong    []string
	listed   map[string]string
	lookups  int
	mayNot   bool
	// raw are the requests for sending as they came, headers and body.
	raw []string
	activity
}

// Answer is one way to answer a request for sending. take is to be called if
// the mail counts as taken; it returns the message id.
type Answer func(w http.ResponseWriter, take func() string)

// Mail is the body of a request that was taken.
type Mail struct {
	Personalizations []struct {
		To         []Mailbox         `json:"to"`
		CustomArgs map[string]string `json:"custom_args"`
		CC, BCC    []Mailbox
	} `json:"personalizations"`
	From       Mailbox   `json:"from"`
	ReplyTo    Mailbox   `json:"reply_to"`
	Subject    string    `json:"subject"`
	Content    []Content `json:"content"`
	Categories []string  `json:"categories"`
	Tracking   map[string]struct {
		Enable *bool `json:"enable"`
	} `json:"tracking_settings"`
	Settings map[string]struct {
		Enable *bool `json:"enable"`
	} `json:"mail_settings"`
}

// Mailbox is an address and a name.
type Mailbox struct{ Name, Email string }

// Content is one part.
type Content struct{ Type, Value string }

// Start starts a server that asks for the key.
func Start(t testing.TB, key string) *Server {
	t.Helper()
	s := &Server{key: key, listed: map[string]string{}, activity: activity{left: activityRequests}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v3/mail/send", s.send)
	mux.HandleFunc("GET /v3/asm/suppressions/global/{email}", s.global)
	mux.HandleFunc("GET /v3/suppression/{list}/{email}", s.list)
	mux.HandleFunc("GET /v3/messages", s.messages)
	mux.HandleFunc("GET /v3/messages/{id}", s.message)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.note("unexpected request: " + r.Method + " " + r.URL.Path)
		http.NotFound(w, r)
	})
	server := httptest.NewServer(mux)
	s.URL = server.URL
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return s
}

// Then sets how the next requests for sending are answered; after them mails are taken.
func (s *Server) Then(answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = append(s.answers, answers...)
}

// List puts an address on "global", "bounces", "blocks" or "spam_reports".
func (s *Server) List(list, address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed[address] = list
}

// ForbidLookups lets every lookup fail for want of a right.
func (s *Server) ForbidLookups() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mayNot = true
}

// Taken returns the mails that were taken.
func (s *Server) Taken() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail{}, s.taken...)
}

// Requests counts the requests for sending, Lookups those for suppressions.
func (s *Server) Requests() (sends, lookups int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests, s.lookups
}

// Raw returns the requests for sending as they came.
func (s *Server) Raw() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.raw...)
}

// Wrong returns what was wrong with requests so far.
func (s *Server) Wrong() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.wrong...)
}

func (s *Server) note(problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, problem)
}

func (s *Server) send(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	s.mu.Unlock()
	if !s.authorized(w, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the other side went away
	}
	s.mu.Lock()
	s.raw = append(s.raw, fmt.Sprint(r.Method, " ", r.RequestURI, "\n", r.Header, "\n", string(body)))
	s.mu.Unlock()
	m, err := decode(r, body)
	if err != nil {
		s.note(err.Error())
		Refuse(http.StatusBadRequest, err.Error())(w, nil)
		return
	}
	take := func() string {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken = append(s.taken, m)
		return "sg-" + strconv.Itoa(len(s.taken))
	}
	s.next(m)(w, take)
}

func (s *Server) next(m Mail) Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.answers) > 0 {
		answer := s.answers[0]
		s.answers = s.answers[1:]
		return answer
	}
	if on := m.Settings["sandbox_mode"].Enable; on != nil && *on {
		return func(w http.ResponseWriter, _ func() string) { w.WriteHeader(http.StatusOK) }
	}
	return Accept
}

func (s *Server) authorized(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") == "Bearer "+s.key {
		return true
	}
	Refuse(http.StatusUnauthorized, "The provided authorization grant is invalid, expired, or revoked")(w, nil)
	return false
}

// decode reads a request and says what is not as it must be.
func decode(r *http.Request, raw []byte) (Mail, error) {
	var m Mail
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		return m, fmt.Errorf("the content type is %q", got)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, err
	}
	switch p := m.Personalizations; {
	case len(p) != 1 || len(p[0].To) != 1 || len(p[0].CC)+len(p[0].BCC) != 0:
		return m, fmt.Errorf("the mail has not exactly one recipient: %s", raw)
	case !bare(p[0].To[0].Email) || !bare(m.From.Email) || !bare(m.ReplyTo.Email):
		return m, fmt.Errorf("an address is not a bare one in ASCII")
	case m.Subject == "" || strings.ContainsAny(m.Subject+p[0].To[0].Name, "\r\n"):
		return m, fmt.Errorf("the subject or name is empty or of several lines")
	case len(m.Content) != 2 || m.Content[0].Type != "text/plain" || m.Content[1].Type != "text/html":
		return m, fmt.Errorf("the content is not a text and an HTML part in that order")
	case m.Content[0].Value == "" || m.Content[1].Value == "":
		return m, fmt.Errorf("a part is empty")
	case len(m.Personalizations[0].CustomArgs) == 0 || len(m.Categories) == 0:
		return m, fmt.Errorf("the mail could not be found again")
	}
	for _, kind := range []string{"click_tracking", "open_tracking", "subscription_tracking", "ganalytics"} {
		if on := m.Tracking[kind].Enable; on == nil || *on {
			return m, fmt.Errorf("%s is not off", kind)
		}
	}
	return m, nil
}

func bare(address string) bool {
	parsed, err := mail.ParseAddress(address)
	return err == nil && parsed.Address == address && !strings.ContainsFunc(address, func(r rune) bool { return r > '~' })
}

func (s *Server) global(w http.ResponseWriter, r *http.Request) {
	s.lookup(w, r, "global", `{}`, `{"recipient_email":%q}`)
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	s.lookup(w, r, r.PathValue("list"), `[]`, `[{"created":1443651154,"email":%q}]`)
}

func (s *Server) lookup(w http.ResponseWriter, r *http.Request, list, no, yes string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookups++
	email := r.PathValue("email")
	switch {
	case !bare(email):
		s.wrong = append(s.wrong, "a lookup of what is no address")
		w.WriteHeader(http.StatusBadRequest)
	case s.mayNot:
		Refuse(http.StatusForbidden, "access forbidden")(w, nil)
	case r.Header.Get("Authorization") != "Bearer "+s.key:
		Refuse(http.StatusUnauthorized, "authorization required")(w, nil)
	case s.listed[email] == list:
		_, _ = fmt.Fprintf(w, yes, email)
	default:
		_, _ = io.WriteString(w, no)
	}
}

// Accept takes the mail as SendGrid does.
func Accept(w http.ResponseWriter, take func() string) {
	w.Header().Set("X-Message-Id", take())
	w.WriteHeader(http.StatusAccepted)
}

// Refuse answers with a status and SendGrid's error document.
func Refuse(status int, message string) Answer {
	return func(w http.ResponseWriter, _ func() string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]any{{"message": message, "field": nil, "help": nil}}})
	}
}

// TooMany answers 429 with the time when requests are allowed again.
func TooMany(reset time.Time) Answer {
	return func(w http.ResponseWriter, _ func() string) {
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
		Refuse(http.StatusTooManyRequests, "too many requests")(w, nil)
	}
}

// Silent takes the mail and answers only after a while.
func Silent(d time.Duration) Answer {
	return func(w http.ResponseWriter, take func() string) {
		id := take()
		time.Sleep(d)
		w.Header().Set("X-Message-Id", id)
		w.WriteHeader(http.StatusAccepted)
	}
}

// Cut ends the connection without an answer; taken says whether the mail was
// taken before.
func Cut(taken bool) Answer {
	return func(_ http.ResponseWriter, take func() string) {
		if taken {
			take()
		}
		panic(http.ErrAbortHandler)
	}
}

// CutBody takes the mail, answers 202 and ends the connection in the body.
func CutBody(w http.ResponseWriter, take func() string) {
	w.Header().Set("X-Message-Id", take())
	w.Header().Set("Content-Length", "100")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, "x")
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// Loris takes the mail and says its answer byte by byte, for longer than d.
func Loris(d time.Duration) Answer {
	return func(w http.ResponseWriter, take func() string) {
		id := take()
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		answer := "HTTP/1.1 202 Accepted\r\nX-Message-Id: " + id + "\r\nContent-Length: 0\r\n\r\n"
		for _, b := range []byte(answer) {
			if _, err := conn.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(d / time.Duration(len(answer)-1))
		}
	}
}

// Endless takes the mail, answers 202 and a body that does not end.
func Endless(w http.ResponseWriter, take func() string) {
	w.Header().Set("X-Message-Id", take())
	w.WriteHeader(http.StatusAccepted)
	block := strings.Repeat("x", 1<<16)
	for {
		if _, err := io.WriteString(w, block); err != nil {
			return
		}
	}
}
