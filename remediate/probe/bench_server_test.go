package probe

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"twinrow/detect/source/sourcetest/pgserver"
)

// benchRole makes the test binary a server of its own, as a target is: in one
// process with the probe it would share a scheduler and a garbage collector.
const benchRole = "TWINROW_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(benchRole) != "" {
		serveBench()
		return
	}
	os.Exit(pgserver.Run(m))
}

// benchTarget is the one handler that all load tools fire at: it notes when a
// request is whole. With a window it checks, works, and inserts.
type benchTarget struct {
	mu      sync.Mutex
	arrived []time.Time
	winners map[string]int
}

func (b *benchTarget) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	now := time.Now()
	window, _ := time.ParseDuration(r.Header.Get("X-Window"))
	b.mu.Lock()
	b.arrived = append(b.arrived, now)
	taken := b.winners[string(body)] > 0
	b.mu.Unlock()
	if window > 0 && !taken {
		work(now, window)
		b.mu.Lock()
		b.winners[string(body)]++
		b.mu.Unlock()
	}
	w.WriteHeader(http.StatusNoContent)
}

// work takes as long as a look into a database: short ones at full speed,
// because a sleep has a grain of a millisecond.
func work(began time.Time, window time.Duration) {
	if window >= time.Millisecond {
		time.Sleep(window)
		return
	}
	for time.Since(began) < window {
	}
}

// round is what a target saw since it was last asked.
type benchRound struct {
	// Arrived are nanoseconds after the first, in order.
	Arrived []int64
	// Winners are the inserts of each body.
	Winners map[string]int
}

func (b *benchTarget) take(w http.ResponseWriter, _ *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.SortFunc(b.arrived, time.Time.Compare)
	round := benchRound{Winners: b.winners}
	for _, at := range b.arrived {
		round.Arrived = append(round.Arrived, at.Sub(b.arrived[0]).Nanoseconds())
	}
	b.arrived, b.winners = b.arrived[:0], map[string]int{}
	_ = json.NewEncoder(w).Encode(round)
}

func serveBench() {
	target := &benchTarget{winners: map[string]int{}}
	mux := http.NewServeMux()
	mux.Handle("/", target)
	mux.HandleFunc("/take", target.take)
	for _, secure := range []bool{false, true} {
		server := httptest.NewUnstartedServer(mux)
		server.Config.Protocols = new(http.Protocols)
		server.Config.Protocols.SetHTTP1(true)
		server.Config.Protocols.SetHTTP2(true)
		server.Config.Protocols.SetUnencryptedHTTP2(true)
		server.EnableHTTP2 = true
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		if secure {
			server.StartTLS()
		} else {
			server.Start()
		}
		fmt.Println(server.Listener.Addr())
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // it ends with its input
}

// benchServer is a server in a process of its own.
type benchServer struct{ plain, secure string }

func startBench(tb testing.TB) *benchServer {
	tb.Helper()
	command := exec.CommandContext(context.Background(), os.Args[0])
	command.Env = append(os.Environ(), benchRole+"=1")
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := command.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = input.Close()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(output)
	s := &benchServer{}
	for _, to := range []*string{&s.plain, &s.secure} {
		if !lines.Scan() {
			tb.Fatal("the server did not start")
		}
		*to = strings.TrimSpace(lines.Text())
		if _, _, err := net.SplitHostPort(*to); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// take asks what arrived since the last time.
func (s *benchServer) take(tb testing.TB) benchRound {
	tb.Helper()
	response, err := http.Get("http://" + s.plain + "/take")
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	var round benchRound
	if err := json.NewDecoder(response.Body).Decode(&round); err != nil {
		tb.Fatal(err)
	}
	return round
}
