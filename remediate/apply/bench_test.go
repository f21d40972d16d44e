package apply

import (
	"context"
	"fmt"
	"os"
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

// benchPause is apply's own.
const benchPause = 20 * time.Millisecond

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
		s.timed(b, UntilFence, 0)
	}
	psql(b, url, "CHECKPOINT")
	b.Logf("%d rows made in %s", benchRows(), time.Since(began).Round(time.Second))
	return s
}

// timing is what one run of apply took. read is from its start, at began, to
// the first batch, rows from there to the end of the last.
type timing struct {
	began                     time.Time
	whole, read, rows, locked time.Duration
	removed                   int
}

// clock is a Counter that notes when the batches begin and end, and stops them
// after most, if that is not 0.
type clock struct {
	start, end time.Time
	most       time.Duration
	stop       func()
}

// Step is of no interest.
func (c *clock) Step(string, string) {}

// Start is where the batches begin.
func (c *clock) Start(string, int64) {
	c.start = time.Now()
	if c.most > 0 {
		time.AfterFunc(c.most, c.stop)
	}
}

// Add is of no interest.
func (c *clock) Add(int64) {}

// Done is where the batches end.
func (c *clock) Done() { c.end = time.Now() }

// timed runs apply as the command does, from the files of the case; after most
// it stops the batches, if that is not 0.
func (s *story) timed(b *testing.B, until string, most time.Duration) timing {
	b.Helper()
	start, c := time.Now(), &clock{}
	var err error
	if s.opened, err = casefile.Open(s.opened.Dir); err != nil {
		b.Fatal(err)
	}
	if s.plan, err = plan.Read(s.opened.Dir); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	target := s.open()
	defer target.Close()
	c.most, c.stop = most, cancel
	result, err := Run(ctx, target, s.opened, s.plan, Options{Until: until, Pause: benchPause, Allow: allHazards, Progress: c})
	if err != nil && ctx.Err() == nil {
		b.Fatal(full(err))
	}
	t := result.Tables[0]
	return timing{start, time.Since(start), c.start.Sub(start), c.end.Sub(c.start), time.Duration(t.LongestLockUS) * time.Microsecond, t.Rows}
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
		did := s.timed(b, UntilClean, 0)
		fmt.Printf("\n%-36s %10s %10s\n", fmt.Sprintf("%d rows, %d surplus", benchRows(), did.removed), "measured", "asked")
		fmt.Printf("%-36s %9.2fs %10s\n", "batches of 1,000, 20 ms between two", did.rows.Seconds(), "<= 5 s")
		fmt.Printf("%-36s %9.2fs\n%-36s %9.2fs\n", "  before them: reading case and plan", did.read.Seconds(), "  the whole command", did.whole.Seconds())
		fmt.Printf("%-36s %9.2fs\n", "self-join DELETE", join.Seconds())
		fmt.Printf("%-36s %9.2fx %10s\n", "times faster: batches", join.Seconds()/did.rows.Seconds(), ">= 2.5")
		fmt.Printf("%-36s %9.2fx\n", "times faster: the whole command", join.Seconds()/did.whole.Seconds())
		fmt.Printf("%-36s %8.1fms %10s\n", "longest row-lock hold", ms(did.locked), "<= 100 ms")
	}
}
