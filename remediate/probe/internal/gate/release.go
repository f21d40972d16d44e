package gate

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Written is when a connection's release was written, or why it was not. Its
// answers count from From: some come before the write has even returned.
type Written struct {
	From, To time.Time
	Err      error
}

// ReleaseAll sends what every connection has loaded, as close together as two
// threads can: with two cores a third gains nothing. First is right before the
// first write.
func ReleaseAll(conns []*Conn) (first time.Time, written []Written) {
	written = make([]Written, len(conns))
	defer quiet()()
	if len(conns) == 1 {
		written[0] = conns[0].timed()
		return written[0].From, written
	}
	half := (len(conns) + 1) / 2
	var ready atomic.Int32
	var group sync.WaitGroup
	for _, part := range [2][2]int{{0, half}, {half, len(conns)}} {
		group.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			meet(&ready, 2)
			for n := part[0]; n < part[1]; n++ {
				written[n] = conns[n].timed()
			}
		})
	}
	group.Wait()
	if first = written[0].From; written[half].From.Before(first) {
		first = written[half].From
	}
	return first, written
}

func (c *Conn) timed() Written {
	from := time.Now()
	err := c.Release()
	return Written{From: from, To: time.Now(), Err: err}
}

// meet spins until n goroutines are there: waking up from a sleep takes longer
// than the whole release. Past a millisecond it yields, for a machine with one core.
func meet(ready *atomic.Int32, n int32) {
	ready.Add(1)
	for began := time.Now(); ready.Load() < n; {
		if time.Since(began) > time.Millisecond {
			runtime.Gosched()
		}
	}
}

var quietness struct {
	sync.Mutex
	depth, percent int
}

// quiet keeps the garbage collector away until the returned function is
// called. The setting is the whole program's, so calls are counted.
func quiet() (restore func()) {
	quietness.Lock()
	defer quietness.Unlock()
	if quietness.depth++; quietness.depth == 1 {
		quietness.percent = debug.SetGCPercent(-1)
	}
	return func() {
		quietness.Lock()
		defer quietness.Unlock()
		if quietness.depth--; quietness.depth == 0 {
			debug.SetGCPercent(quietness.percent)
		}
	}
}
