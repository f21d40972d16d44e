package apply

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// How long the application is measured by itself, beside a reader, and beside
// the batches, which are stopped then.
const (
	benchCalm   = 20 * time.Second
	benchReader = 10 * time.Second
	benchBeside = 30 * time.Second
)

const benchAsked = "asked: p99 <= 1.3 x, longest <= 250 ms, row-lock hold <= 100 ms"

// BenchmarkBatchesBeside measures an application while rows are removed.
func BenchmarkBatchesBeside(b *testing.B) {
	s := payments(b, true)
	for b.Loop() {
		t := s.beside(b)
		t.step(UntilClean)
		fmt.Println(benchAsked)
	}
}

// BenchmarkIndexesBeside measures an application during the steps around: two
// indexes over the whole table are built, each by one statement, which rests
// for nobody. The batches between them have the server for themselves.
func BenchmarkIndexesBeside(b *testing.B) {
	s := payments(b, false)
	for b.Loop() {
		t := s.beside(b)
		t.step(UntilFence)
		s.timed(b, UntilClean, 0)
		t.step(UntilIndex)
		t.step("")
		fmt.Println(benchAsked)
		wantOK(b, s.verify())
	}
}

// besideTable prints what an application waited beside this and that.
type besideTable struct {
	*story
	b *testing.B
	// calm is the p99 beside nothing.
	calm time.Duration
}

// beside begins with what the machine can take: the application by itself, and
// beside one connection that does nothing but read.
func (s *story) beside(b *testing.B) *besideTable {
	b.Helper()
	t := &besideTable{story: s, b: b}
	fmt.Printf("\n%-24s %7s %7s %8s %8s %9s %11s\n", "beside", "wall", "n", "p50", "p99", "longest", "p99 is")
	calm := sorted(during(b, s.where, benchRows(), func() { time.Sleep(benchCalm) }))
	t.calm = at(calm, 0.99)
	t.row("nothing", benchCalm, calm)
	t.row("one SELECT count(*)", benchReader, sorted(during(b, s.where, benchRows(), func() { s.read(b, benchReader) })))
	return t
}

// read keeps one connection busy, and with it one core of the server.
func (s *story) read(b *testing.B, long time.Duration) {
	b.Helper()
	for end := time.Now().Add(long); time.Now().Before(end); {
		psql(b, s.where, "SET max_parallel_workers_per_gather = 0; SELECT count(*) FROM payments")
	}
}

// step measures one step of a clean-up, and apart from it the reading of case
// and plan before its batches.
func (t *besideTable) step(until string) {
	t.b.Helper()
	var did timing
	waits := during(t.b, t.where, benchRows(), func() { did = t.timed(t.b, until, benchBeside) })
	name := map[string]string{UntilFence: "putting up the fence", UntilIndex: "building the index", "": "taking the fence away"}[until]
	if until != UntilClean {
		t.row(name, did.whole, sorted(waits))
		return
	}
	first := did.began.Add(did.read)
	t.row("reading case and plan", did.read, sorted(due(waits, did.began, first)))
	t.row("removing rows", did.rows, sorted(due(waits, first, first.Add(did.rows))))
	fmt.Printf("  %.0f rows/s: 100,000 take %.0f s; longest row-lock hold %.1f ms\n", float64(did.removed)/did.rows.Seconds(), 1e5*did.rows.Seconds()/float64(did.removed), ms(did.locked))
}

func (t *besideTable) row(name string, wall time.Duration, waits []time.Duration) {
	fmt.Printf("%-24s %6.1fs %7d %6.1fms %6.1fms %7.1fms %9.2f x\n", name, wall.Seconds(), len(waits), ms(at(waits, 0.5)), ms(at(waits, 0.99)), ms(at(waits, 1)), float64(at(waits, 0.99))/float64(t.calm))
}

// due are the transactions that were due from start to end.
func due(waits []wait, start, end time.Time) []wait {
	return slices.DeleteFunc(slices.Clone(waits), func(w wait) bool { return w.Due.Before(start) || !w.Due.Before(end) })
}

// sorted are their times.
func sorted(waits []wait) []time.Duration {
	var times []time.Duration
	for _, w := range waits {
		times = append(times, w.Took)
	}
	slices.Sort(times)
	return times
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func at(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
