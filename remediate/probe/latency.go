package probe

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latencies is a histogram of times in microseconds. It keeps three digits of
// each, from a microsecond to an hour, in the same memory however many there are.
type latencies struct{ hdr *hdrhistogram.Histogram }

func newLatencies() *latencies { return &latencies{hdrhistogram.New(1, time.Hour.Microseconds(), 3)} }

func (l *latencies) record(d time.Duration) {
	// What is past the range is recorded at its end.
	_ = l.hdr.RecordValue(min(max(d.Microseconds(), 1), time.Hour.Microseconds()))
}

func (l *latencies) empty() bool { return l == nil || l.hdr.TotalCount() == 0 }

// at is the time that a share of q, from 0 to 1, of all did not go past.
func (l *latencies) at(q float64) time.Duration {
	return time.Duration(l.hdr.ValueAtQuantile(q*100)) * time.Microsecond
}

// latencyOf is the histogram of a step.
func (r *runner) latencyOf(st *step) *latencies {
	if r.latencies[st] == nil {
		r.latencies[st] = newLatencies()
	}
	return r.latencies[st]
}

// allLatencies joins those of all steps.
func (r *runner) allLatencies() *latencies {
	all := newLatencies()
	for _, st := range r.spec.steps {
		if l := r.latencies[st]; l != nil {
			all.hdr.Merge(l.hdr)
		}
	}
	return all
}
