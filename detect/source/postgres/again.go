package postgres

import (
	"context"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"sync"

	"twinrow/detect/source"
)

// Place reads again what is about the rows whose fingerprints the locators of
// Prints stand for, and finds out where they are.
func (s *Source) Place(ctx context.Context, t *source.Table, locators []uint64) ([][]uint64, error) {
	r, err := s.relation(t)
	if err != nil || len(locators) == 0 {
		return nil, err
	}
	locators = slices.Clone(locators)
	slices.Sort(locators)
	locators = slices.Compact(locators)
	place := s.placeInRanges
	if r.book != nil {
		place = s.placeByID
	}
	clusters, err := place(ctx, r, locators)
	if err != nil {
		return nil, explain(ctx, "reading "+t.Name+" for the second time", err)
	}
	var out [][]uint64
	for _, cluster := range clusters {
		if len(cluster) > 1 {
			slices.Sort(cluster)
			out = append(out, cluster)
		}
	}
	slices.SortFunc(out, func(a, b []uint64) int { return slices.Compare(a, b) })
	return out, nil
}

// placing looks for rows in the ranges of blocks that they are in.
type placing struct {
	source   *Source
	relation *relation
	wanted   []uint64 // in order

	mu       sync.Mutex // guards clusters
	clusters map[uint64][]uint64
}

// placeInRanges reads the ranges that hold the rows wanted; of a heap that is
// read in a row's messages the places are known, and the hashes are asked for.
func (s *Source) placeInRanges(ctx context.Context, r *relation, locators []uint64) (map[uint64][]uint64, error) {
	p := &placing{source: s, relation: r, wanted: locators, clusters: map[uint64][]uint64{}}
	var units []*unit
	var spans []span
	for i, l := range locators {
		h := r.heapOf(l >> hashBits << hashBits)
		from := int64(l>>hashBits<<rangeBits) - h.base
		if n := len(spans); n == 0 || spans[n-1].to <= from {
			spans = extend(spans, from, min(from+rangeBlocks, h.blocks))
		}
		if i+1 == len(locators) || r.heapOf(locators[i+1]>>hashBits<<hashBits).base != h.base {
			units, spans = append(units, parts(h, spans)...), nil
		}
	}
	err := s.readUnits(ctx, units, p.read)
	return p.clusters, err
}

// read reads the parts of a unit. What one statement says of it is taken whole
// or, where the statement fails, not at all.
func (p *placing) read(ctx context.Context, one *session, u *unit) error {
	if err := u.steer(ctx, one); err != nil {
		return err
	}
	var found []source.Print
	pay := payer{p.source, u.only}
	mask, low := p.low(u)
	sql := p.relation.fill("scan_places", "hash", p.relation.hash(), "table", u.heap.name, "mask", strconv.FormatUint(mask, 10))
	err := one.stream(ctx, 1, sql, append(u.bounds(), low), func(fields [][]byte) error {
		from := len(found)
		prints, err := unpack(found, fields[1], u.heap.base)
		if err != nil {
			return err
		}
		found = append(found[:from], slices.DeleteFunc(prints[from:], func(one source.Print) bool { return !p.wants(u.heap, one) })...)
		return pay.upTo(ctx, int64(binary.BigEndian.Uint64(fields[0])))
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range found {
		p.clusters[one.Hash] = append(p.clusters[one.Hash], one.Locator)
	}
	return nil
}

// low are the lowest bits of the hashes wanted in a unit, as an array, and how
// many bits they are: none where the places are known and no hash is.
func (p *placing) low(u *unit) (mask uint64, list string) {
	if !p.source.packs(u.heap) {
		return 0, "{0}"
	}
	var low []string
	mask = 1<<hashBits - 1
	i, _ := slices.BinarySearch(p.wanted, inRange(u.heap.base+u.from, 0))
	for ; i < len(p.wanted) && p.wanted[i] <= inRange(u.heap.base+u.to-1, mask); i++ {
		low = append(low, strconv.FormatUint(p.wanted[i]&mask, 10))
	}
	return mask, "{" + strings.Join(low, ",") + "}"
}

// wants tells whether a row is one of those that were asked for.
func (p *placing) wants(h heap, one source.Print) bool {
	l := one.Locator
	if p.source.packs(h) {
		l = inRange(int64(l>>16), one.Hash)
	}
	_, found := slices.BinarySearch(p.wanted, l)
	return found
}
