package scan

import (
	"slices"

	"twinrow/detect/source"
)

// memory is what a watch remembers of every row of a table: its key's
// fingerprint and about where it lies, in a slot of 8 bytes. Rows of one
// fingerprint share a slot; the places behind the first stand beside the tables.
type memory struct {
	store
	more map[uint64][]uint64
	// bound is in bytes, of the tables and what stands beside them.
	bound, beside int64
	// full is true once a row found no room.
	full bool
}

var _ source.Memory = (*memory)(nil)

const (
	// indexBits of a slot's number say where in its table it is.
	indexBits = 48
	// besideBytes is about what a slot with several places costs beside the
	// tables, and each place of it once more.
	besideBytes, placeBytes = 80, 8
)

func newMemory(expected, bound int64) *memory {
	return &memory{store: newStore(expected, bound), more: map[uint64][]uint64{}, bound: bound}
}

// Places returns where rows lie that look as this fingerprint does, the slot
// that they share first.
func (m *memory) Places(hash uint64) (slot uint64, places []uint64) {
	for n, table := range m.tables {
		if i, ok := table.seek(hash); ok {
			slot = uint64(n)<<indexBits | i
			return slot, append([]uint64{table.locator(i)}, m.more[slot]...)
		}
	}
	return 0, nil
}

// Put adds a row; of one fingerprint source.MostOfGroup are kept. It returns
// false where there is no room.
func (m *memory) Put(hash, place uint64) bool {
	slot, places := m.Places(hash)
	switch {
	case len(places) >= source.MostOfGroup:
		return true
	case len(places) > 0:
		m.set(slot, append(places, place))
	default:
		m.full = !m.keep(hash, place) || m.full
	}
	m.full = m.full || int64(m.size())*slotBytes+m.beside > max(m.bound, leastSlots*slotBytes)
	return !m.full
}

// Set puts places in the stead of those that there are for a fingerprint.
func (m *memory) Set(hash uint64, places []uint64) {
	if slot, old := m.Places(hash); len(old) > 0 && len(places) > 0 {
		m.set(slot, places[:min(len(places), source.MostOfGroup)])
	}
}

func (m *memory) set(slot uint64, places []uint64) {
	table, i := m.tables[slot>>indexBits], slot&(1<<indexBits-1)
	table.at[i] = table.at[i]&^(1<<48-1) | (places[0] + 1)
	m.beside -= cost(m.more[slot])
	delete(m.more, slot)
	if len(places) > 1 {
		m.more[slot] = slices.Clone(places[1:])
		m.beside += cost(m.more[slot])
	}
}

func cost(places []uint64) int64 {
	if len(places) == 0 {
		return 0
	}
	return besideBytes + placeBytes*int64(len(places))
}

// foreseen is what a memory of so many rows takes, in bytes.
func foreseen(rows int64) int64 { return rows * 21 / 20 * slotBytes * 100 / fullness }
