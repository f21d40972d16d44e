package scan

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

const (
	// labRows is up to how many rows other keys are tried unasked: so few that
	// reading them costs no more than the scan itself did.
	labRows = 100_000
	// labMemory bounds the fingerprints of all trials; past it a share of the
	// keys stands for all of them.
	labMemory = 64 << 20
	// labParts is the most parts of a key of which every subset is tried.
	labParts = 4
)

// trial is another key: some parts of the one given, written otherwise.
type trial struct {
	variant string
	parts   []int
	fold    bool
	trim    bool
	// nulls counts keys that hold a NULL, as equal to one another.
	nulls  bool
	hashes []uint64
}

// keyLab counts what other keys would have found.
func (e *engine) keyLab(ctx context.Context, groups []*casefile.Group) (*casefile.KeyLab, error) {
	lab := &casefile.KeyLab{Says: []string{}}
	reader, ok := e.src.(source.KeyReader)
	switch {
	case !ok:
		lab.Says = append(lab.Says, "other keys were not tried: the source cannot read the keys alone")
		return lab, nil
	case e.count.Rows > labRows && !e.opts.KeyLab:
		lab.Says = append(lab.Says, fmt.Sprintf("other keys were not tried: the table has more than %d rows; --key-lab tries them all the same, by one more reading of the table", labRows))
		return lab, nil
	}
	l := &laboratory{trials: trials(len(e.table.Key.Parts)), seed: maphash.MakeSeed()}
	l.share = max(1, uint64(e.count.Rows)*uint64(len(l.trials))*slotBytes/labMemory)
	err := reader.Keys(ctx, e.table, func(parts []source.Value) error {
		l.add(parts)
		return ctx.Err()
	})
	if err != nil {
		var unknown []string
		err = soften(ctx, "other keys were not tried", err, &unknown)
		lab.Says = append(lab.Says, unknown...)
		return lab, err
	}
	lab.Rows, lab.Exact = l.rows, l.share == 1
	for _, t := range l.trials {
		lab.Trials = append(lab.Trials, t.count(e.table.Key.Names(), int64(l.share)))
	}
	lab.Says = append(lab.Says, sayLab(lab, int64(len(groups)))...)
	return lab, nil
}

// trials are the keys to try for a key of some parts.
func trials(parts int) []*trial {
	all := make([]int, parts)
	for i := range all {
		all[i] = i
	}
	list := []*trial{
		{variant: "as-given", parts: all}, {variant: "nulls-equal", parts: all, nulls: true},
		{variant: "case-folded", parts: all, fold: true}, {variant: "trimmed", parts: all, trim: true},
		{variant: "folded-and-trimmed", parts: all, fold: true, trim: true},
	}
	for mask := 1; parts <= labParts && mask < 1<<parts-1; mask++ {
		var some []int
		for i := range parts {
			if mask&(1<<i) != 0 {
				some = append(some, i)
			}
		}
		list = append(list, &trial{variant: "subset", parts: some})
	}
	for i := 0; parts > labParts && i < parts; i++ { // too many to try all: each left out
		list = append(list, &trial{variant: "subset", parts: slices.Delete(slices.Clone(all), i, i+1)})
	}
	return list
}

// laboratory counts the fingerprints of all trials in one reading.
type laboratory struct {
	trials []*trial
	seed   maphash.Seed
	// share is n where one fingerprint in n is kept.
	share uint64
	rows  int64
	buf   []byte
}

func (l *laboratory) add(parts []source.Value) {
	l.rows++
	for _, t := range l.trials {
		var null bool
		if l.buf, null = t.appendKey(l.buf[:0], parts); null && !t.nulls {
			continue
		}
		if hash := maphash.Bytes(l.seed, l.buf); hash%l.share == 0 {
			t.hashes = append(t.hashes, hash)
		}
	}
}

// appendKey writes the trial's key so that its parts do not run together.
func (t *trial) appendKey(buf []byte, parts []source.Value) (out []byte, null bool) {
	for _, i := range t.parts {
		if parts[i].Null {
			null = true
			buf = append(buf, 0, 0)
			continue
		}
		text := parts[i].Text
		if t.trim {
			text = strings.TrimSpace(text)
		}
		if t.fold {
			text = strings.ToLower(text)
		}
		buf = fmt.Appendf(buf, "%d:", len(text))
		buf = append(buf, text...)
	}
	return buf, null
}

// count sorts the fingerprints and counts those that repeat.
func (t *trial) count(names []string, share int64) casefile.KeyTrial {
	out := casefile.KeyTrial{Variant: t.variant}
	for _, i := range t.parts {
		out.Key = append(out.Key, names[i])
	}
	slices.Sort(t.hashes)
	for i := 0; i < len(t.hashes); {
		to := i + 1
		for to < len(t.hashes) && t.hashes[to] == t.hashes[i] {
			to++
		}
		if to-i > 1 {
			out.Groups += share
			out.Surplus += int64(to-i-1) * share
		}
		i = to
	}
	t.hashes = nil
	return out
}

// sayLab names what stands out: a variant that finds more than the key does,
// and a part of the key without which nothing changes.
func sayLab(lab *casefile.KeyLab, found int64) []string {
	var says []string
	about := ""
	if !lab.Exact {
		about = "about "
	}
	given := lab.Trials[0].Groups
	for _, t := range lab.Trials[1:] {
		switch {
		case t.Variant == "case-folded", t.Variant == "trimmed":
			if t.Groups > given {
				says = append(says, fmt.Sprintf("%s, the key would find %s%d groups instead of %d: look whether those are duplicates too", t.Variant, about, t.Groups, found))
			}
		case t.Variant == "nulls-equal":
			if t.Groups > given && t.Groups > found {
				says = append(says, fmt.Sprintf("with NULLs taken as equal, the key would find %s%d groups instead of %d", about, t.Groups, found))
			}
		case t.Variant == "subset" && t.Groups == given && t.Surplus == lab.Trials[0].Surplus && given > 0:
			says = append(says, fmt.Sprintf("%s alone finds the same groups: the rest of the key tells no row from another", strings.Join(t.Key, ", ")))
		case t.Variant == "subset" && t.Groups > given:
			says = append(says, fmt.Sprintf("%s alone would find %s%d groups: the other parts of the key tell those rows apart", strings.Join(t.Key, ", "), about, t.Groups))
		}
	}
	return says
}
