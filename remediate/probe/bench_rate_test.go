package probe

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// nodeTarget remembers every message, as a target with a table would. It ends
// with its input.
const nodeTarget = `
const http = require('http'), seen = new Set()
http.createServer((request, response) => {
  let body = ''
  request.on('data', (part) => { body += part })
  request.on('end', () => {
    response.setHeader('content-type', 'application/json')
    const id = body && JSON.parse(body).id
    response.end(JSON.stringify({ status: !id ? 'healthy' : seen.has(id) ? 'duplicate' : 'accepted' }))
    seen.add(id)
  })
}).listen(0, '127.0.0.1', function () { console.log('http://127.0.0.1:' + this.address().port) })
process.stdin.resume().on('end', () => process.exit(0))
`

func startNode(tb testing.TB) (url string) {
	tb.Helper()
	node := exec.Command("node", "--eval", nodeTarget)
	node.Stderr = os.Stderr
	input, err := node.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	output, err := node.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := node.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = input.Close()
		_ = node.Wait()
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, output) }()
	return strings.TrimSpace(line)
}

// residentMB is the memory that the kernel counts for this program (proc(5),
// statm: the second figure, in pages).
func residentMB(tb testing.TB) float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		tb.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		tb.Fatal(err)
	}
	return float64(pages) * float64(os.Getpagesize()) / 1e6
}

// BenchmarkSustained keeps 100 messages a second up for MINUTES, 10 where it is
// not set, and prints how well, and what memory that takes.
func BenchmarkSustained(b *testing.B) {
	minutes, err := strconv.Atoi(cmp.Or(os.Getenv("MINUTES"), "10"))
	if err != nil || minutes < 1 {
		b.Fatal("MINUTES is a whole number")
	}
	text := fmt.Sprintf(`
probe: v1
target: URL/webhook
vars: {id: "{{.UUID}}"}
limit: %dm
request: {body: '{"id":"{{.id}}"}'}
fire: {rate: 100, for: %dm}
expect: {responses: [{name: accepted, status: 200, json: {status: accepted}, exactly: %d}]}
health: {url: "URL/health", json: {status: healthy}}
`, minutes+2, minutes, minutes*6000)
	s := spec(b, startNode(b), text)
	over, memory := make(chan struct{}), make(chan []float64)
	go func() {
		var seen []float64
		for {
			select {
			case <-over:
				memory <- seen
				return
			case <-time.After(time.Second):
				seen = append(seen, residentMB(b))
			}
		}
	}()
	result := run(b, s, nil)
	close(over)
	seen := <-memory
	quarter := len(seen) / 4
	middle := func(list []float64) float64 { return slices.Sorted(slices.Values(list))[len(list)/2] }
	first, last := middle(seen[quarter:2*quarter]), middle(seen[3*quarter:])
	rate := result.Rates[0].Achieved
	fmt.Println()
	figure(b, fmt.Sprintf("100 requests a second for %d min, %s", minutes, result.Verdict), "within 1 %", result.Verdict == Pass && rate >= 99 && rate <= 101, "%.2f a second, %d messages", rate, result.Rates[0].Messages)
	figure(b, "  memory, second quarter to last", "flat", last <= 1.1*first, "%.1f MB, then %.1f MB", first, last)
}
