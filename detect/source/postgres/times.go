package postgres

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"twinrow/detect/source"
)

// A reading for fingerprints learns the times of the rows by the way: how many
// rows of each stretch of blocks have one, the first and the last. Most
// stretches lie in one bucket of whatever window is asked about later, so that
// few must be read a second time.

// times are those of some rows, as the server sends them: microseconds since
// 2000, the least and the greatest number for the infinities.
type times struct{ rows, first, last int64 }

func (t *times) join(other times) {
	if other.rows == 0 {
		return
	}
	if t.rows == 0 {
		*t = other
		return
	}
	t.rows, t.first, t.last = t.rows+other.rows, min(t.first, other.first), max(t.last, other.last)
}

// glimpse are the times of rows in one range of blocks, or of one row; block is
// numbered among those of all heaps.
type glimpse struct {
	block int64
	times times
}

// profile holds the times of a whole table.
type profile struct {
	column string
	step   int64 // blocks an entry, a multiple of rangeBlocks
	at     []times
}

// mostEntries bounds a profile to 3 MB.
const mostEntries = 1 << 17

// newProfile is nil where the times are not points in time to the server.
func newProfile(r *relation, t *source.Table) *profile {
	if !isTime(t, t.Time) || len(r.heaps) == 0 {
		return nil
	}
	last := r.heaps[len(r.heaps)-1]
	p := &profile{column: t.Time, step: rangeBlocks}
	for last.base+last.blocks > p.step*mostEntries {
		p.step *= 2
	}
	p.at = make([]times, (last.base+last.blocks)/p.step+1)
	return p
}

func (p *profile) add(all []glimpse) {
	for _, g := range all {
		p.at[g.block/p.step].join(g.times)
	}
}

// count counts what it knows of a heap's rows in a window, and returns the
// ranges of blocks that must be read to know the rest. An entry that is another
// heap's too says nothing of either.
func (p *profile) count(h heap, w source.Window) (source.Timeline, []span) {
	line := source.Timeline{Counts: make([]int64, w.Buckets)}
	var unclear []span
	for i := h.base / p.step; i*p.step < h.base+h.blocks; i++ {
		from, to := i*p.step-h.base, (i+1)*p.step-h.base
		bucket, ok := p.at[i].bucket(w)
		switch {
		case p.at[i].rows == 0:
		case ok && from >= 0 && to <= h.numbers:
			line.Put(bucket, p.at[i].rows)
			line.Reach(instant(p.at[i].last))
		default:
			unclear = extend(unclear, max(from, 0), min(to, h.blocks))
		}
	}
	return line, unclear
}

// finite tells whether none of the times is an infinity.
func (t times) finite() bool { return t.first != math.MinInt64 && t.last != math.MaxInt64 }

// bucket is the one that all the rows lie in; ok is false where they lie in
// several, or some are not counted.
func (t times) bucket(w source.Window) (bucket int, ok bool) {
	if !t.finite() || instant(t.last).After(w.Now) {
		return 0, false
	}
	bucket = w.Bucket(instant(t.first))
	return bucket, bucket == w.Bucket(instant(t.last))
}

var since = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

// instant is a time as the server sends it, which is no infinity.
func instant(us int64) time.Time { return time.Unix(us/1e6+since, us%1e6*1000).UTC() }

// readTime reads a time that the server sent: microseconds of a timestamp or
// days of a date, since 2000.
func readTime(field []byte) (int64, error) {
	switch len(field) {
	case 8:
		return int64(binary.BigEndian.Uint64(field)), nil
	case 4:
		switch days := int32(binary.BigEndian.Uint32(field)); days {
		case math.MinInt32:
			return math.MinInt64, nil
		case math.MaxInt32:
			return math.MaxInt64, nil
		default:
			return int64(days) * 24 * 3600 * 1e6, nil
		}
	}
	return 0, fmt.Errorf("the server sent a time of %d bytes", len(field))
}
