package postgres

import (
	"encoding/binary"
	"fmt"
	"strings"

	"twinrow/detect/source"
)

// printSize is the bytes that one row takes where its place is sent: a hash of
// 8 and a place of 6, a block number and a line.
const printSize = 14

// hashBits of a hash stand for a row of a range, which is the rest of a
// locator, where places are not sent.
const hashBits = 16 + rangeBits

// inRange is the locator of a row with a hash in the range that a block is in.
func inRange(block int64, hash uint64) uint64 {
	return uint64(block)>>rangeBits<<hashBits | hash&(1<<hashBits-1)
}

// unpack appends the prints of one message.
func unpack(prints []source.Print, packed []byte, base int64) ([]source.Print, error) {
	if len(packed)%printSize != 0 {
		return nil, fmt.Errorf("the server sent %d bytes of prints, which are %d each", len(packed), printSize)
	}
	for ; len(packed) > 0; packed = packed[printSize:] {
		prints = append(prints, source.Print{Hash: binary.BigEndian.Uint64(packed), Locator: locator(packed[8:printSize], base)})
	}
	return prints, nil
}

// locator packs a place as tidsend writes it, with the heap's base added to
// its block. It is below 1<<48.
func locator(place []byte, base int64) uint64 {
	block := uint64(binary.BigEndian.Uint32(place)) + uint64(base)
	return block<<16 | uint64(binary.BigEndian.Uint16(place[4:]))
}

// base is the first block's number of the heap with the OID.
func (r *relation) base(oid uint32) (int64, bool) {
	for _, h := range r.heaps {
		if h.oid == oid {
			return h.base, true
		}
	}
	return 0, false
}

// places turns locators into an array of Postgres's own places.
func (r *relation) places(locators []uint64) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, l := range locators {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"(%d,%d)"`, int64(l>>16)-r.heapOf(l).base, l&0xffff)
	}
	b.WriteByte('}')
	return b.String()
}

// heapOf is the heap that a locator is in, whether it is a place or a range.
func (r *relation) heapOf(l uint64) heap {
	block := int64(l >> 16)
	for i := len(r.heaps) - 1; i > 0; i-- {
		if r.heaps[i].base <= block && r.heaps[i].blocks > 0 {
			return r.heaps[i]
		}
	}
	if len(r.heaps) == 0 {
		return heap{}
	}
	return r.heaps[0]
}
