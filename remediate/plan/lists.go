package plan

import (
	"fmt"
	"slices"

	"twinrow/detect/casefile"
)

// KeepRepeats is what on_conflict says where an array may come to name a row more
// often than once; with Drop the first of the repeats stays.
const KeepRepeats = "keep"

// together are arrays that name rows of several groups. They are changed once,
// for all the hits; in repeats of these the row that stays is named again.
type together struct{ rows, hits, repeats int64 }

// sharing tells the arrays of one reference that name rows of the same groups.
type sharing struct{ reference, shared int }

// lists counts the arrays that name rows of the group that go, and settles
// what was declared of them. held says why the group has to stay as it is.
func (f *referral) lists(g *casefile.Group, r *Reference, keep Fields, c *GroupReference) (held string) {
	referring := r.referring(c.Rows)
	counted, deep, shared := GroupReference{Number: r.Number}, false, false
	for _, l := range g.Lists {
		if l.Reference == r.Number && namesGoing(g, l, keep) {
			counted.Rows += l.Rows
			deep, shared = deep || l.Deep, shared || l.Shared != 0
			if r.repeats(l) {
				counted.Dropped += l.Rows
			}
		}
	}
	child := f.table.IncomingKeys[r.Number].Child
	switch {
	case f.engine != "postgres":
		return referring + ", and JSON lists are not changed in SQLite: put the id of the row that stays into them by hand, then scan again"
	case counted.Rows == 0 || child == nil:
		return referring + ", and arrays are not changed"
	}
	*c = counted
	referring = r.referring(c.Rows)
	switch other := f.sharesColumn(r); {
	case deep:
		return referring + ", in arrays of several dimensions, which are not changed"
	case r.Table == f.table.Table:
		return referring + ", and arrays of the table itself are not changed"
	case len(child.Unique) > 0 && r.Action != DeleteRow:
		return referring + ", in arrays that are part of the unique key " + child.Unique[0].Name
	case shared && len(child.ID) == 0:
		return referring + " and to rows of other groups, and " + r.Table + " has no primary key by which an undo could tell its rows apart"
	case other != nil:
		return fmt.Sprintf("%s refers to it through %s and %s, which share a column", r.Table, r.Name, other.Name)
	case c.Dropped > 0 && r.OnConflict == Stop:
		return fmt.Sprintf("%s of %s would name the row that stays more often than once; declare on_conflict: drop, which lets the first stay, or keep for it", Count(int(c.Dropped), "array"), r.describes())
	}
	return ""
}

// repeats tells whether arrays come to name the row that stays more often than once.
func (r *Reference) repeats(l casefile.List) bool { return r.Action == Repoint && len(l.Named) > 1 }

// namesGoing tells whether arrays name a row of the group that goes.
func namesGoing(g *casefile.Group, l casefile.List, keep Fields) bool {
	return slices.ContainsFunc(l.Named, func(place int) bool { return IDText(g.Rows[place].ID) != IDText(keep) })
}

// rememberLists keeps which arrays name rows of several groups. group is the
// place of this one in the plan.
func (f *referral) rememberLists(g *casefile.Group, group int, keep Fields) {
	for _, l := range g.Lists {
		if l.Shared == 0 || f.twin(l.Reference) || !namesGoing(g, l, keep) {
			continue
		}
		at := sharing{l.Reference, l.Shared}
		sum := f.shared[at]
		sum.rows, sum.hits = l.Rows, sum.hits+1
		if f.refs[l.Reference].repeats(l) {
			sum.repeats++
		}
		if f.shared[at] = sum; sum.hits > 1 && f.refs[l.Reference].Action == DeleteRow {
			f.gone = append(f.gone, deleted{group, l.Reference, l.Rows})
		}
	}
}

// deleted are rows that refer to a group and go with one before it.
type deleted struct {
	group, reference int
	rows             int64
}

// settleDeleted counts rows that go with the first of the groups that their
// arrays name for no other.
func (f *referral) settleDeleted(groups []Group) {
	for _, d := range f.gone {
		for i := range groups[d.group].References {
			if c := &groups[d.group].References[i]; c.Number == d.reference {
				c.Rows -= d.rows
			}
		}
	}
}

// settleLists counts arrays that name rows of several groups once.
func (f *referral) settleLists() {
	for at, sum := range f.shared {
		r := &f.refs[at.reference]
		if r.Action == DeleteRow {
			continue
		}
		f.several = f.several || sum.hits > 1
		r.Rows -= sum.rows * (sum.hits - 1)
		r.Dropped -= sum.rows * max(0, sum.repeats-1)
	}
}

// doesLists says what becomes of arrays that name rows that go.
func (r *Reference) doesLists(rows string) string {
	switch r.Action {
	case DeleteRow:
		return "deletes " + rows + " with the row that " + Verb(int(r.Rows), "its array names", "their arrays name")
	case SetNull:
		return "puts NULL in place of the rows that go into the arrays of " + rows
	}
	does := "puts the survivors into the arrays of " + rows
	if r.Dropped > 0 {
		does += fmt.Sprintf("; %d of them would name one more often than once, and %s", r.Dropped, map[string]string{Drop: "only the first stays", KeepRepeats: "all of these stay"}[r.OnConflict])
	}
	return does
}
