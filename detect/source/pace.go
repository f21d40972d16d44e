package source

import (
	"context"
	"io"
	"sync"
	"time"
)

// Pace holds a reading to so many bytes a second, over all who read. A nil
// Pace holds nobody back.
type Pace struct {
	perSecond float64

	mu   sync.Mutex
	free time.Time // when the bytes spent so far are paid for
}

// NewPace is a pace of bytes a second; 0 or less is none, which is nil.
func NewPace(bytesPerSecond int64) *Pace {
	if bytesPerSecond <= 0 {
		return nil
	}
	return &Pace{perSecond: float64(bytesPerSecond)}
}

// breath is how far a reading may run ahead before it waits: many short sleeps
// would be less exact than few longer ones.
const breath = 20 * time.Millisecond

// Spend takes note of bytes that were read and waits until they are within the
// pace, or the context ends, whose error it returns.
func (p *Pace) Spend(ctx context.Context, bytes int64) error {
	if p == nil || bytes <= 0 {
		return ctx.Err()
	}
	p.mu.Lock()
	now := time.Now()
	if p.free.Before(now) {
		p.free = now
	}
	p.free = p.free.Add(time.Duration(float64(bytes) / p.perSecond * float64(time.Second)))
	ahead := p.free.Sub(now)
	p.mu.Unlock()
	if ahead < breath {
		return ctx.Err()
	}
	timer := time.NewTimer(ahead)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Reader is a stream held to the pace.
func (p *Pace) Reader(ctx context.Context, from io.Reader) io.Reader {
	if p == nil {
		return from
	}
	return &paced{ctx, p, from}
}

type paced struct {
	ctx  context.Context //nolint:containedctx // of the one reading that the stream is for
	pace *Pace
	from io.Reader
}

func (r *paced) Read(into []byte) (int, error) {
	n, err := r.from.Read(into)
	if late := r.pace.Spend(r.ctx, int64(n)); late != nil {
		return n, late
	}
	return n, err
}
