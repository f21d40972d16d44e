package probe

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"twinrow/detect/casefile"
	instant "twinrow/detect/source"
)

// readTime is what the command line gives for ParseTime.
func readTime(text string) (time.Time, time.Duration, error) {
	at, err := instant.ParseInstant(text)
	grain := time.Second
	for range at.Digits {
		grain /= 10
	}
	return at.Time, grain, err
}

// clocked is a shop that tells when it worked on a request.
type clocked struct {
	*shop
	// worker, where it is not nil, is a queue before which no time is taken; a
	// shop's lane is one that its times include, as a proxy's do.
	worker *sync.Mutex
	tell   func(http.ResponseWriter, *http.Request, time.Time, time.Time)
}

func (c *clocked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.worker != nil {
		c.worker.Lock()
		defer c.worker.Unlock()
	}
	began := time.Now()
	answer := &held{ResponseWriter: w}
	c.shop.ServeHTTP(answer, r)
	c.tell(w, r, began, time.Now())
	_, _ = w.Write(answer.body)
}

// held keeps an answer's body until its header is complete.
type held struct {
	http.ResponseWriter
	body []byte
}

func (h *held) Write(p []byte) (int, error) {
	h.body = append(h.body, p...)
	return len(p), nil
}

func tells(name string, value func(began, ended time.Time) string) func(http.ResponseWriter, *http.Request, time.Time, time.Time) {
	return func(w http.ResponseWriter, _ *http.Request, began, ended time.Time) {
		w.Header().Set(name, value(began, ended))
	}
}

var both = tells("X-Handled", func(began, ended time.Time) string {
	return began.UTC().Format(time.RFC3339Nano) + " " + ended.UTC().Format(time.RFC3339Nano)
})

// quickShop answers sooner than can be judged from outside.
func quickShop() *shop {
	return &shop{booked: map[string]int{}, window: time.Millisecond, fixed: true}
}

func timed(t testing.TB, target *clocked, transport, times string) *Result {
	t.Helper()
	text := strings.NewReplacer("TRANSPORT", transport, "rounds: 3", "rounds: 10", "copies: 5", "copies: 10", "exactly: 4", "exactly: 9").Replace(seatSpec) + "server_times: " + times + "\n"
	s := spec(t, serve(t, target, false).URL, text)
	return runTimed(t, s, target.shop)
}

func runTimed(t testing.TB, s *Spec, target *shop) *Result {
	t.Helper()
	result, err := Run(context.Background(), s, Deps{Version: "test", ParseTime: readTime, OpenRows: func(context.Context, string) (RowSource, error) {
		return rows{target}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// A target that answers too fast to be judged from outside passes by its own
// times, and the window that it would have shown is named.
func TestQuickTargetPassesByItsOwnTimes(t *testing.T) {
	for _, transport := range []string{"http1", "http2"} {
		target := &clocked{shop: quickShop(), tell: both}
		result := timed(t, target, transport, "{header: x-handled}")
		if result.Verdict != Pass {
			t.Fatalf("%s: %q %+v", result.Verdict, result.Reasons, result.Overlap)
		}
		c := result.Confidence
		if c.WindowUS == nil || *c.WindowUS < 1 || *c.Probability < 0.999 || !strings.Contains(c.Statement, "would have been caught with 99.9 % probability in these 10 rounds") {
			t.Errorf("%+v", c)
		}
		if result.Overlap.FirstTwoUS == nil || *result.Overlap.Parallelism < 2.5 {
			t.Errorf("%+v", result.Overlap)
		}
	}
}

// Wherever a single worker's times are taken, in it or before its queue, it
// does not pass.
func TestQuickSingleWorkerNeverPassesByItsOwnTimes(t *testing.T) {
	for _, window := range []time.Duration{0, 300 * time.Microsecond, time.Millisecond} {
		for _, inside := range []bool{false, true} {
			target := &clocked{shop: quickShop(), tell: both}
			target.window, target.worker = window, &sync.Mutex{}
			if inside {
				target.worker, target.lane = nil, target.worker
			}
			if result := timed(t, target, "http2", "{header: x-handled}"); result.Verdict == Pass {
				t.Errorf("a single worker of %v, the wait for it told %v, passed: %+v", window, inside, result.Overlap)
			}
		}
	}
}

// Times that cannot be used are no times, and the reason says why.
func TestTimesThatProveNothing(t *testing.T) {
	start := time.Now().UTC().Format(time.RFC3339Nano)
	for _, test := range []struct {
		name, times, want string
		tell              func(http.ResponseWriter, *http.Request, time.Time, time.Time)
	}{
		{"none", "{header: x-handled}", "the target told no time", func(http.ResponseWriter, *http.Request, time.Time, time.Time) {}},
		{"of a cache", "{header: x-handled}", "they are of several clocks, of other requests, or from a cache",
			tells("X-Handled", func(time.Time, time.Time) string { return start })},
		{"the beginning alone", "{header: x-handled}", "tells when it began a request, but not when it ended",
			tells("X-Handled", func(began, _ time.Time) string { return fmt.Sprint(began.UnixNano()) })},
		{"backwards", "{header: x-handled}", "ended before it began",
			tells("X-Handled", func(began, ended time.Time) string {
				return fmt.Sprint(ended.Add(time.Second).UnixMicro(), "/", began.UnixMicro())
			})},
		{"too long", "{header: server-timing, metric: app}", "took longer than its answer",
			tells("Server-Timing", func(time.Time, time.Time) string { return "db;dur=1, app;desc=all;dur=9000.5" })},
		{"another metric", "{header: server-timing, metric: app}", "the target told no time",
			tells("Server-Timing", func(time.Time, time.Time) string { return "db;dur=1" })},
		{"no time at all", "{header: x-handled}", "the target told no time", tells("X-Handled", func(time.Time, time.Time) string { return "yes" })},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := timed(t, &clocked{shop: quickShop(), tell: test.tell}, "http2", test.times)
			if result.Verdict != Inconclusive || !strings.Contains(strings.Join(result.Reasons, "\n"), test.want) || result.Confidence.WindowUS != nil {
				t.Errorf("%s: %q", result.Verdict, result.Reasons)
			}
		})
	}
}

// Durations prove overlap, but no window.
func TestDurationsAlone(t *testing.T) {
	target := &clocked{shop: quickShop(), tell: tells("Server-Timing", func(began, ended time.Time) string {
		return fmt.Sprintf("db;dur=0.1, app;dur=%.3f", float64(ended.Sub(began).Nanoseconds())/1e6)
	})}
	result := timed(t, target, "http2", "{header: server-timing, metric: app}")
	if result.Verdict != Pass || result.Confidence.WindowUS != nil || !strings.Contains(result.Confidence.Statement, "but not when it began") {
		t.Errorf("%s: %q %+v %+v", result.Verdict, result.Reasons, result.Confidence, result.Overlap)
	}
}

// timeRows hands out the times of each seat; they show up late.
type timeRows struct {
	rows
	mu    sync.Mutex
	times map[string][2]string
	asked map[string]int
}

func (q *timeRows) Query(ctx context.Context, sql string, args []string) ([][]*string, error) {
	if !strings.Contains(sql, "began") {
		return q.rows.Query(ctx, sql, args)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	times, ok := q.times[args[0]]
	if q.asked[args[0]]++; !ok || len(q.asked) < 10 && q.asked[args[0]] < 2 {
		return nil, nil
	}
	return [][]*string{{&times[0], &times[1]}}, nil
}

func TestTimesInRowsAndLogs(t *testing.T) {
	log := filepath.Join(t.TempDir(), "app.log")
	if err := os.WriteFile(log, []byte("begin\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	target := &clocked{shop: quickShop()}
	source := &timeRows{rows: rows{target.shop}, times: map[string][2]string{}, asked: map[string]int{}}
	target.tell = func(_ http.ResponseWriter, r *http.Request, began, ended time.Time) {
		seat := r.URL.Query().Get("seat")
		source.mu.Lock()
		defer source.mu.Unlock()
		const layout = "2006-01-02 15:04:05.000000-07"
		source.times[seat] = [2]string{began.UTC().Format(layout), ended.UTC().Format(layout)}
		file, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Error(err)
			return
		}
		defer file.Close()
		fmt.Fprintf(file, "at %s done %s since %s\n", ended.UTC().Format(time.RFC3339Nano), seat, began.UTC().Format(time.RFC3339Nano))
	}
	for name, times := range map[string]string{
		"rows": `{source: s, sql: "SELECT began, ended", args: ["{{.seat}}"]}`,
		"log":  `{log: ` + log + `, began: 'done {{.seat}} since (\S+)', ended: 'at (\S+) done {{.seat}} '}`,
	} {
		text := strings.NewReplacer("TRANSPORT", "http2", "rounds: 3", "rounds: 10", "URL/book", "URL/book?seat={{.seat}}").Replace(seatSpec) + "server_times: " + times + "\n"
		result, err := Run(context.Background(), spec(t, serve(t, target, false).URL, text), Deps{ParseTime: readTime, OpenRows: func(context.Context, string) (RowSource, error) {
			return source, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if result.Verdict != Pass || result.Confidence.WindowUS == nil {
			t.Errorf("%s: %s %q %+v %+v", name, result.Verdict, result.Reasons, result.Overlap, result.Confidence)
		}
	}
}

// The rounds that a window needs are worked out from the control rounds.
func TestUntilWindow(t *testing.T) {
	target := &clocked{shop: quickShop(), tell: both}
	text := strings.NewReplacer("TRANSPORT", "http2", ", rounds: 3", "").Replace(seatSpec) + "server_times: {header: x-handled}\n"
	s := spec(t, serve(t, target, false).URL, text)
	if err := s.UntilWindow(2 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	result := runTimed(t, s, target.shop)
	if result.Verdict != Pass || *result.Confidence.WindowUS != 2000 || *result.Confidence.Probability < 0.999 || result.Rounds < 3 || result.Rounds > 40 {
		t.Errorf("%s: %q %d rounds %+v", result.Verdict, result.Reasons, result.Rounds, result.Confidence)
	}
	if err := s.UntilWindow(time.Microsecond); err != nil {
		t.Fatal(err)
	}
	// How often two requests arrive within a microsecond is the machine's: it
	// takes thousands of rounds, or more than there may be.
	result = runTimed(t, s, target.shop)
	promised := result.Confidence.WindowUS != nil && *result.Confidence.WindowUS == 1 && *result.Confidence.Probability >= 0.999
	given := result.Verdict == Inconclusive && strings.Contains(strings.Join(result.Reasons, "\n"), "window of 1µs")
	if given == (result.Verdict == Pass && promised) {
		t.Errorf("%s: %q %d rounds %+v", result.Verdict, result.Reasons, result.Rounds, result.Confidence)
	}
	plain := spec(t, serve(t, target, false).URL, strings.ReplaceAll(seatSpec, "TRANSPORT", "http2"))
	wantProblem(t, plain.UntilWindow(time.Millisecond), casefile.CodeBadInput, "needs the target's own times")
}

func TestServerTimesMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"{}":                                 "needs one of header, sql, log",
		"{header: a, log: b, began: (x)}":    "needs one of header, sql, log",
		"{metric: app, sql: s, source: x}":   "metric belongs to header",
		"{log: a}":                           "log and began belong together",
		"{header: 'a b'}":                    "cannot be the name of a header",
		"{header: a, ended: '(x)'}":          "ended belongs to log",
		"{sql: s, source: x, args: ['{{'] }": "cannot be filled in",
	} {
		_, err := ParseSpec("probe.yaml", []byte(strings.NewReplacer("URL", "http://127.0.0.1", "TRANSPORT", "auto").Replace(seatSpec)+"server_times: "+text+"\n"), noEnv)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// A probe of a URL reads the target's times from a header that a flag names. It
// passes a quick target, and never one that is a single worker.
func TestTimesByFlag(t *testing.T) {
	for name, lane := range map[Verdict]*sync.Mutex{Pass: nil, Inconclusive: {}} {
		target := &clocked{shop: quickShop(), tell: both}
		target.lane = lane
		s, err := FromFlags(Flags{
			URL: serve(t, target, false).URL + "/book", Transport: Transport2, Copies: 4, Keys: strings.Split("a b c d e f g h", " "), Body: `{"seat":"{{.Key}}"}`,
			Rows: "SELECT count(*) FROM seats WHERE seat = ?", RowsSource: "shop", ServerTimes: "x-handled",
		}, noEnv)
		if err != nil {
			t.Fatal(err)
		}
		if result := runTimed(t, s, target.shop); result.Verdict != name {
			t.Errorf("%s: %s %q %+v", name, result.Verdict, result.Reasons, result.Overlap)
		}
	}
	for told, want := range map[string]string{"SELECT 1": "need a specification", "server-timing:": "names no metric", "a(b)": "--server-times"} {
		_, err := FromFlags(Flags{URL: "http://127.0.0.1:1/", Copies: 2, ServerTimes: told}, noEnv)
		wantProblem(t, err, casefile.CodeUsage, want)
	}
}
