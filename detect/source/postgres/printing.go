package postgres

import (
	"context"
	"encoding/binary"
	"fmt"

	"twinrow/detect/source"
)

// fillPrints fills a statement that reads a heap for its fingerprints. Where
// times is not nil it asks for them too: all, or the %s's of a range.
func (r *relation) fillPrints(name string, h heap, times string) string {
	return r.fill(name, "hash", r.hash(), "table", h.name, "times", times)
}

// packedTimes are the columns of times in a message of a range.
func (p *profile) packedTimes(r *relation) string {
	if p == nil {
		return ""
	}
	c := r.column(p.column)
	return fmt.Sprintf(", pg_catalog.count(%[1]s), pg_catalog.min(%[1]s), pg_catalog.max(%[1]s)", c)
}

// streamTimes is the column of times in a message of a row.
func (p *profile) streamTimes(r *relation) string {
	if p == nil {
		return ""
	}
	return ", " + r.column(p.column)
}

// readPacked reads a stretch range by range of blocks.
func (p *printing) readPacked(ctx context.Context, one *session, u *unit) error {
	batch, block := p.empty(), u.from
	flush := func() error {
		if err := p.hand(ctx, batch); err != nil {
			return err
		}
		batch = p.empty()
		return p.source.moveTo(ctx, u, block, 0)
	}
	sql := p.relation.fillPrints("scan_packed", u.heap, p.profile.packedTimes(p.relation))
	err := one.stream(ctx, 1, sql, u.ranges(), func(fields [][]byte) error {
		if err := batch.unpack(fields, u.heap.base+block); err != nil {
			return err
		}
		block += rangeBlocks
		if len(batch.prints) < batchPrints && block-u.from < handBlocks {
			return nil
		}
		return flush()
	})
	if err != nil || block == u.from {
		return err
	}
	return flush()
}

// unpack takes in a message about the range of blocks that begins at one.
func (l *load) unpack(fields [][]byte, block int64) error {
	seen, hashes := int64(binary.BigEndian.Uint64(fields[0])), fields[1]
	if len(hashes)%8 != 0 {
		return fmt.Errorf("the server sent %d bytes of hashes, which are 8 each", len(hashes))
	}
	l.seen, l.unknown = l.seen+seen, l.unknown+seen-int64(len(hashes)/8)
	for ; len(hashes) > 0; hashes = hashes[8:] {
		hash := binary.BigEndian.Uint64(hashes)
		l.prints = append(l.prints, source.Print{Hash: hash, Locator: inRange(block, hash)})
	}
	if len(fields) < 5 || fields[3] == nil {
		return nil
	}
	first, err := readTime(fields[3])
	if err != nil {
		return err
	}
	last, err := readTime(fields[4])
	l.times = append(l.times, glimpse{block, times{int64(binary.BigEndian.Uint64(fields[2])), first, last}})
	return err
}

// readStream reads a stretch by a sequential scan, a message a row. What is
// counted as read is what was handed on.
func (p *printing) readStream(ctx context.Context, one *session, u *unit) error {
	batch := p.empty()
	var last uint64
	flush := func() error {
		if batch.seen == 0 {
			return nil
		}
		if err := p.hand(ctx, batch); err != nil {
			return err
		}
		batch = p.empty()
		return p.source.moveTo(ctx, u, int64(last>>16)-u.heap.base, int(last&0xffff)+1)
	}
	sql := p.relation.fillPrints("scan_stream", u.heap, p.profile.streamTimes(p.relation))
	err := one.stream(ctx, 1, sql, []string{u.first(), u.last()}, func(fields [][]byte) error {
		last = locator(fields[1], u.heap.base)
		if err := batch.put(fields, last); err != nil {
			return err
		}
		if batch.seen == batchPrints {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// put takes in a message about the row at a locator.
func (l *load) put(fields [][]byte, place uint64) error {
	l.seen++
	if fields[0] == nil {
		l.unknown++
	} else {
		l.prints = append(l.prints, source.Print{Hash: binary.BigEndian.Uint64(fields[0]), Locator: place})
	}
	if len(fields) < 3 || fields[2] == nil {
		return nil
	}
	at, err := readTime(fields[2])
	if err != nil {
		return err
	}
	block := int64(place >> 16 &^ (rangeBlocks - 1))
	if n := len(l.times); n > 0 && l.times[n-1].block == block {
		l.times[n-1].times.join(times{1, at, at})
	} else {
		l.times = append(l.times, glimpse{block, times{1, at, at}})
	}
	return nil
}
