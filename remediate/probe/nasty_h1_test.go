package probe

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// rude1 is a server that speaks HTTP/1.1 as badly as it is told to.
type rude1 struct {
	// greeting is sent before anything was asked.
	greeting string
	// deaf reads nothing; atHeader answers without waiting for the body.
	deaf, atHeader bool
	// answer is sent for every request. Then the connection ends where hangsUp,
	// by a reset where resets, and goes on in silence otherwise.
	answer          string
	hangsUp, resets bool
	// trickle is sent again and again after the answer.
	trickle string
}

func (s *rude1) serve(conn net.Conn) {
	defer conn.Close()
	if s.greeting != "" {
		_, _ = io.WriteString(conn, s.greeting)
	}
	in := bufio.NewReader(conn)
	for {
		if s.deaf {
			time.Sleep(2 * time.Second) // the probe's time-out is far shorter
			return
		}
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if !s.atHeader {
			_, _ = io.Copy(io.Discard, request.Body)
		}
		_, _ = io.WriteString(conn, s.answer)
		for n := 0; s.trickle != "" && n < 100; n++ {
			if _, err := io.WriteString(conn, s.trickle); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		if tcp, ok := conn.(*net.TCPConn); ok && s.resets {
			_ = tcp.SetLinger(0)
		}
		if s.resets || s.hangsUp {
			return
		}
	}
}

// rude1Servers are what HTTP/1.1 allows a server to do, and what it does not.
func rude1Servers() map[string]*rude1 {
	const ok = "HTTP/1.1 200 OK\r\n"
	bombed := fmt.Sprintf(ok+"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(packed()), packed())
	return map[string]*rude1{
		"never reads":                 {deaf: true},
		"hangs":                       {},
		"hangs up":                    {hangsUp: true},
		"hangs up at a header":        {atHeader: true, hangsUp: true},
		"resets":                      {resets: true},
		"resets at a header":          {atHeader: true, resets: true},
		"resets after its header":     {answer: ok + "Content-Length: 9\r\n\r\n", resets: true},
		"speaks first":                {greeting: "220 mail.example.com ESMTP\r\n"},
		"noise":                       {greeting: "\x00\x01\x02\x03"},
		"HTTP/2":                      {answer: "\x00\x00\x00\x04\x00\x00\x00\x00\x00", hangsUp: true},
		"no status":                   {answer: "HTTP/1.1\r\n\r\n"},
		"half a status":               {answer: "HTTP/1.1 20"},
		"half a header":               {answer: ok + "Content-", hangsUp: true},
		"ends after its header":       {answer: ok + "Content-Length: 9\r\n\r\n", hangsUp: true},
		"hangs after its header":      {answer: ok + "Content-Length: 9\r\n\r\n"},
		"hangs in the middle":         {answer: ok + "Content-Length: 9\r\n\r\nabc"},
		"two lengths":                 {answer: ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
		"a negative length":           {answer: ok + "Content-Length: -1\r\n\r\n"},
		"chunks without an end":       {answer: ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"},
		"chunks of no size":           {answer: ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"},
		"a chunk too large":           {answer: ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"},
		"trickles its header":         {answer: ok, trickle: "X-A: b\r\n"},
		"trickles its body":           {answer: ok + "Content-Length: 900\r\n\r\n", trickle: " "},
		"trickles chunks":             {answer: ok + "Transfer-Encoding: chunked\r\n\r\n", trickle: "1\r\n \r\n"},
		"only goes on":                {answer: "HTTP/1.1 100 Continue\r\n\r\n"},
		"goes on and on":              {answer: "HTTP/1.1 103 Early Hints\r\n\r\n", trickle: "HTTP/1.1 103 Early Hints\r\n\r\n"},
		"an endless header":           {answer: ok + "X-A: " + strings.Repeat("y", 2<<20)},
		"many headers":                {answer: ok + strings.Repeat("X-A: "+strings.Repeat("y", 1000)+"\r\n", 2000)},
		"a huge body":                 {answer: ok + "Content-Length: 3000000\r\n\r\n" + strings.Repeat("x", 3_000_000)},
		"a body without an end":       {answer: ok + "\r\n", trickle: strings.Repeat("x", 1<<16)},
		"a bomb":                      {answer: bombed},
		"half a packed body":          {answer: ok + "Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\n" + string(packed()[:12])},
		"packed in an unknown way":    {answer: ok + "Content-Encoding: br\r\nContent-Length: 3\r\n\r\n???"},
		"packed, as it says, and not": {answer: ok + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"},
		"another protocol":            {answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"},
	}
}

func TestRudeHTTP1(t *testing.T) {
	t.Parallel()
	all := map[string]func(net.Conn){}
	for name, server := range rude1Servers() {
		all[name] = server.serve
	}
	faceRude(t, Transport1, all)
}

// A health endpoint may be as rude, and ends no later than it is given.
func TestRudeHealth(t *testing.T) {
	for name, server := range rude1Servers() {
		text := strings.NewReplacer("TRANSPORT", Transport1, "copies: 4, rounds: 2", "copies: 1, rounds: 1", "timeout: 1s", "timeout: 100ms").Replace(nastySpec)
		s := spec(t, serve(t, fixedShop(), false).URL, text+"health: {url: \""+accepting(t, server.serve)+"\", status: [101, 2xx], json: {status: well}}\n")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			result := run(t, s, nil)
			if len(result.Health) == 0 || result.Health[0].OK || result.Verdict == Pass {
				t.Errorf("%s %+v", result.Verdict, result.Health)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
