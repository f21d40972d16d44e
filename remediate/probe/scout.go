package probe

import (
	"context"
	"time"

	"twinrow/remediate/probe/internal/gate"
)

// scouted is what single requests showed of one way to hold back.
type scouted struct {
	hold gate.Hold
	// least is the shortest time from the release to the answer, 0 unknown.
	least time.Duration
	// early is true where an answer began before the release.
	early bool
}

// longestWork is the work of a target past which nothing is tried: its header
// is held back.
const longestWork = time.Second

// scout finds out what to hold back, by single requests of every kind. A
// server may answer before the last byte, or the end of the stream, has come;
// so what went ahead rests longer here than the target's work takes. It may
// also wait with the answer alone, as Go's does over HTTP/1.1; then the answer
// comes too soon after the release. To hold back the header is never wrong,
// only less tight.
func (r *runner) scout(ctx context.Context) error {
	if r.hold != gate.HoldBody {
		return nil
	}
	head := scouted{hold: gate.HoldHead}
	if err := r.look(ctx, &head); err != nil {
		return err
	}
	found := gate.HoldHead
	for _, hold := range r.kinds() {
		waits, err := r.waits(ctx, hold, &head)
		if err != nil {
			return err
		}
		if waits {
			found = hold
			break
		}
	}
	r.hold, r.control.early = found, false
	return nil
}

// waits tells whether the target waits for what is held back. Where only the
// time speaks against it, both kinds are looked at again: chance makes requests
// slower, never all of a kind.
func (r *runner) waits(ctx context.Context, hold gate.Hold, head *scouted) (bool, error) {
	k := scouted{hold: hold}
	for range scouts {
		if head.least > longestWork {
			return false, nil
		}
		r.transport.Rest(2*head.least + 5*time.Millisecond)
		err := r.look(ctx, &k)
		r.transport.Rest(0)
		switch {
		case err != nil:
			return false, err
		case k.early || r.control.times[hold].Ahead():
			return false, nil
		case !ahead(k.least, head.least):
			return true, nil
		}
		if err := r.look(ctx, head); err != nil {
			return false, err
		}
	}
	return false, nil
}

// kinds are what may be held back instead of the header, the tightest first.
func (r *runner) kinds() []gate.Hold {
	if r.transport.Name() == Transport2 {
		return []gate.Hold{gate.HoldEnd, gate.HoldBody}
	}
	return []gate.Hold{gate.HoldBody}
}

// look sends single requests of one kind.
func (r *runner) look(ctx context.Context, k *scouted) error {
	for range solosPerControl {
		r.hold, r.control.early = k.hold, false
		b, ok, err := r.fireControl(ctx, 1)
		if err != nil {
			return err
		}
		k.early = k.early || r.control.early
		if ok && (k.least == 0 || b.last < k.least) {
			k.least = b.last
		}
	}
	return nil
}

// ahead tells whether a request took so much less than one whose header was
// held back that the target had begun, and by now ended, before the release.
func ahead(held, head time.Duration) bool {
	return held > 0 && head-held > 100*time.Microsecond && head > held*3/2
}
