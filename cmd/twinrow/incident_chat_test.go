package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// visibility is how long a message is with a worker before another gets it.
const visibility = 400 * time.Millisecond

// chat takes webhooks into an at-least-once queue that two worker processes
// empty. A worker that dies is started again. Fixed, a message's id is written
// down by one statement that tells whether it is new; otherwise there is a
// look, and a write some time after.
type chat struct {
	t     testing.TB
	store *ticketStore
	fixed bool

	mu      sync.Mutex
	queue   []*queued
	serial  int
	workers map[int]bool
	log     *os.File
}

type queued struct {
	Serial int
	ID     string
	after  time.Time
}

func newChat(t testing.TB, ts *testscript.TestScript, store *ticketStore, fixed bool) *chat {
	mustText(t, store, "CREATE TABLE IF NOT EXISTS seen (id text UNIQUE)")
	mustText(t, store, "CREATE TABLE IF NOT EXISTS processed (message_id text)")
	mustText(t, store, "CREATE TABLE IF NOT EXISTS done (message_id text UNIQUE)")
	log, err := os.OpenFile(ts.MkAbs("app.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	ts.Check(func() error { _, err := fmt.Fprintln(log, "an old race, from before"); return err }())
	return &chat{t: t, store: store, fixed: fixed, workers: map[int]bool{}, log: log}
}

// start runs the workers until the script ends.
func (c *chat) start(ts *testscript.TestScript, url string) {
	ctx, cancel := context.WithCancel(c.t.Context())
	var group sync.WaitGroup
	for n := 1; n <= 2; n++ {
		pid := ts.MkAbs(fmt.Sprintf("worker%d.pid", n))
		group.Go(func() {
			for ctx.Err() == nil {
				c.work(ctx, pid, url)
				select {
				case <-ctx.Done():
				case <-time.After(200 * time.Millisecond): // a supervisor takes its time
				}
			}
		})
	}
	ts.Defer(func() { cancel(); group.Wait(); ts.Check(c.log.Close()) })
	for range 500 {
		if c.healthy() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("the workers do not start")
}

func (c *chat) work(ctx context.Context, pid, url string) {
	program, err := os.Executable()
	if err != nil {
		c.t.Error(err)
		return
	}
	worker := exec.CommandContext(ctx, program)
	worker.Env = append(os.Environ(), "TWINROW_TEST_CHAT="+url)
	if err := worker.Start(); err != nil {
		c.t.Error(err)
		return
	}
	number := worker.Process.Pid
	_ = os.WriteFile(pid, []byte(strconv.Itoa(number)), 0o600)
	c.alive(number, true)
	_ = worker.Wait() // it is killed, one way or the other
	c.alive(number, false)
}

func (c *chat) alive(pid int, alive bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if delete(c.workers, pid); alive {
		c.workers[pid] = true
	}
}

func (c *chat) healthy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.workers) == 2
}

func (c *chat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/webhook":
		c.webhook(w, r)
	case "/health/detailed":
		word := "healthy"
		if !c.healthy() {
			word = "degraded"
		}
		answer(w, 200, word)
	case "/queue/receive":
		_ = json.NewEncoder(w).Encode(c.receive())
	case "/queue/done":
		c.finish(r.URL.Query().Get("id"), r.URL.Query().Get("serial"))
	}
}

func (c *chat) webhook(w http.ResponseWriter, r *http.Request) {
	var hook struct {
		Entry []struct {
			Changes []struct {
				Value struct{ Messages []struct{ ID string } }
			}
		}
	}
	if json.NewDecoder(r.Body).Decode(&hook) != nil || len(hook.Entry) == 0 {
		answer(w, 400, "bad hook")
		return
	}
	id := hook.Entry[0].Changes[0].Value.Messages[0].ID
	if !c.isNew(id) {
		answer(w, 200, "duplicate")
		return
	}
	c.mu.Lock()
	c.serial++
	c.queue = append(c.queue, &queued{Serial: c.serial, ID: id})
	c.mu.Unlock()
	answer(w, 200, "accepted")
}

func (c *chat) isNew(id string) bool {
	if !c.fixed {
		known := mustText(c.t, c.store, "SELECT count(*) FROM seen WHERE id = $1", id) != "0"
		time.Sleep(incidentWork)
		mustText(c.t, c.store, "INSERT OR IGNORE INTO seen VALUES ($1)", id)
		return !known
	}
	time.Sleep(incidentWork)
	_, _, err := c.store.text(c.t.Context(), "INSERT INTO seen VALUES ($1)", id)
	return !isTaken(err)
}

// receive hands out the first message that no worker has; its Serial is 0
// where there is none.
func (c *chat) receive() queued {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.queue {
		if time.Now().After(m.after) {
			m.after = time.Now().Add(visibility)
			return *m
		}
	}
	return queued{}
}

// finish writes a message down as processed. Fixed, two workers that had the
// same message write it once.
func (c *chat) finish(id, serial string) {
	one := !c.fixed
	if c.fixed {
		_, _, err := c.store.text(c.t.Context(), "INSERT INTO done VALUES ($1)", id)
		one = !isTaken(err)
	}
	if one {
		mustText(c.t, c.store, "INSERT INTO processed VALUES ($1)", id)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, m := range c.queue {
		if strconv.Itoa(m.Serial) == serial {
			c.queue = append(c.queue[:i], c.queue[i+1:]...)
			return
		}
	}
}

// chatWorker is the process that empties the queue of a chat.
func chatWorker(url string) {
	client := &http.Client{Timeout: 5 * time.Second}
	for {
		response, err := client.Post(url+"/queue/receive", "application/json", bytes.NewReader(nil))
		if err != nil {
			return // the chat is gone
		}
		var m queued
		err = json.NewDecoder(response.Body).Decode(&m)
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if err != nil || m.Serial == 0 {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		time.Sleep(5 * time.Millisecond)
		if response, err = client.Post(fmt.Sprintf("%s/queue/done?id=%s&serial=%d", url, m.ID, m.Serial), "application/json", nil); err != nil {
			return
		}
		_ = response.Body.Close()
	}
}
