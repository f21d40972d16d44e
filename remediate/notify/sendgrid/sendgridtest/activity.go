package sendgridtest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// activityRequests are allowed a minute, as SendGrid has it.
const activityRequests = 6

// activity is what the server says of mails that it handled.
type activity struct {
	// left are the requests of this minute.
	left    int
	asked   int
	handled []Handled
	noPlan  bool
}

// Handled is one mail in the server's activity.
type Handled struct {
	ID, To, Subject, Status string
	// At is when it was processed.
	At time.Time
	// Args are its custom arguments.
	Args map[string]string
}

// Handle adds mails to the activity, newest last.
func (s *Server) Handle(mails ...Handled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handled = append(s.handled, mails...)
}

// NextMinute allows requests for activity again.
func (s *Server) NextMinute() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = activityRequests
}

// ForbidActivity answers as for an account without the add-on.
func (s *Server) ForbidActivity() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noPlan = true
}

// Asked counts the requests for activity.
func (s *Server) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// mayAsk counts a request for activity; false where it is answered already.
func (s *Server) mayAsk(w http.ResponseWriter, r *http.Request) bool {
	if !s.authorized(w, r) {
		return false
	}
	s.asked++
	switch {
	case s.noPlan:
		Refuse(http.StatusForbidden, "authorization required")(w, nil)
		return false
	case s.left == 0:
		s.wrong = append(s.wrong, "more than six requests for activity in a minute")
		TooMany(time.Now().Add(time.Minute))(w, nil)
		return false
	}
	s.left--
	return true
}

// The two questions that are asked; SendGrid's query language knows many more.
var (
	byArgument = regexp.MustCompile(`^\(unique_args\['([a-z_]+)'\]="([^"\\]*)"\)$`)
	byAddress  = regexp.MustCompile(`^to_email="([^"\\]+)" AND last_event_time BETWEEN TIMESTAMP "([^"]+)" AND TIMESTAMP "([^"]+)"(?: AND subject="((?:[^"\\]|\\.)*)")?$`)
)

func (s *Server) messages(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mayAsk(w, r) {
		return
	}
	query := r.URL.Query().Get("query")
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 1000 {
		s.wrong = append(s.wrong, "a wrong limit")
	}
	keep := s.filter(query)
	if keep == nil {
		s.wrong = append(s.wrong, "a query of no known form: "+query)
		Refuse(http.StatusBadRequest, "invalid syntax")(w, nil)
		return
	}
	list := []map[string]any{}
	for _, h := range s.handled {
		if keep(h) && len(list) < limit {
			list = append(list, map[string]any{"msg_id": h.ID, "to_email": h.To, "subject": h.Subject, "status": h.Status, "from_email": "x@example.com",
				"opens_count": 0, "clicks_count": 0, "last_event_time": h.At.UTC().Format(time.RFC3339)})
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"messages": list})
}

// filter reads a query; nil where it is of no known form.
func (s *Server) filter(query string) func(Handled) bool {
	if m := byArgument.FindStringSubmatch(query); m != nil {
		return func(h Handled) bool { return h.Args[m[1]] == m[2] }
	}
	m := byAddress.FindStringSubmatch(query)
	if m == nil {
		return nil
	}
	from, errFrom := time.Parse(time.RFC3339, m[2])
	until, errUntil := time.Parse(time.RFC3339, m[3])
	if errFrom != nil || errUntil != nil {
		return nil
	}
	subject := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(m[4])
	return func(h Handled) bool {
		return h.To == m[1] && !h.At.Before(from) && !h.At.After(until) && (m[4] == "" || h.Subject == subject)
	}
}

func (s *Server) message(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mayAsk(w, r) {
		return
	}
	for _, h := range s.handled {
		if h.ID == r.PathValue("id") {
			_ = json.NewEncoder(w).Encode(map[string]any{"msg_id": h.ID, "to_email": h.To, "subject": h.Subject, "status": h.Status, "events": []map[string]any{
				{"event_name": "delivered", "processed": h.At.Add(2 * time.Second).UTC().Format(time.RFC3339)},
				{"event_name": "processed", "processed": h.At.Unix()}}})
			return
		}
	}
	Refuse(http.StatusNotFound, "not found")(w, nil)
}
