package apply

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

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

const (
	benchRate    = 500 // transactions a second of the application
	benchWorkers = 10
	benchCalm    = 10 * time.Second
)

// BenchmarkOnline cleans a large table while an application goes on using it,
// and prints its figures beside those that are asked for. The self-join is the
// statement that people write by hand.
func BenchmarkOnline(b *testing.B) {
	rows := benchRows()
	server := pgserver.Start(b, "fsync=on", "full_page_writes=on", "shared_buffers=1GB", "max_wal_size=16GB", "checkpoint_timeout=30min", "autovacuum=on", "maintenance_work_mem=512MB",
		"wal_level=minimal", "max_wal_senders=0") // so that the table is made in a moment
	url := server.Database(b)
	began := time.Now()
	psql(b, url, fmt.Sprintf(`CREATE TABLE payments AS SELECT g::bigint AS id, 'pi_' || md5((g - CASE WHEN g %% 100 = 0 THEN 50 ELSE 0 END)::text) AS payment, 1 AS number,
  'customer' || (g - CASE WHEN g %% 100 = 0 THEN 50 ELSE 0 END) || '@example.com' AS email, 4500 AS amount, repeat('x', 60) AS note, timestamptz '2025-01-01' + g * interval '1 second' AS created_at FROM generate_series(1, %d) AS g;
ALTER TABLE payments ADD PRIMARY KEY (id); VACUUM (ANALYZE) payments; CHECKPOINT;`, rows))
	b.Logf("%d rows made in %s", rows, time.Since(began).Round(time.Second))
	for b.Loop() { // once: the table is clean after it
		b.StopTimer()
		join := selfJoin(b, url)
		s := scanned(b, "postgres", url, plan.Options{Strategy: plan.Online}, source.Request{Table: "payments", Key: []string{"payment", "number"}, Time: "created_at"})
		s.timed(b, Options{Until: UntilFence, Allow: allHazards})
		alone := s.timed(b, Options{Until: UntilClean, Pause: 20 * time.Millisecond, Allow: allHazards})
		s.undo()
		psql(b, url, "VACUUM payments")
		app := newApplication(b, url, rows)
		calm := app.during(b, func() { time.Sleep(benchCalm) })
		b.StartTimer()
		parts := []part{}
		for _, until := range append(slices.Clone(Untils), "") {
			var did timing
			waits := app.during(b, func() { did = s.timed(b, Options{Until: until, Pause: 20 * time.Millisecond, Allow: allHazards}) })
			parts = append(parts, part{map[string]string{"": "unfence"}[until] + until, did, waits})
		}
		b.StopTimer()
		wantOK(b, s.verify())
		table(b, join, alone, calm, parts)
		b.StartTimer()
	}
}

type part struct {
	name  string
	did   timing
	waits []time.Duration
}

// timing is what one run of apply took.
type timing struct {
	wall, locked time.Duration
	rows         int
}

func (s *story) timed(b *testing.B, opts Options) timing {
	b.Helper()
	start := time.Now()
	result, err := s.try(opts)
	if err != nil {
		b.Fatal(full(err))
	}
	return timing{time.Since(start), time.Duration(result.Tables[0].LongestLockUS) * time.Microsecond, result.Tables[0].Rows}
}

// selfJoin is how long the statement takes that people write by hand; it is
// rolled back. What counts is the second time: the first writes every page that
// it touches to the log as a whole, which the batches after it need not do.
func selfJoin(b *testing.B, url string) (took time.Duration) {
	b.Helper()
	for range 2 {
		start := time.Now()
		psql(b, url, "BEGIN; DELETE FROM payments AS a USING payments AS b WHERE a.payment = b.payment AND a.number = b.number AND a.id > b.id; ROLLBACK;")
		took = time.Since(start)
	}
	return took
}

// application adds rows and changes others at a steady rate, among them those
// that are being cleaned.
type application struct {
	conns []*pgx.Conn
	rows  int
	next  int64
	mu    sync.Mutex
}

func newApplication(b *testing.B, url string, rows int) *application {
	b.Helper()
	a := &application{rows: rows, next: int64(rows)}
	for range benchWorkers {
		conn, err := pgx.Connect(context.Background(), url)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close(context.Background()) })
		a.conns = append(a.conns, conn)
	}
	return a
}

// during works until do has returned, and gives back how long each transaction
// took from the moment at which it was due.
func (a *application) during(b *testing.B, do func()) []time.Duration {
	b.Helper()
	due := make(chan time.Time, 4*benchRate)
	var all []time.Duration
	var workers sync.WaitGroup
	for _, conn := range a.conns {
		workers.Go(func() {
			for at := range due {
				if err := a.transact(conn); err != nil {
					b.Error(err)
				}
				a.mu.Lock()
				all = append(all, time.Since(at))
				a.mu.Unlock()
			}
		})
	}
	stop := make(chan struct{})
	var clock sync.WaitGroup
	clock.Go(func() {
		tick := time.NewTicker(time.Second / benchRate)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				close(due)
				return
			case at := <-tick.C:
				due <- at
			}
		}
	})
	do()
	close(stop)
	clock.Wait()
	workers.Wait()
	slices.Sort(all)
	return all
}

// transact is one transaction: a new row, or a row written again as it is,
// every tenth of them one of a group of duplicates.
func (a *application) transact(conn *pgx.Conn) error {
	ctx := context.Background()
	a.mu.Lock()
	a.next++
	id := a.next
	a.mu.Unlock()
	if id%2 == 0 {
		_, err := conn.Exec(ctx, "INSERT INTO payments VALUES ($1, $2, 1, 'new@example.com', 1, '', now())", id, fmt.Sprint("new_", id))
		return err
	}
	row := rand.IntN(a.rows) + 1
	if id%20 == 1 {
		row = (rand.IntN(a.rows/100) + 1) * 100
	}
	_, err := conn.Exec(ctx, "UPDATE payments SET amount = amount WHERE id = $1", row)
	return err
}

func at(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

// table prints the figures.
func table(b *testing.B, join time.Duration, alone timing, calm []time.Duration, parts []part) {
	b.Helper()
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	fmt.Printf("\n%-34s %10s %10s\n", fmt.Sprintf("%d rows, %d surplus", benchRows(), alone.rows), "measured", "asked")
	fmt.Printf("%-34s %9.2fs %10s\n", "batches of 1,000, 20 ms pauses", alone.wall.Seconds(), "<= 5 s")
	fmt.Printf("%-34s %9.2fs\n", "self-join DELETE", join.Seconds())
	fmt.Printf("%-34s %9.2fx %10s\n", "times faster", join.Seconds()/alone.wall.Seconds(), ">= 2.5")
	fmt.Printf("%-34s %8.1fms %10s\n", "longest row-lock hold, alone", ms(alone.locked), "<= 100 ms")
	fmt.Printf("\n%-10s %8s %9s %8s %8s %8s %8s\n", "beside", "wall", "locked", "n", "p50", "p99", "longest")
	fmt.Printf("%-10s %7.1fs %9s %8d %6.1fms %6.1fms %6.1fms\n", "nothing", benchCalm.Seconds(), "", len(calm), ms(at(calm, 0.5)), ms(at(calm, 0.99)), ms(at(calm, 1)))
	var every []time.Duration
	for _, p := range parts {
		fmt.Printf("%-10s %7.1fs %7.1fms %8d %6.1fms %6.1fms %6.1fms\n", p.name, p.did.wall.Seconds(), ms(p.did.locked), len(p.waits), ms(at(p.waits, 0.5)), ms(at(p.waits, 0.99)), ms(at(p.waits, 1)))
		every = append(every, p.waits...)
		if p.name == UntilClean {
			b.ReportMetric(ms(at(p.waits, 0.99))/ms(at(calm, 0.99)), "p99-ratio")
		}
	}
	slices.Sort(every)
	fmt.Printf("%-10s %7s %9s %8d %6.1fms %6.1fms %6.1fms   p99 %.2f x without (asked <= 1.3), longest asked <= 250 ms\n", "all", "", "", len(every), ms(at(every, 0.5)), ms(at(every, 0.99)), ms(at(every, 1)), ms(at(every, 0.99))/ms(at(calm, 0.99)))
}
