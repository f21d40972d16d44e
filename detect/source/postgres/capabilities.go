package postgres

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/detect/source"
)

// rangesSince is the first version that reads a range of blocks without
// reading the blocks before it.
const rangesSince = 140000

// Capabilities says how the table is read: packed ranges of blocks are
// fastest, but on a primary a large table read so would push the application's
// pages out of the server's memory.
func (s *Source) Capabilities(t *source.Table) source.Capabilities {
	r, err := s.relation(t)
	if err != nil {
		return source.Capabilities{Way: "none", Reason: err.Error()}
	}
	for _, p := range r.parts {
		if p.hash == "" {
			return source.Capabilities{FindsRepeats: true, Way: "group-by",
				Reason: "this server has no hash for values of the type " + p.typeName + ", so it groups the rows itself, which sorts the table on the server"}
		}
	}
	if r.book != nil {
		return source.Capabilities{Vague: true, Way: "by-id", Reason: s.whyByID(r)}
	}
	vague := slices.ContainsFunc(r.heaps, s.packs)
	if i := s.wide(r.heaps); i >= 0 {
		return source.Capabilities{Vague: vague, Way: "cache-safe", Reason: s.whyCacheSafe(r.heaps[i])}
	}
	return source.Capabilities{Vague: vague, Way: "packed", Reason: s.whyPacked()}
}

func (s *Source) whyByID(r *relation) string {
	why := r.name + " is " + r.kind() + ", so it is read twice, for the fingerprints and for the ids (" + strings.Join(r.book.columns, ", ") + ") of the rows whose fingerprints repeat"
	if slices.ContainsFunc(r.heaps, func(h heap) bool { return h.kind == "f" }) {
		why += "; other servers work their fingerprints out themselves where they can, each in a snapshot of its own"
	}
	return why
}

// packs tells whether a heap is read by ranges of blocks.
func (s *Source) packs(h heap) bool {
	if s.server.number < rangesSince {
		return false
	}
	return s.options.Fast || s.server.standby || h.bytes <= s.server.sharedBuffers/4
}

// wide is the first heap that is not read by ranges of blocks, -1 for none.
func (s *Source) wide(heaps []heap) int {
	return slices.IndexFunc(heaps, func(h heap) bool { return !s.packs(h) })
}

func (s *Source) whyCacheSafe(h heap) string {
	if s.server.number < rangesSince {
		return "a server older than 14 reads no ranges of blocks, so the table is read by one ordinary scan a connection"
	}
	return fmt.Sprintf("%s has %s, over a quarter of the server's shared_buffers of %s, so it is read by ordinary scans, which leave the application's pages in memory; --fast reads it in packed ranges",
		h.name, size(h.bytes), size(s.server.sharedBuffers))
}

func (s *Source) whyPacked() string {
	switch {
	case s.options.Fast:
		return "packed ranges were asked for, though they may push the application's pages out of the server's memory"
	case s.server.standby:
		return "the server is a standby, so packed ranges cost its primary nothing"
	}
	return "the table is at most a quarter of the server's shared_buffers of " + size(s.server.sharedBuffers) + ", so reading it by packed ranges pushes little out of memory"
}

// size writes bytes for people, in units of 1024.
func size(bytes int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	n, i := float64(bytes), 0
	for n >= 1024 && i < len(units)-1 {
		n, i = n/1024, i+1
	}
	if n < 10 && i > 0 {
		return fmt.Sprintf("%.1f %s", n, units[i])
	}
	return fmt.Sprintf("%.0f %s", n, units[i])
}
