package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"twinrow/detect/source"
)

// errNoRoom ends a reading whose rows the memory cannot hold.
var errNoRoom = errors.New("the memory has no room for the rows")

// placed is a row that was found, and where.
type placed struct {
	hash  uint64
	place uint64
	oid   uint32
	tid   string
}

// recallGroups is Groups by what is remembered. Where the memory has no room
// for the new rows it is given up, and the whole table read from then on.
func (f *feed) recallGroups(ctx context.Context, from source.Mark, visit func(source.Row) error) error {
	m := f.recall
	var oldest string
	m.begin(from, f.greatest)
	err := f.ask(ctx, func() (err error) {
		if oldest, err = f.one.one(ctx, "watch_snapshot"); err != nil {
			return err
		}
		if err := m.readRecent(ctx, f.one, from, f.seen, m.meet); err != nil || len(m.open) == 0 {
			return err
		}
		rows, err := f.look(ctx)
		if err != nil {
			return err
		}
		return f.handOn(ctx, rows, visit)
	})
	switch {
	case errors.Is(err, errNoRoom):
		f.recall, f.seen = nil, ""
		return f.Groups(ctx, from, visit)
	case err == nil:
		clear(m.open)
		f.seen = xidOf(oldest)
	}
	return err
}

// look finds the rows of the open fingerprints, by fingerprint.
func (f *feed) look(ctx context.Context) (map[uint64][]placed, error) {
	m := f.recall
	found, err := f.lookAround(ctx)
	if err != nil {
		return nil, err
	}
	slots := map[uint64][]placed{}
	byHash := map[uint64][]placed{}
	for _, p := range found {
		byHash[p.hash] = append(byHash[p.hash], p)
		if slot, places := m.memory.Places(p.hash); slices.Contains(places, p.place) {
			slots[slot] = append(slots[slot], p)
		}
	}
	var missing []uint64
	for hash := range m.open {
		slot, places := m.memory.Places(hash)
		if few := len(slots[slot]) < len(places); few && (len(places) < source.MostOfGroup || len(byHash[hash]) < 2) {
			missing = append(missing, hash)
		}
	}
	if len(missing) == 0 {
		return byHash, nil
	}
	elsewhere, err := f.searchAll(ctx, missing)
	for _, hash := range missing {
		slot, places := m.memory.Places(hash)
		m.memory.Set(hash, newPlaces(hash, places, slots[slot], elsewhere[hash]))
		byHash[hash] = elsewhere[hash]
	}
	return byHash, err
}

// newPlaces are those of a slot after its fingerprint was looked for
// everywhere: of its rows, and of those that share the slot. One of these that
// was not where it was may have moved, so that a place stays that is not
// right, by which the table is looked at again.
func newPlaces(hash uint64, old []uint64, there, everywhere []placed) []uint64 {
	var places []uint64
	for _, p := range everywhere {
		places = append(places, p.place)
	}
	for _, p := range there {
		if p.hash != hash {
			places = append(places, p.place)
		}
	}
	for _, place := range old {
		if len(places) < len(old) && !slices.Contains(places, place) {
			return append(places, place)
		}
	}
	return places
}

// lookAround reads all rows of the ranges where those of the open fingerprints
// were. A server that cannot read a range finds none there.
func (f *feed) lookAround(ctx context.Context) ([]placed, error) {
	m := f.recall
	ranges := map[uint32]map[int64]bool{}
	for hash := range m.open {
		_, places := m.memory.Places(hash)
		for _, place := range places {
			oid := m.heaps[place>>placeBits]
			if ranges[oid] == nil {
				ranges[oid] = map[int64]bool{}
			}
			ranges[oid][int64(place&(1<<placeBits-1))<<rangeBits] = true
		}
	}
	if f.rangeless {
		return nil, nil
	}
	if _, err := f.one.rows(ctx, "scan_settings", "on", "off"); err != nil {
		return nil, err
	}
	var oids []uint64
	for oid := range ranges {
		oids = append(oids, uint64(oid))
	}
	heaps, err := f.one.rows(ctx, "watch_heaps", bigints(oids))
	var found []placed
	for _, h := range heaps {
		oid := oidOf(h[0])
		var blocks []int64
		for block := range ranges[oid] {
			blocks = append(blocks, block)
		}
		slices.Sort(blocks)
		sql := f.relation.fill("watch_around", "table", h[1], "hash", f.relation.hash())
		if err := f.one.stream(ctx, 1, sql, []string{bigints(blocks), strconv.Itoa(rangeBlocks)}, func(fields [][]byte) error {
			if fields[0] != nil {
				found = append(found, m.placed(fields[0], oid, fields[1]))
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return found, err
}

// placed reads a row's fingerprint and place as the server sends them.
func (m *recall) placed(hash []byte, oid uint32, tid []byte) placed {
	block := binary.BigEndian.Uint32(tid)
	place, _ := m.placeOf(oid, int64(block))
	return placed{binary.BigEndian.Uint64(hash), place, oid, fmt.Sprintf("(%d,%d)", block, binary.BigEndian.Uint16(tid[4:]))}
}

// searchAll reads the whole table for some fingerprints, by ordinary scans.
func (f *feed) searchAll(ctx context.Context, hashes []uint64) (map[uint64][]placed, error) {
	if _, err := f.one.rows(ctx, "scan_settings", "off", "on"); err != nil {
		return nil, err
	}
	found := map[uint64][]placed{}
	err := f.one.stream(ctx, 1, f.recall.search, []string{bigints(hashes)}, func(fields [][]byte) error {
		p := f.recall.placed(fields[0], binary.BigEndian.Uint32(fields[1]), fields[2])
		if len(found[p.hash]) < source.MostOfGroup {
			found[p.hash] = append(found[p.hash], p)
		}
		return nil
	})
	return found, err
}

// handOn reads the rows of fingerprints that are there more than once, and
// hands on those that the database calls equal.
func (f *feed) handOn(ctx context.Context, rows map[uint64][]placed, visit func(source.Row) error) error {
	var oids, tids []string
	for hash := range f.recall.open {
		if len(rows[hash]) < 2 {
			continue
		}
		for _, p := range rows[hash] {
			oids, tids = append(oids, strconv.FormatUint(uint64(p.oid), 10)), append(tids, quoteElement(p.tid))
		}
	}
	if len(tids) == 0 {
		return nil
	}
	if _, err := f.one.rows(ctx, "scan_settings", "on", "off"); err != nil {
		return err
	}
	return f.groupsOf(ctx, f.picked, []string{"{" + strings.Join(tids, ",") + "}", "{" + strings.Join(oids, ",") + "}"}, visit)
}
