package progress

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clocked is a line whose clock a test moves.
func clocked(to *strings.Builder) (*Line, *time.Time) {
	now := time.Date(2025, 12, 27, 9, 0, 0, 0, time.UTC)
	line := New(to, true)
	line.now = func() time.Time { return now }
	return line, &now
}

func TestLine(t *testing.T) {
	var out strings.Builder
	line, now := clocked(&out)
	line.Start("reading public.tickets", 1_000_000)
	line.Add(1000) // at once: not drawn
	*now = now.Add(500 * time.Millisecond)
	line.Add(249_000)
	*now = now.Add(50 * time.Millisecond) // too soon to draw again
	line.Add(1)
	*now = now.Add(2450 * time.Millisecond)
	line.Add(749_999)
	*now = now.Add(time.Second)
	line.Add(200_000) // past the estimate
	line.Done()
	want := []string{
		"", "reading public.tickets  [##--------]  25 %  250,000 rows  500,000/s  1 s left\x1b[K",
		"reading public.tickets  [##########] 100 %  1,000,000 rows  333,333/s  0 s left\x1b[K",
		"reading public.tickets  1,200,000 rows  300,000/s\x1b[K",
		"\x1b[K",
	}
	if diff := cmp.Diff(want, strings.Split(out.String(), "\r")); diff != "" {
		t.Errorf("drawn (-want +got):\n%s", diff)
	}
}

func TestShortWorkDrawsNothing(t *testing.T) {
	var out strings.Builder
	line, _ := clocked(&out)
	line.Start("reading", 10)
	line.Add(10)
	line.Done()
	line.Done()
	if out.Len() > 0 {
		t.Errorf("drawn: %q", out.String())
	}
}

func TestALongOrHostileLabelStaysOnTheLine(t *testing.T) {
	var out strings.Builder
	line, now := clocked(&out)
	line.Start("reading \x1b[2J\n"+strings.Repeat("long", 100), 10_000_000_000)
	*now = now.Add(time.Hour)
	line.Add(9_000_000_000)
	drawn := strings.TrimSuffix(strings.TrimPrefix(out.String(), "\r"), "\x1b[K")
	if n := len([]rune(drawn)); n > width || strings.ContainsAny(drawn, "\x1b\n") {
		t.Errorf("%d characters: %q", n, drawn)
	}
}

func TestDisabledIsSilent(t *testing.T) {
	var out strings.Builder
	line := New(&out, false)
	line.Start("reading", 1)
	line.Add(1)
	line.Done()
	if out.Len() > 0 {
		t.Errorf("drawn: %q", out.String())
	}
}

func TestGoroutinesMayCount(t *testing.T) {
	var out strings.Builder
	line, now := clocked(&out)
	line.Start("reading", 0)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				line.Add(1)
			}
		})
	}
	all.Wait()
	*now = now.Add(time.Second)
	line.Add(0)
	if !strings.Contains(out.String(), "8,000 rows  8,000/s") {
		t.Errorf("drawn: %q", out.String())
	}
}
