package apply

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"
)

// benchRows is the size of the table: $ROWS, or 1,000,000. One row in a
// hundred has a copy.
func benchRows() int {
	if n, err := strconv.Atoi(os.Getenv("ROWS")); err == nil && n >= 100 {
		return n
	}
	return 1_000_000
}

// benchCalm is how long the application is alone; benchPause is apply's own.
const (
	benchCalm  = 10 * time.Second
	benchPause = 20 * time.Millisecond
)

// payments makes a large table with copies and a case of it, with the fence up
// if told so. It has the rows where an application would have put them, which
// an undo would not.
func payments(b *testing.B, fenced bool) *story {
	b.Helper()
	server := pgserver.Start(b, "fsync=on", "full_page_writes=on", "shared_buffers=1GB", "max_wal_size=16GB", "checkpoint_timeout=30min", "autovacuum=on", "maintenance_work_mem=512MB",
		"wal_level=minimal", "max_wal_senders=0") // so that the table is made in a moment
	url := server.Database(b)
	began := time.Now()
	psql(b, url, fmt.Sprintf(`CREATE TABLE payments AS SELECT g::bigint AS id, 'pi_' || md5((g - CASE WHEN g %% 100 = 0 THEN 50 ELSE 0 END)::text) AS payment, 1 AS number,
  'customer' || (g - CASE WHEN g %% 100 = 0 THEN 50 ELSE 0 END) || '@example.com' AS email, 4500 AS amount, repeat('x', 60) AS note, timestamptz '2025-01-01' + g * interval '1 second' AS created_at FROM generate_series(1, %d) AS g;
ALTER TABLE payments ADD PRIMARY KEY (id); VACUUM (ANALYZE) payments;`, benchRows()))
	s := scanned(b, "postgres", url, plan.Options{Strategy: plan.Online}, source.Request{Table: "payments", Key: []string{"payment", "number"}, Time: "created_at"})
	if fenced {
		s.timed(b, UntilFence)
	}
	psql(b, url, "CHECKPOINT")
	b.Logf("%d rows made in %s", benchRows(), time.Since(began).Round(time.Second))
	return s
}

// timing is what one run of apply took. read is from its start to the first
// batch, rows from there to the end of the last.
type timing struct {
	whole, read, rows, locked time.Duration
	removed                   int
}

// clock is a Counter that notes when the batches begin and end.
type clock struct{ start, end time.Time }

func (c *clock) Step(string, string) {}
func (c *clock) Start(string, int64) { c.start = time.Now() }
func (c *clock) Add(int64)           {}
func (c *clock) Done()               { c.end = time.Now() }

// timed runs apply as the command does, from the files of the case.
func (s *story) timed(b *testing.B, until string) timing {
	b.Helper()
	start, c := time.Now(), &clock{}
	var err error
	if s.opened, err = casefile.Open(s.opened.Dir); err != nil {
		b.Fatal(err)
	}
	if s.plan, err = plan.Read(s.opened.Dir); err != nil {
		b.Fatal(err)
	}
	result, err := s.try(Options{Until: until, Pause: benchPause, Allow: allHazards, Progress: c})
	if err != nil {
		b.Fatal(full(err))
	}
	t := result.Tables[0]
	return timing{time.Since(start), c.start.Sub(start), c.end.Sub(c.start), time.Duration(t.LongestLockUS) * time.Microsecond, t.Rows}
}

// selfJoin is how long the statement takes that people write by hand; it is
// rolled back.
func selfJoin(b *testing.B, url string) time.Duration {
	b.Helper()
	start := time.Now()
	psql(b, url, "BEGIN; DELETE FROM payments AS a USING payments AS b WHERE a.payment = b.payment AND a.number = b.number AND a.id > b.id; ROLLBACK;")
	return time.Since(start)
}

// BenchmarkBatchesAlone compares batches with the statement that people write
// by hand. Both begin at a checkpoint, after which the first change of each
// page goes to the log as a whole page.
func BenchmarkBatchesAlone(b *testing.B) {
	s := payments(b, true)
	for b.Loop() { // once: the table is clean after it
		join := selfJoin(b, s.where)
		psql(b, s.where, "CHECKPOINT")
		did := s.timed(b, UntilClean)
		fmt.Printf("\n%-36s %10s %10s\n", fmt.Sprintf("%d rows, %d surplus", benchRows(), did.removed), "measured", "asked")
		fmt.Printf("%-36s %9.2fs %10s\n", "batches of 1,000, 20 ms between two", did.rows.Seconds(), "<= 5 s")
		fmt.Printf("%-36s %9.2fs\n%-36s %9.2fs\n", "  before them: reading case and plan", did.read.Seconds(), "  the whole command", did.whole.Seconds())
		fmt.Printf("%-36s %9.2fs\n", "self-join DELETE", join.Seconds())
		fmt.Printf("%-36s %9.2fx %10s\n", "times faster: batches", join.Seconds()/did.rows.Seconds(), ">= 2.5")
		fmt.Printf("%-36s %9.2fx\n", "times faster: the whole command", join.Seconds()/did.whole.Seconds())
		fmt.Printf("%-36s %8.1fms %10s\n", "longest row-lock hold", ms(did.locked), "<= 100 ms")
	}
}

// BenchmarkBatchesBeside measures an application while rows are removed.
func BenchmarkBatchesBeside(b *testing.B) {
	s := payments(b, true)
	beside(b, s, UntilClean)
}

// BenchmarkIndexesBeside measures an application during the steps around: two
// indexes over the whole table are built, and no pause makes that small on a
// machine of few cores.
func BenchmarkIndexesBeside(b *testing.B) {
	s := payments(b, false)
	beside(b, s, UntilFence, UntilClean, UntilIndex, "")
	wantOK(b, s.verify())
}

func beside(b *testing.B, s *story, steps ...string) {
	b.Helper()
	for b.Loop() {
		calm := during(b, s.where, benchRows(), func() { time.Sleep(benchCalm) })
		fmt.Printf("\n%-10s %8s %9s %8s %8s %8s %9s %11s\n", "beside", "wall", "locked", "n", "p50", "p99", "longest", "p99 is")
		row := func(name string, did timing, waits []time.Duration) {
			fmt.Printf("%-10s %7.1fs %7.1fms %8d %6.1fms %6.1fms %7.1fms %7.2f x\n", name, did.whole.Seconds(), ms(did.locked), len(waits), ms(at(waits, 0.5)), ms(at(waits, 0.99)), ms(at(waits, 1)), ms(at(waits, 0.99))/ms(at(calm, 0.99)))
		}
		row("nothing", timing{whole: benchCalm}, calm)
		var every []time.Duration
		for _, until := range steps {
			var did timing
			waits := during(b, s.where, benchRows(), func() { did = s.timed(b, until) })
			row(map[string]string{"": "unfence"}[until]+until, did, waits)
			every = append(every, waits...)
		}
		slices.Sort(every)
		row("all", timing{}, every)
		fmt.Println("asked: p99 <= 1.3 x, longest <= 250 ms, locked <= 100 ms")
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func at(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
