package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	benchRate    = 500 // transactions a second of the application
	benchWorkers = 10
)

// application adds rows and changes others at a steady rate, among them those
// that are being cleaned. It is a process of its own, as applications are.
type application struct {
	rows  int
	next  atomic.Int64
	mu    sync.Mutex
	waits []wait
	errs  []error
}

// wait is how long one transaction took from the moment at which it was due.
type wait struct {
	Due  time.Time
	Took time.Duration
}

// during has an application at work while do runs, and gives back how long
// each of its transactions took.
func during(b *testing.B, url string, rows int, do func()) (waits []wait) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TWINROW_TEST_APPLICATION="+url, "TWINROW_TEST_ROWS="+strconv.Itoa(rows))
	cmd.Stderr = os.Stderr
	stop, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill() }) // one that has ended stays ended
	time.Sleep(time.Second)                      // it connects and warms up
	do()
	if err := stop.Close(); err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(json.NewDecoder(out).Decode(&waits), cmd.Wait()); err != nil {
		b.Fatal(err)
	}
	return waits
}

// applicationMain is the process: it works until its input ends.
func applicationMain(url string) int {
	rows, err := strconv.Atoi(os.Getenv("TWINROW_TEST_ROWS"))
	if err != nil {
		panic(err)
	}
	a := &application{rows: rows}
	a.next.Store(time.Now().UnixMicro()) // above all ids that there are
	if err := errors.Join(a.work(url), json.NewEncoder(os.Stdout).Encode(a.waits)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (a *application) work(url string) error {
	due := make(chan time.Time, 10*benchRate)
	var workers sync.WaitGroup
	for range benchWorkers {
		conn, err := pgx.Connect(context.Background(), url)
		if err != nil {
			return err
		}
		workers.Go(func() {
			for at := range due {
				err := a.transact(conn)
				a.mu.Lock()
				a.waits, a.errs = append(a.waits, wait{at, time.Since(at)}), append(a.errs, err)
				a.mu.Unlock()
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	a.send(due, ended)
	workers.Wait()
	return errors.Join(a.errs...)
}

// send says when a transaction is due, by the clock alone: one that begins late,
// because those before it were slow or the machine was, has waited as well. The
// first second only warms up.
func (a *application) send(due chan<- time.Time, ended <-chan struct{}) {
	defer close(due)
	warm := time.AfterFunc(900*time.Millisecond, func() {
		a.mu.Lock()
		a.waits = nil
		a.mu.Unlock()
	})
	defer warm.Stop()
	for at := time.Now(); ; at = at.Add(time.Second / benchRate) {
		select {
		case <-ended:
			return
		case <-time.After(time.Until(at)):
			due <- at
		}
	}
}

// transact is one transaction: a new row, or a row written again as it is,
// every tenth of them one of a group of duplicates.
func (a *application) transact(conn *pgx.Conn) error {
	ctx := context.Background()
	id := a.next.Add(1)
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
