package postgres

import (
	"context"
	"strconv"
	"strings"
)

// span is some blocks of a heap, to not included.
type span struct{ from, to int64 }

// extend appends blocks that lie behind those before.
func extend(spans []span, from, to int64) []span {
	if n := len(spans); n > 0 && spans[n-1].to == from && to-spans[n-1].from <= handBlocks {
		spans[n-1].to = to
		return spans
	}
	return append(spans, span{from, to})
}

// partBlocks are read by one unit of parts, so that all sessions have work.
const partBlocks = 512

// parts are units of a heap that read some ranges of its blocks.
func parts(h heap, spans []span) []*unit {
	var units []*unit
	room := int64(0)
	for _, one := range spans {
		if room -= one.to - one.from; room < 0 {
			units = append(units, &unit{heap: h, packed: true, from: one.from})
			room = partBlocks
		}
		u := units[len(units)-1]
		u.only, u.to = append(u.only, one), one.to
	}
	return units
}

// bounds are the unit's ranges of blocks as two arrays.
func (u *unit) bounds() []string {
	var from, to []string
	for _, one := range u.only {
		from, to = append(from, strconv.FormatInt(one.from, 10)), append(to, strconv.FormatInt(one.to, 10))
	}
	return []string{"{" + strings.Join(from, ",") + "}", "{" + strings.Join(to, ",") + "}"}
}

// payer pays for a unit's ranges as they are read.
type payer struct {
	source *Source
	spans  []span
}

// upTo pays for all ranges that end at a block or before it.
func (p *payer) upTo(ctx context.Context, block int64) error {
	var read int64
	for len(p.spans) > 0 && p.spans[0].to <= block {
		read, p.spans = read+p.spans[0].to-p.spans[0].from, p.spans[1:]
	}
	return p.source.pace.Spend(ctx, read*p.source.server.blockSize)
}
