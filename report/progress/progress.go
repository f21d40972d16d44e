// Package progress shows on a terminal how far long work is: one line that is
// written over, and gone when the work is done. It fits the small interfaces
// that scan, apply and others declare, and knows none of them. Whether there
// is a terminal is for the caller to say.
package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"twinrow/report"
)

const (
	// every is the least time between two drawings of the line.
	every = 100 * time.Millisecond
	// width is that of the narrowest usual terminal, less one: a line that
	// wraps cannot be written over.
	width = 79
	// bar is how many signs the bar has.
	bar = 10
)

// Line is a progress line. Its methods may be called from several goroutines;
// on a nil Line they do nothing.
type Line struct {
	mu      sync.Mutex
	to      io.Writer
	now     func() time.Time
	label   string
	total   int64
	count   int64
	started time.Time
	drawn   time.Time
	shown   bool
}

// New returns a line that is drawn on to, or nil where enabled is false, which
// is a Line that stays silent.
func New(to io.Writer, enabled bool) *Line {
	if !enabled {
		return nil
	}
	return &Line{to: to, now: time.Now}
}

// Start begins a piece of work of total rows, 0 or less where that is not known.
func (l *Line) Start(label string, total int64) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	l.label = report.Plain(label)
	l.total, l.count = total, 0
	l.started = l.now()
	l.drawn = l.started // nothing is drawn for work that is over in a blink
}

// Add counts rows done, and draws the line if that was not done just now.
func (l *Line) Add(rows int64) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count += rows
	now := l.now()
	if now.Sub(l.drawn) < every {
		return
	}
	l.drawn, l.shown = now, true
	fmt.Fprint(l.to, "\r"+l.text(now.Sub(l.started))+"\x1b[K")
}

// Done ends the piece and takes the line away.
func (l *Line) Done() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
}

func (l *Line) clear() {
	if l.shown {
		fmt.Fprint(l.to, "\r\x1b[K")
	}
	l.shown = false
}

// text is the line for work that has run for elapsed. A total is often an
// estimate: past it, it is no longer shown.
func (l *Line) text(elapsed time.Duration) string {
	perSecond := int64(float64(l.count) / elapsed.Seconds())
	known := l.total > 0 && l.count <= l.total
	text := "  "
	if known {
		done := int(l.count * bar / l.total)
		text += fmt.Sprintf("[%s%s] %3d %%  ", strings.Repeat("#", done), strings.Repeat("-", bar-done), l.count*100/l.total)
	}
	text += report.Number(l.count) + " rows  " + report.Number(perSecond) + "/s"
	if known && perSecond > 0 {
		text += fmt.Sprintf("  %s left", report.Duration((l.total-l.count)/perSecond*1_000_000))
	}
	return report.Shorten(l.label, width-len([]rune(text)), nil) + text
}
