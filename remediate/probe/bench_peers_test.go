package probe

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"twinrow/remediate/probe/internal/gate"
)

// spans are the times from the first to the last arrival of several rounds,
// and between the first two, in nanoseconds.
type spans struct{ all, two []int64 }

func (s *spans) add(tb testing.TB, arrived []int64, n int) {
	if len(arrived) != n {
		tb.Fatalf("%d of %d requests arrived", len(arrived), n)
	}
	s.all, s.two = append(s.all, arrived[n-1]), append(s.two, arrived[1])
}

// at is a quantile in microseconds.
func at(list []int64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return float64(sorted[int(q*float64(len(sorted)-1))]) / 1e3
}

func orders(n int, address, window string, body func(int) string) []gate.Request {
	requests := make([]gate.Request, n)
	for i := range requests {
		requests[i] = gate.Request{Method: "POST", Scheme: "http", Authority: address, Path: "/", Body: []byte(body(i)),
			Header: []gate.Field{{Name: "X-Window", Value: window}}}
	}
	return requests
}

func one(int) string { return `{"seat":"A1"}` }

func ours(b *testing.B, server *benchServer, name string, n, rounds int) *spans {
	transport, address := benchTransport(server, name)
	defer transport.Close()
	s := &spans{}
	for range rounds {
		benchFire(b, transport, orders(n, address, "", one))
		s.add(b, server.take(b).Arrived, n)
	}
	return s
}

// peer runs another load tool once a round; a tool that is missing is a fault
// of the make target, which installs it.
func peer(b *testing.B, server *benchServer, n, rounds int, command *exec.Cmd) float64 {
	s := &spans{}
	for range rounds {
		once := exec.Command(command.Path, command.Args[1:]...)
		if out, err := once.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		s.add(b, server.take(b).Arrived, n)
	}
	return at(s.all, 0.5)
}

// k6Script is how k6's own manual has each of N users send one request: one
// iteration each, connections opened as they are needed.
const k6Script = `
import http from 'k6/http'
export const options = {insecureSkipTLSVerify: true, scenarios: {all: {executor: 'per-vu-iterations', vus: %d, iterations: 1}}}
export default () => http.post('%s', '{"seat":"A1"}')
`

// k6Warmed is what a user who knows that handshakes take their time would do:
// each user opens its connection first, and all of them sleep until one moment.
const k6Warmed = `
import http from 'k6/http'
import { sleep } from 'k6'
export const options = {insecureSkipTLSVerify: true, scenarios: {all: {executor: 'per-vu-iterations', vus: %d, iterations: 1}}}
export function setup() { return Date.now() + 1500 }
export default (at) => {
  http.get('%[2]stake')
  sleep((at - Date.now()) / 1000)
  http.post('%[2]s', '{"seat":"A1"}')
}
`

func k6(b *testing.B, script string, n int, url string) *exec.Cmd {
	path := filepath.Join(b.TempDir(), "script.js")
	if err := os.WriteFile(path, fmt.Appendf(nil, script, n, url), 0o600); err != nil {
		b.Fatal(err)
	}
	return exec.Command(cmp.Or(os.Getenv("TWINROW_K6"), "k6"), "run", "--quiet", "--no-usage-report", path)
}

func hey(n int, url string) *exec.Cmd {
	return exec.Command(cmp.Or(os.Getenv("TWINROW_HEY"), "hey"), "-n", fmt.Sprint(n), "-c", fmt.Sprint(n), "-m", "POST", "-d", one(0), url)
}

func curl(n int, url string) *exec.Cmd {
	return exec.Command("sh", "-c", fmt.Sprintf(`for i in $(seq %d); do curl -sk -d '{"seat":"A1"}' "$0" & done; wait`, n), url)
}

// figure prints what was measured beside what is asked for.
func figure(b *testing.B, name, want string, ok bool, got string, values ...any) {
	mark := "reached"
	if !ok {
		mark = "MISSED"
	}
	fmt.Printf("%-60s %-20s %-8s %s\n", name, want, mark, fmt.Sprintf(got, values...))
}

// BenchmarkFigures prints how tight the release is, beside other tools on the
// same handler, and how often a window of a vulnerable handler shows.
func BenchmarkFigures(b *testing.B) {
	server := startBench(b)
	fmt.Println()
	for _, n := range []int{30, 400} {
		tight(b, server, n)
	}
	const rounds = 3000
	caught := windows(b, server, "1ms", rounds)
	figure(b, "a 1 ms window, caught in one round", "≥ 99.9 % of 3,000", caught*1000 >= rounds*999, "%.2f %% of %d", 100*float64(caught)/rounds, rounds)
	caught = windows(b, server, "50us", rounds)
	share := float64(caught) / rounds
	figure(b, "a 0.05 ms window, caught in 20 rounds", "≥ 99.9 %", twenty(share) >= 0.999, "%.4f %% (one round: %.1f %%)", 100*twenty(share), 100*share)
}

// tight prints the spread of a release beside that of the peers, all of them
// at the same URL: in cleartext, and over TLS as almost every real target is.
func tight(b *testing.B, server *benchServer, n int) {
	rounds, want, tighter := 600, 350.0, 15.0
	if n == 400 {
		rounds, want, tighter = 200, 3000, 20
	}
	urls := map[string]string{"http2": "http://" + server.plain + "/", "http2-tls": "https://" + server.secure + "/"}
	for _, name := range []string{"http2", "http2-tls"} {
		url := urls[name]
		users := peer(b, server, n, 9, k6(b, k6Script, n, url))
		fmt.Printf("N = %d, %s…: k6 per-vu-iterations %.0f µs (its connections opened before, all sleeping until one moment: %.0f µs), hey %.0f µs, curl with a process each %.0f µs\n",
			n, url[:strings.Index(url, "/")+2], users, peer(b, server, n, 3, k6(b, k6Warmed, n, url)), peer(b, server, n, 5, hey(n, url)), peer(b, server, n, 2, curl(n, url)))
		s := ours(b, server, name, n, rounds)
		span := at(s.all, 0.5)
		figure(b, fmt.Sprintf("%s, first to last of %d, median", name, n), fmt.Sprintf("≤ %.0f µs", want), span <= want, "%.0f µs (95 %%: %.0f µs)", span, at(s.all, 0.95))
		figure(b, "  tighter than k6", fmt.Sprintf("≥ %.0f times", tighter), users >= tighter*span, "%.0f times", users/span)
		if n == 30 {
			figure(b, "  between the first two, median", "≤ 25 µs", at(s.two, 0.5) <= 25, "%.1f µs", at(s.two, 0.5))
			figure(b, "  between the first two, 95 %", "≤ 60 µs", at(s.two, 0.95) <= 60, "%.1f µs", at(s.two, 0.95))
		}
	}
	for _, name := range []string{"http1", "http1-tls"} {
		s := ours(b, server, name, n, rounds/3)
		fmt.Printf("%s: first to last %.0f µs, first two %.1f µs (95 %%: %.1f µs)\n", name, at(s.all, 0.5), at(s.two, 0.5), at(s.two, 0.95))
	}
}

// twenty is the chance of one of twenty rounds.
func twenty(share float64) float64 {
	miss := 1.0
	for range 20 {
		miss *= 1 - share
	}
	return 1 - miss
}

// windows counts the rounds of 30 copies that had several winners.
func windows(b *testing.B, server *benchServer, window string, rounds int) int {
	transport, address := benchTransport(server, "http2")
	defer transport.Close()
	caught := 0
	for round := range rounds {
		seat := fmt.Sprintf(`{"seat":"%d"}`, round)
		benchFire(b, transport, orders(30, address, window, func(int) string { return seat }))
		if server.take(b).Winners[seat] > 1 {
			caught++
		}
	}
	return caught
}
