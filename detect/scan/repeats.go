package scan

import (
	"math/bits"
	"slices"

	"twinrow/detect/source"
)

// repeats finds the fingerprints that occur more than once, in 8 bytes a slot.
//
// A slot holds a locator of 48 bits and 16 bits of the fingerprint. The
// slot's place stands for the fingerprint's upper bits, so about 40 bits of it
// take part at ten million rows. Two different keys may still look alike:
// that only makes a cluster larger than it need be, and the database's own
// equality settles it afterwards.
//
// Rows with equal fingerprints always end in one cluster: tables only fill
// up, and each row walks the same slots in the same order as its equals did.
type repeats struct {
	store
	// clusters are locators by the one that was seen first.
	clusters map[uint64][]uint64
	// touched keeps the compiler from leaving out what is read ahead.
	touched uint64
}

// store is the tables of one memory, the newest last.
type store struct {
	tables []*slots
	// limit is the most slots all tables may have together.
	limit uint64
}

// slots is one open-addressed table. When it is full a larger one is opened
// beside it and this one is only looked up in, so nothing is ever rehashed.
type slots struct {
	at   []uint64
	room int
}

const (
	slotBytes = 8
	// fullness is the share of slots that may be taken, in percent.
	fullness = 85
	// leastSlots is the size of the first table where nothing is known of the rows.
	leastSlots = 1 << 12
	// locatorLimit is the first locator that does not fit into a slot.
	locatorLimit = 1<<48 - 1
)

// newRepeats makes room for expected rows (0 where that is not known) within
// memory bytes.
func newRepeats(expected, memory int64) *repeats {
	return &repeats{store: newStore(expected, memory), clusters: map[uint64][]uint64{}}
}

func newStore(expected, memory int64) store {
	s := store{limit: uint64(max(memory/slotBytes, leastSlots))}
	size := max(uint64(max(expected, 0))*100/fullness+1, leastSlots)
	s.open(min(size, s.limit))
	return s
}

func (s *store) open(size uint64) {
	s.tables = append(s.tables, &slots{at: make([]uint64, size), room: int(size * fullness / 100)})
}

// addAll takes rows, and returns how many of them it had room for. The slots of
// some rows are looked at ahead of their turn: their places in memory are far
// apart, and so the processor fetches them together, not one after another.
func (r *repeats) addAll(prints []source.Print) int {
	for done := 0; done < len(prints); done += ahead {
		some := prints[done:min(done+ahead, len(prints))]
		for _, table := range r.tables {
			for _, p := range some {
				r.touched += table.peek(p.Hash)
			}
		}
		for i, p := range some {
			if !r.add(p.Hash, p.Locator) {
				return done + i
			}
		}
	}
	return len(prints)
}

// ahead is how many rows' slots are fetched together.
const ahead = 64

// add takes one row. It returns false where there is no more room within the limit.
func (r *repeats) add(hash, locator uint64) bool {
	for _, table := range r.tables {
		if first, ok := table.find(hash); ok {
			r.clusters[first] = append(r.clusters[first], locator)
			return true
		}
	}
	return r.keep(hash, locator)
}

// keep takes a row whose like is in no table. It returns false where there is
// no more room within the limit.
func (s *store) keep(hash, locator uint64) bool {
	last := s.tables[len(s.tables)-1]
	if last.room == 0 {
		if !s.grow() {
			return false
		}
		last = s.tables[len(s.tables)-1]
	}
	last.put(hash, locator)
	return true
}

// grow opens a table as large as all before it, or what the limit leaves.
func (s *store) grow() bool {
	total := s.size()
	size := min(total, s.limit-min(total, s.limit))
	if size < leastSlots {
		return false
	}
	s.open(size)
	return true
}

// size is how many slots there are.
func (s *store) size() (total uint64) {
	for _, t := range s.tables {
		total += uint64(len(t.at))
	}
	return total
}

// place splits a fingerprint into a slot's index and the 16 bits kept in it.
func (s *slots) place(hash uint64) (index, tag uint64) {
	index, rest := bits.Mul64(hash, uint64(len(s.at)))
	return index, rest &^ (1<<48 - 1)
}

// peek reads the slot that a fingerprint's search begins with.
func (s *slots) peek(hash uint64) uint64 {
	index, _ := bits.Mul64(hash, uint64(len(s.at)))
	return s.at[index]
}

// find returns the locator of the first row that looks the same.
func (s *slots) find(hash uint64) (locator uint64, ok bool) {
	i, ok := s.seek(hash)
	if !ok {
		return 0, false
	}
	return s.locator(i), true
}

// locator is what stands in a slot that is taken.
func (s *slots) locator(i uint64) uint64 { return s.at[i]&(1<<48-1) - 1 }

// seek returns the slot of the first row that looks the same.
func (s *slots) seek(hash uint64) (i uint64, ok bool) {
	i, tag := s.place(hash)
	for {
		slot := s.at[i]
		if slot == 0 {
			return 0, false
		}
		if slot&^(1<<48-1) == tag {
			return i, true
		}
		if i++; i == uint64(len(s.at)) {
			i = 0
		}
	}
}

// put takes the first free slot from the fingerprint's place on. The locator
// is stored plus one, so that no slot in use is zero.
func (s *slots) put(hash, locator uint64) {
	i, tag := s.place(hash)
	for s.at[i] != 0 {
		if i++; i == uint64(len(s.at)) {
			i = 0
		}
	}
	s.at[i] = tag | (locator + 1)
	s.room--
}

// drain returns the clusters found so far, each and all in order of locator,
// so that rows are fetched in the order they lie in.
func (r *repeats) drain() [][]uint64 {
	clusters := make([][]uint64, 0, len(r.clusters))
	for first, others := range r.clusters {
		cluster := append([]uint64{first}, others...)
		slices.Sort(cluster)
		clusters = append(clusters, cluster)
	}
	slices.SortFunc(clusters, func(a, b []uint64) int {
		switch {
		case a[0] < b[0]:
			return -1
		default:
			return 1
		}
	})
	return clusters
}
