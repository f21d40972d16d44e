package notify

import "time"

// pace keeps to a rate: no two attempts begin nearer than its inverse.
type pace struct {
	// rate is in mails a second; 0 sets no limit.
	rate float64
	now  func() time.Time
	// free is when the next attempt may begin.
	free time.Time
}

// next is how long to wait before the attempt that is made now.
func (p *pace) next() time.Duration {
	if p.rate <= 0 {
		return 0
	}
	now := p.now()
	if p.free.Before(now) {
		p.free = now
	}
	wait := p.free.Sub(now)
	p.free = p.free.Add(time.Duration(float64(time.Second) / p.rate))
	return wait
}
