package postgres

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"twinrow/detect/source"
)

// A feed whose table has no index on the key goes by a memory of fingerprints
// and about where their rows lie. A new row whose fingerprint is not there has
// a key that no other row has. One that is there is looked at: what was
// remembered may have been removed, or moved by an UPDATE, or only look the
// same. Where the rows are not all where they were, the whole table is read
// for the few keys in question.

// recall is what a feed remembers between two looks.
type recall struct {
	memory source.Memory
	heaps  []uint32 // by their number in a place
	// recent are the rows from the mark on, by what tells them apart, so that
	// a row that is seen again, or was updated, is not taken for another.
	recent map[uint64]sighting
	looks  []looked
	// open are fingerprints whose rows are to be handed on still.
	open map[uint64]bool
	seed maphash.Seed

	fresh, freshFrom, search string
}

// sighting is where a row was when it was last seen, and in which look.
type sighting struct {
	hash, place uint64
	look        int
}

// looked is what was seen first in one look, and the newest value before it.
type looked struct {
	number int
	newest string
	rows   []uint64
}

const (
	// placeBits of a place number a range of blocks, the bits above them its heap.
	placeBits = 32 - rangeBits
	mostHeaps = 1 << (48 - placeBits)
)

var _ source.Rememberer = (*feed)(nil)

// Forgetful tells whether a key's other rows are only found by reading the table.
func (f *feed) Forgetful() bool { return f.forgetful }

// Remember reads every row once. The rows from the mark on are read first: what
// a standby shows of later ones is taken for new, and compared.
func (f *feed) Remember(ctx context.Context, from source.Mark, memory source.Memory, seen func(int64)) (bool, error) {
	m := &recall{memory: memory, recent: map[uint64]sighting{}, looks: []looked{{}}, open: map[uint64]bool{}, seed: maphash.MakeSeed()}
	for _, h := range f.relation.heaps {
		m.heaps = append(m.heaps, h.oid)
	}
	f.recallStatements(m)
	oldest, err := f.source.main.one(ctx, "watch_snapshot")
	if err == nil {
		err = m.readRecent(ctx, f.source.main, from, firstXID, func(s sighting, id uint64) bool {
			m.note(id, s)
			return true
		})
	}
	if err != nil {
		return false, explain(ctx, "looking at the new rows of "+f.table.Name, err)
	}
	fits := true
	if _, err := f.source.Prints(ctx, f.table, source.Pass{}, func(prints []source.Print) error {
		for _, p := range prints {
			fits = fits && memory.Put(p.Hash, m.rangeOf(f.relation, p.Locator))
		}
		seen(int64(len(prints)))
		if !fits {
			return errNoRoom
		}
		return nil
	}); err != nil && fits {
		return false, err
	}
	if !fits {
		return false, nil
	}
	for _, s := range m.recent {
		if _, places := memory.Places(s.hash); len(places) > 1 {
			m.open[s.hash] = true
		}
	}
	f.recall, f.seen, f.source = m, xidOf(oldest), nil
	return true, nil
}

func (f *feed) recallStatements(m *recall) {
	r := f.relation
	identity := "ROW(" + r.alias + ".tableoid, " + r.alias + ".ctid, " + r.alias + ".xmin)"
	if f.unique {
		ids := make([]string, len(f.table.ID))
		for i, id := range f.table.ID {
			ids[i] = r.column(id)
		}
		identity = "ROW(" + strings.Join(ids, ", ") + ")"
	}
	fresh := func(recent string) string {
		return r.fill("watch_recent", "table", r.name, "hash", r.hash(), "identity", identity, "recent", recent)
	}
	// The mark is a parameter in both, so that the transaction is $2.
	m.fresh = fresh("$1::text IS NOT NULL AND pg_catalog.age(" + r.alias + ".xmin) <= pg_catalog.age($2::pg_catalog.xid)")
	m.freshFrom = fresh(f.recent)
	m.search = r.fill("watch_search", "table", r.name, "hash", r.hash())
}

// rangeOf is the place of a row that Prints handed on.
func (m *recall) rangeOf(r *relation, locator uint64) uint64 {
	h := r.heapOf(locator)
	number := slices.Index(m.heaps, h.oid)
	return uint64(number)<<placeBits | (locator>>hashBits - uint64(h.base)>>rangeBits)
}

// readRecent reads the rows that transactions from the oldest on wrote behind a mark.
func (m *recall) readRecent(ctx context.Context, one *session, from source.Mark, oldest string, visit func(s sighting, id uint64) bool) error {
	sql := m.freshFrom
	if from == (source.Mark{}) {
		sql = m.fresh
	}
	return one.stream(ctx, 1, sql, []string{from.Text, oldest}, func(f [][]byte) error {
		if f[0] == nil {
			return nil
		}
		place, ok := m.placeOf(binary.BigEndian.Uint32(f[1]), int64(binary.BigEndian.Uint32(f[2])))
		if !ok || !visit(sighting{hash: binary.BigEndian.Uint64(f[0]), place: place}, maphash.Bytes(m.seed, f[3])) {
			return errNoRoom
		}
		return nil
	})
}

// placeOf numbers a range of blocks, and its heap where that is a new one.
func (m *recall) placeOf(oid uint32, block int64) (place uint64, ok bool) {
	number := slices.Index(m.heaps, oid)
	if number < 0 {
		number, m.heaps = len(m.heaps), append(m.heaps, oid)
	}
	return uint64(number)<<placeBits | uint64(block)>>rangeBits, number < mostHeaps
}

// note keeps where a row was seen.
func (m *recall) note(id uint64, s sighting) {
	last := &m.looks[len(m.looks)-1]
	s.look = last.number
	m.recent[id] = s
	last.rows = append(last.rows, id)
}

// meet takes a recent row: one that was seen before, has moved, or is new. It
// returns false where the memory has no room.
func (m *recall) meet(s sighting, id uint64) bool {
	before, known := m.recent[id]
	if known && before.hash == s.hash {
		if before.place != s.place {
			m.move(s.hash, before.place, s.place)
			m.note(id, s)
		}
		return true
	}
	m.note(id, s)
	if _, places := m.memory.Places(s.hash); len(places) > 0 {
		m.open[s.hash] = true
	}
	return m.memory.Put(s.hash, s.place)
}

func (m *recall) move(hash, from, to uint64) {
	_, places := m.memory.Places(hash)
	if i := slices.Index(places, from); i >= 0 {
		places[i] = to
		m.memory.Set(hash, places)
	}
}

// begin opens a look from a mark on, and forgets what was first seen in looks
// before the one that the mark is from: those rows lie behind it.
func (m *recall) begin(from source.Mark, newest string) {
	keep := 0
	for i, l := range m.looks {
		if l.newest == from.Text {
			keep = i
		}
	}
	for _, l := range m.looks[:keep] {
		for _, id := range l.rows {
			if m.recent[id].look == l.number {
				delete(m.recent, id)
			}
		}
	}
	m.looks = append(slices.Delete(m.looks, 0, keep), looked{number: m.looks[len(m.looks)-1].number + 1, newest: newest})
}

// bigints is an array of numbers for the server.
func bigints[N int64 | uint64](numbers []N) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, n := range numbers {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(int64(n), 10))
	}
	b.WriteByte('}')
	return b.String()
}
