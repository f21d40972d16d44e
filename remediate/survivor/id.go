package survivor

import (
	"cmp"
	"math/big"
	"strings"

	"twinrow/detect/casefile"
)

// compareIDs orders ids part by part: whole numbers by value, a physical
// address such as (12,3) by its numbers, anything else as text; NULL comes last.
func compareIDs(a, b casefile.Fields) int {
	for i := range min(len(a), len(b)) {
		if order := compareValues(a[i].Value, b[i].Value); order != 0 {
			return order
		}
	}
	return cmp.Compare(len(a), len(b))
}

func compareValues(a, b *string) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	as, bs := numbers(*a), numbers(*b)
	switch { // numbers before text, so that any three values have one order
	case as == nil && bs == nil:
		return strings.Compare(*a, *b)
	case len(as) != len(bs):
		return cmp.Compare(len(bs), len(as))
	}
	for i := range as {
		if order := as[i].Cmp(bs[i]); order != 0 {
			return order
		}
	}
	return strings.Compare(*a, *b)
}

// numbers reads "12" and "(0,12)"; nil for anything else.
func numbers(text string) []*big.Int {
	text = strings.TrimSuffix(strings.TrimPrefix(text, "("), ")")
	var out []*big.Int
	for part := range strings.SplitSeq(text, ",") {
		n, ok := new(big.Int).SetString(part, 10)
		if !ok {
			return nil
		}
		out = append(out, n)
	}
	return out
}
