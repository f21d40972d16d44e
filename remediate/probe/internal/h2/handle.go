package h2

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/net/http2"

	"twinrow/remediate/probe/internal/gate"
)

// handle takes one frame from the server.
func (s *session) handle(frame http2.Frame) error {
	now := time.Now()
	if _, first := frame.(*http2.SettingsFrame); !first && !s.isSettled() {
		return &gate.Fault{Kind: gate.KindProtocol, Err: errors.New("the server does not speak HTTP/2")}
	}
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		return s.onSettings(f)
	case *http2.PingFrame:
		return s.onPing(f)
	case *http2.WindowUpdateFrame:
		s.mu.Lock()
		if f.StreamID == 0 {
			s.settings.connection += int64(f.Increment)
		}
		s.mu.Unlock()
	case *http2.MetaHeadersFrame:
		s.onHeaders(f, now)
	case *http2.DataFrame:
		return s.onData(f, now)
	case *http2.RSTStreamFrame:
		s.onReset(f, now)
	case *http2.GoAwayFrame:
		s.onGoAway(f, now)
	}
	return nil
}

func (s *session) isSettled() bool {
	select {
	case <-s.settled:
		return true
	default:
		return false
	}
}

func (s *session) onSettings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	s.mu.Lock()
	table := -1
	_ = f.ForeachSetting(func(setting http2.Setting) error {
		switch setting.ID {
		case http2.SettingMaxConcurrentStreams:
			s.settings.streams = int(min(setting.Val, maxStreams))
		case http2.SettingInitialWindowSize:
			s.settings.window = int64(setting.Val)
		case http2.SettingMaxFrameSize:
			s.settings.frame = int(setting.Val)
		case http2.SettingHeaderTableSize:
			table = int(min(setting.Val, 4096))
		}
		return nil
	})
	s.mu.Unlock()
	err := s.write(func() error {
		if table >= 0 {
			s.compose.hpack.SetMaxDynamicTableSizeLimit(uint32(table))
		}
		return s.compose.framer.WriteSettingsAck()
	})
	if err == nil && !s.isSettled() {
		close(s.settled)
	}
	return err
}

func (s *session) onPing(f *http2.PingFrame) error {
	if !f.IsAck() {
		return s.write(func() error { return s.compose.framer.WritePing(true, f.Data) })
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	number := binary.BigEndian.Uint64(f.Data[:])
	if back, ok := s.pings[number]; ok {
		delete(s.pings, number)
		close(back)
	}
	return nil
}

func (s *session) onHeaders(f *http2.MetaHeadersFrame, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[f.StreamID]
	if st == nil {
		return
	}
	st.header(f, now)
	if f.StreamEnded() {
		s.drop(st, now, nil)
	}
}

func (s *session) onData(f *http2.DataFrame, now time.Time) error {
	s.mu.Lock()
	s.received += int(f.Length)
	topUp := 0
	if s.received > connWindow/2 {
		topUp, s.received = s.received, 0
	}
	tooLong := false
	if st := s.streams[f.StreamID]; st != nil {
		tooLong = !st.data(f.Data(), s.bodyLimit)
		if tooLong || f.StreamEnded() {
			s.drop(st, now, nil)
		}
	}
	s.mu.Unlock()
	if topUp == 0 && !tooLong {
		return nil
	}
	return s.write(func() error {
		var err error
		if topUp > 0 {
			err = s.compose.framer.WriteWindowUpdate(0, uint32(topUp))
		}
		if tooLong {
			err = errors.Join(err, s.compose.framer.WriteRSTStream(f.StreamID, http2.ErrCodeCancel))
		}
		return err
	})
}

// onReset ends a stream. NO_ERROR after a whole answer only says that the rest
// of the request is not wanted.
func (s *session) onReset(f *http2.RSTStreamFrame, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.streams[f.StreamID]; st != nil {
		s.drop(st, now, &gate.Fault{Kind: gate.KindReset, Err: fmt.Errorf("the server reset the stream (%v)", f.ErrCode)})
	}
}

// onGoAway marks the session as used up; streams past the last that the
// server took will get no answer.
func (s *session) onGoAway(f *http2.GoAwayFrame, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving = true
	for id, st := range s.streams {
		if id > f.LastStreamID {
			s.drop(st, now, &gate.Fault{Kind: gate.KindClosed, Err: fmt.Errorf("the server went away (%v)", f.ErrCode)})
		}
	}
}

// end completes a stream from outside the frame loop's own handlers.
func (s *session) end(id uint32, fault error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.streams[id]; st != nil {
		s.drop(st, time.Now(), fault)
	}
}

// drop completes a stream; the caller holds the lock.
func (s *session) drop(st *stream, now time.Time, fault error) {
	delete(s.streams, st.id)
	st.finish(now, fault)
}
