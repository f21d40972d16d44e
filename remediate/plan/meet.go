package plan

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
)

// meeting finds where the entries of one plan change each other's rows. They
// are worked in the order of the case, each from evidence that was taken before
// all of them, so what one does to another's rows must be foretold here, or the
// groups in question are held.
type meeting struct {
	entries []*deciding
	links   []*link
	// rows are those of all groups, by table and content.
	rows map[string][]place
}

// place is a group in which a row is.
type place struct {
	entry, group int
	cleaned      bool
}

// link is a reference from the rows of one entry to those of another, which
// both are places among the entries.
type link struct {
	from, to int
	ref      *Reference
	// aims are the rows of the groups that from cleans, by the values by which they are named.
	aims map[string]aim
	// rows are those of all groups of to.
	rows []linked
}

// aim is a row that may be referred to; stays is true for a survivor.
type aim struct {
	group int
	stays bool
}

// linked is a row that may refer.
type linked struct {
	aim              string
	group            int
	cleaned, removed bool
}

func newMeeting(entries []*deciding) *meeting {
	m := &meeting{entries: entries, rows: map[string][]place{}}
	for from, d := range entries {
		for n := range d.refer.refs {
			r := &d.refer.refs[n]
			for to, other := range entries {
				if to != from && other.table.Table == r.Table && !r.Array && len(d.rules.Set) == 0 && !d.refer.twin(n) {
					m.links = append(m.links, &link{from: from, to: to, ref: r, aims: map[string]aim{}})
				}
			}
		}
	}
	return m
}

// add takes a group that was decided; cleaned is nil where it is held.
func (m *meeting) add(entry int, g *casefile.Group, cleaned *Group) {
	if len(m.entries) < 2 {
		return
	}
	d := m.entries[entry]
	for _, row := range g.Rows {
		at := d.table.Table + "\x00" + row.Image
		m.rows[at] = append(m.rows[at], place{entry, g.Number, cleaned != nil})
	}
	for _, l := range m.links {
		for _, row := range g.Rows {
			stays := cleaned != nil && IDText(row.ID) == IDText(cleaned.Keep)
			if name, ok := named(0, row.Values, l.ref.References); ok && l.from == entry && cleaned != nil {
				l.aims[name] = aim{g.Number, stays}
			}
			if name, ok := named(0, row.Values, l.ref.Columns); ok && l.to == entry {
				l.rows = append(l.rows, linked{name, g.Number, cleaned != nil, cleaned != nil && !stays && len(d.rules.Set) == 0})
			}
		}
	}
}

// conflicts are the groups that must be held, with the reasons. Where there are
// none, the counts of the others are set right.
func (m *meeting) conflicts() map[int]string {
	held := map[int]string{}
	m.shared(held)
	for _, l := range m.links {
		m.changed(l, held)
		m.alike(l, held)
	}
	if len(held) == 0 {
		for _, l := range m.links {
			m.fewer(l)
		}
	}
	return held
}

// shared holds groups with a row that an earlier entry's group has too.
func (m *meeting) shared(held map[int]string) {
	for _, places := range m.rows {
		for _, p := range places {
			first := slices.IndexFunc(places, func(o place) bool { return o.cleaned && o.entry < p.entry })
			if first >= 0 && p.cleaned {
				m.hold(held, p.group, fmt.Sprintf("it shares a row with group %d of %s, which is worked first", places[first].group, m.entries[places[first].entry].t.Name))
			}
		}
	}
}

// hold notes the first reason that a group is held for.
func (m *meeting) hold(held map[int]string, group int, why string) {
	if held[group] == "" {
		held[group] = why + "; clean that first, then scan again"
	}
}

// changed holds groups whose rows another entry changes so that what was
// decided of one of them may not be true any more.
func (m *meeting) changed(l *link, held map[int]string) {
	from, to := m.entries[l.from], m.entries[l.to]
	for _, row := range l.rows {
		at, ok := l.aims[row.aim]
		if !ok || at.stays || !row.cleaned {
			continue
		}
		if from.count(at.group, l.ref.Number).Dropped > 0 {
			m.hold(held, at.group, fmt.Sprintf("of the rows of %s that would collide, some are in group %d of %s", l.ref.describes(), row.group, to.t.Name))
		}
		if l.from > l.to {
			if to.writes(l.ref.Columns) {
				m.hold(held, at.group, fmt.Sprintf("%s itself changes which rows %s refers to (group %d)", to.t.Name, l.ref.describes(), row.group))
			}
			continue
		}
		if why := l.spoils(to.table); why != "" {
			m.hold(held, row.group, fmt.Sprintf("a row of it %s with group %d of %s, which is worked first", why, at.group, from.t.Name))
		}
	}
}

// spoils says what becomes of a row that makes its group another one, "" where
// all rows of a group stay duplicates of each other.
func (l *link) spoils(table *casefile.Table) string {
	if l.ref.Action == DeleteRow {
		return "is deleted"
	}
	inKey := 0
	for _, p := range table.Key {
		switch {
		case p.Expression && key.Mentions(p.Text, l.ref.Columns):
			return "may get another key"
		case !p.Expression && slices.Contains(l.ref.Columns, p.Text):
			inKey++
		}
	}
	switch {
	case key.Mentions(table.Where, l.ref.Columns), inKey > 0 && (inKey < len(l.ref.Columns) || l.ref.Action == SetNull || l.ref.Where != ""):
		return "may get another key"
	}
	return ""
}

// alike holds groups whose referring rows would become duplicates under the
// key of another entry. Those that are duplicates already are that entry's own.
func (m *meeting) alike(l *link, held map[int]string) {
	from, to := m.entries[l.from], m.entries[l.to]
	for _, c := range from.refer.alike {
		if c.entry != to.t.Name || c.reference != l.ref.Number {
			continue
		}
		already, rows := map[int]int64{}, int64(0)
		for _, row := range l.rows {
			if at, ok := l.aims[row.aim]; ok && at.group == c.group {
				already[row.group]++
			}
		}
		for _, n := range already {
			rows += n - 1
		}
		switch settled := l.ref.OnConflict != Stop; {
		case settled && len(already) > 0:
			m.hold(held, c.group, fmt.Sprintf("rows of %s are duplicates of %s already, and once repointed they would be mixed with others", l.ref.describes(), to.t.Name))
		case !settled && c.rows > rows:
			m.hold(held, c.group, fmt.Sprintf("%s of %s would become %s under the key of %s (%s) once repointed: declare on_conflict: drop or merge for the reference, or take %s out of this case",
				Count(int(c.rows-rows), "row"), l.ref.describes(), Verb(int(c.rows-rows), "a duplicate", "duplicates"), to.t.Name, strings.Join(to.t.Key, ", "), to.t.Name))
		}
	}
}

// fewer takes rows that an earlier entry removes out of what is foretold to refer.
func (m *meeting) fewer(l *link) {
	if l.from < l.to {
		return
	}
	for _, row := range l.rows {
		if at, ok := l.aims[row.aim]; ok && !at.stays && row.removed {
			if c := m.entries[l.from].count(at.group, l.ref.Number); c.Rows > 0 {
				c.Rows--
			}
		}
	}
}

// count is what was foretold of one reference for a group.
func (d *deciding) count(group, number int) *GroupReference {
	for i := range d.t.Groups {
		if g := &d.t.Groups[i]; g.Number == group {
			for n := range g.References {
				if g.References[n].Number == number {
					return &g.References[n]
				}
			}
		}
	}
	return &GroupReference{}
}

// writes tells whether the entry gives rows that stay new values in one of the columns.
func (d *deciding) writes(columns []string) bool {
	return slices.ContainsFunc(d.rules.Set, func(a Assignment) bool { return slices.Contains(columns, a.Column) }) ||
		slices.ContainsFunc(d.rules.Merge, func(r ColumnRule) bool { return r.Rule != "keep" && slices.Contains(columns, r.Column) })
}

// note names what two entries do to the same rows of a table beside, which
// only those rows could foretell.
func (m *meeting) note() {
	for i, first := range m.entries {
		for _, later := range m.entries[i+1:] {
			for _, r1 := range first.t.References {
				for _, r2 := range later.t.References {
					if why := meets(&r1, &r2, later.table.IncomingKeys[r2.Number].Child); why != "" {
						later.t.Hazards = union(later.t.Hazards, []Hazard{EntriesMeet})
						later.t.Notes = append(later.t.Notes, fmt.Sprintf("%s changes rows of %s first, and %s; groups of which that is so are left alone then, and --rescan takes them", first.t.Name, r1.Table, why))
					}
				}
			}
		}
	}
}

// meets says how one reference's rows can be other than foretold after an
// earlier entry's, "" where they cannot.
func meets(earlier, later *Reference, child *casefile.Child) string {
	if earlier.Table != later.Table || earlier.Rows == 0 || later.Rows == 0 || child == nil {
		return ""
	}
	if earlier.Effect().Deleted > 0 {
		return "some of them go"
	}
	for _, u := range child.Unique {
		shared := slices.ContainsFunc(u.Rest, func(p KeyPart) bool { return key.Mentions(p.Text, earlier.Columns) })
		if u.Entry == "" && len(u.Columns) > 0 && shared && later.Action == Repoint {
			return "more of them may collide under " + u.Name
		}
	}
	return ""
}
