package probe

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"twinrow/detect/casefile"
)

// Types of HTTP/2 frames (RFC 9113, section 6), and the flag that ends a
// stream or, of SETTINGS and PING, acknowledges.
const (
	frameData, frameHeaders, frameReset, frameSettings, framePing, frameGoAway, frameWindow, frameContinuation = 0, 1, 3, 4, 6, 7, 8, 9

	flagEnd, flagWhole = 1, 4
)

// frame writes one out.
func frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	n := len(payload)
	out := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}
	return append(binary.BigEndian.AppendUint32(out, stream), payload...)
}

// setting is one of SETTINGS.
func setting(id uint16, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, id), value)
}

// status200 is a header block with :status 200 from HPACK's static table.
const status200 = 0x88

// rude is a server that speaks HTTP/2 as badly as it is told to.
type rude struct {
	// silent sends no SETTINGS, deaf answers no PING.
	silent, deaf bool
	// settings are those of the server.
	settings []byte
	// greeting follows SETTINGS at once.
	greeting []byte
	// answer is sent for a request that is whole, or where atHeader for one
	// that has begun; then the connection ends where hangsUp.
	answer            func(stream uint32) []byte
	atHeader, hangsUp bool
	// trickle is sent again and again after the answer.
	trickle func(stream uint32) []byte
}

func (s *rude) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	if _, err := io.CopyN(io.Discard, in, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	if !s.silent {
		_, _ = conn.Write(append(frame(frameSettings, 0, 0, s.settings...), s.greeting...))
	}
	var head [9]byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(in, payload); err != nil {
			return
		}
		kind, ends, stream := head[3], head[4]&flagEnd != 0, binary.BigEndian.Uint32(head[5:])
		switch {
		case s.silent:
		case kind == frameSettings && !ends:
			_, _ = conn.Write(frame(frameSettings, flagEnd, 0))
		case kind == framePing && !ends && !s.deaf:
			_, _ = conn.Write(frame(framePing, flagEnd, 0, payload...))
		case kind == frameHeaders && s.atHeader, kind == frameData && ends && !s.atHeader:
			if !s.reply(conn, stream) {
				return
			}
		}
	}
}

func (s *rude) reply(conn net.Conn, stream uint32) (goOn bool) {
	if s.answer != nil {
		_, _ = conn.Write(s.answer(stream))
	}
	if s.trickle != nil {
		go func() {
			for range 200 {
				if _, err := conn.Write(s.trickle(stream)); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
	}
	return !s.hangsUp
}

// rudeServers are what HTTP/2 allows a server to do, and what it does not.
var rudeServers = map[string]*rude{
	"no settings":         {silent: true},
	"no answer to a ping": {deaf: true},
	"hangs":               {},
	"goes away at once":   {greeting: frame(frameGoAway, 0, 0, make([]byte, 8)...)},
	"goes away at a request": {answer: func(uint32) []byte {
		return frame(frameGoAway, 0, 0, make([]byte, 8)...)
	}},
	"hangs up at a header": {atHeader: true, hangsUp: true},
	"hangs up after its own": {hangsUp: true, answer: func(stream uint32) []byte {
		return frame(frameHeaders, flagWhole, stream, status200)
	}},
	"never ends": {answer: func(stream uint32) []byte { return frame(frameHeaders, flagWhole, stream, status200) }},
	"trickles": {
		answer:  func(stream uint32) []byte { return frame(frameHeaders, flagWhole, stream, status200) },
		trickle: func(stream uint32) []byte { return frame(frameData, 0, stream, ' ') },
	},
	"resets": {answer: func(stream uint32) []byte { return frame(frameReset, 0, stream, 0, 0, 0, 2) }},
	"resets after a header": {answer: func(stream uint32) []byte {
		return append(frame(frameHeaders, flagWhole, stream, status200), frame(frameReset, 0, stream, 0, 0, 0, 0)...)
	}},
	"refuses at the header": {atHeader: true, answer: func(stream uint32) []byte { return frame(frameReset, 0, stream, 0, 0, 0, 7) }},
	"allows no stream":      {settings: setting(3, 0)},
	"allows no byte":        {settings: setting(4, 0)},
	"only goes on": {answer: func(stream uint32) []byte {
		return frame(frameHeaders, flagWhole, stream, 0x48, 3, '1', '0', '0')
	}},
	"goes on and on": {
		answer:  func(stream uint32) []byte { return frame(frameHeaders, flagWhole, stream, 0x48, 3, '1', '0', '3') },
		trickle: func(stream uint32) []byte { return frame(frameHeaders, flagWhole, stream, 0x48, 3, '1', '0', '3') },
	},
	"no status":        {answer: func(stream uint32) []byte { return frame(frameHeaders, flagWhole|flagEnd, stream) }},
	"a header unread":  {answer: func(stream uint32) []byte { return frame(frameHeaders, flagWhole|flagEnd, stream, 0xff, 0xff, 0xff) }},
	"body before head": {answer: func(stream uint32) []byte { return frame(frameData, flagEnd, stream, 'x') }},
	"header in pieces": {
		answer:  func(stream uint32) []byte { return frame(frameHeaders, 0, stream, status200) },
		trickle: func(stream uint32) []byte { return frame(frameContinuation, 0, stream, 0x00, 1, 'x', 1, 'y') },
	},
	"a frame too large": {answer: func(stream uint32) []byte { return frame(frameData, 0, stream, make([]byte, 1<<20)...) }},
	"a window of more than there is": {answer: func(uint32) []byte {
		return frame(frameWindow, 0, 0, 0x7f, 0xff, 0xff, 0xff)
	}},
	"noise": {greeting: []byte(strings.Repeat("\x01\x02\x03", 100))},
}

func TestRudeHTTP2(t *testing.T) {
	t.Parallel()
	all := map[string]func(net.Conn){}
	for name, server := range rudeServers {
		all[name] = server.serve
	}
	faceRude(t, Transport2, all)
}

// faceRude probes servers in every way of sending: whatever they do, the run
// ends in time, says why, and never passes. Most of that time is waiting, so
// all wait together.
func faceRude(t *testing.T, transport string, servers map[string]func(net.Conn)) {
	var group sync.WaitGroup
	for name, serve := range servers {
		for _, fire := range []string{"copies: 4, rounds: 2", "copies: 1, again_after: 10ms", "copies: 2, cut: true", "rate: 50, for: 100ms", "distinct: 3"} {
			text := strings.NewReplacer("copies: 4, rounds: 2, transport: TRANSPORT", fire+", transport: "+transport, "timeout: 1s", "timeout: 100ms").Replace(nastySpec)
			s := spec(t, accepting(t, serve), text)
			group.Go(func() {
				began := time.Now()
				result, err := Run(context.Background(), s, Deps{})
				var problem *casefile.Problem
				switch {
				case err != nil && !(errors.As(err, &problem) && problem.Hint != ""):
					t.Errorf("%s, %s: no problem with a next step: %v", name, fire, err)
				case err == nil && (result.Verdict != Inconclusive || strings.Contains(result.Reasons[0], "network error")):
					t.Errorf("%s, %s: %s %q", name, fire, result.Verdict, result.Reasons)
				}
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("%s, %s: it took %v", name, fire, took)
				}
			})
		}
	}
	group.Wait()
}

// A server that allows no stream is told from one whose window is too small.
func TestServersThatAllowNothing(t *testing.T) {
	for name, want := range map[string]string{"allows no stream": "allows no HTTP/2 stream", "allows no byte": "larger than the server's HTTP/2 window"} {
		_, err := Run(context.Background(), spec(t, accepting(t, rudeServers[name].serve), strings.ReplaceAll(nastySpec, "TRANSPORT", "http2")), Deps{})
		var problem *casefile.Problem
		if !errors.As(err, &problem) || !strings.Contains(problem.Message, want) || !strings.Contains(problem.Hint, "http1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
