package h2

import (
	"net/http"
	"strconv"
	"time"

	"golang.org/x/net/http2"

	"twinrow/remediate/probe/internal/gate"
)

// stream is one request under way. Its answer belongs to the connection's
// lock until done is closed.
type stream struct {
	id     uint32
	done   chan struct{}
	closed bool
	answer gate.Answer
}

// header takes a HEADERS frame; interim answers (1xx) and trailers change nothing.
func (s *stream) header(frame *http2.MetaHeadersFrame, now time.Time) {
	if s.answer.Status != 0 {
		return
	}
	status, _ := strconv.Atoi(frame.PseudoValue("status"))
	if status < 200 {
		return
	}
	s.answer.Status, s.answer.FirstByte = status, now
	s.answer.Header = http.Header{}
	for _, field := range frame.RegularFields() {
		s.answer.Header.Add(field.Name, field.Value)
	}
}

// data takes body bytes; it returns false once there are more than limit.
func (s *stream) data(p []byte, limit int) bool {
	room := limit - len(s.answer.Body)
	if len(p) <= room {
		s.answer.Body = append(s.answer.Body, p...)
		return true
	}
	s.answer.Body = append(s.answer.Body, p[:room]...)
	s.answer.Unread = gate.TooLong(limit)
	return false
}

// finish completes the answer; a fault is kept only where it is the first word.
func (s *stream) finish(now time.Time, fault error) {
	if s.closed {
		return
	}
	s.closed = true
	if fault == nil && s.answer.Status == 0 {
		fault = &gate.Fault{Kind: gate.KindProtocol}
	}
	s.answer.Err = fault
	if fault == nil {
		s.answer.Done = now
	}
	close(s.done)
}
