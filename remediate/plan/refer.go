package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"twinrow/detect/casefile"
)

// referral foretells, from the counts in the evidence, what becomes of the
// rows that refer to those that go.
type referral struct {
	engine string
	table  *CaseTable
	refs   []Reference
	// going are the rows that go, by the values by which each self-reference
	// would name them; from are the rows of groups that refer within the table.
	going map[string]int
	from  []inner
	// shared are arrays that name rows of several groups that go.
	shared map[sharing]together
	gone   []deleted
	// inward is true where rows that go refer to rows of other groups that go.
	inward bool
	// several is true where arrays that stay name rows of several groups that go.
	several bool
	// alike are collisions under the keys of other entries.
	alike []alike
	// atMost is what hangs on rows of which some are deleted, by reference.
	atMost map[int][]hanging
}

// alike is a collision under the key of another entry of the case.
type alike struct {
	group, reference int
	entry            string
	rows             int64
}

// inner is a row of a group that refers to another row of the same table.
type inner struct {
	number int
	to     string
	// group is the place of its own group in the plan; kept is true for its survivor.
	group int
	kept  bool
}

// foretell counts what refers to the rows of a group that go. held says why
// the group has to stay as it is, "" where it need not.
func (f *referral) foretell(g *casefile.Group, keep Fields) (counts []GroupReference, held string) {
	for n := range f.refs {
		r := &f.refs[n]
		if !f.table.IncomingKeys[n].Counted || f.twin(n) {
			continue
		}
		c := GroupReference{Number: n}
		for _, row := range g.Rows {
			if IDText(row.ID) != IDText(keep) {
				c.Rows += referring(row, n)
			}
		}
		if c.Rows == 0 {
			continue
		}
		held := f.conflict(g, r, keep, &c)
		if held == "" {
			held = f.tooDeep(g, r, keep, &c)
		}
		if held != "" {
			return nil, held
		}
		counts = append(counts, c)
	}
	return counts, ""
}

func referring(row casefile.Row, number int) int64 {
	for _, ref := range row.References {
		if ref.Number == number {
			return ref.Rows
		}
	}
	return 0
}

// conflict settles collisions and what was declared to stop at.
func (f *referral) conflict(g *casefile.Group, r *Reference, keep Fields, c *GroupReference) (held string) {
	if r.Action == Stop {
		return r.referring(c.Rows) + ", and the configuration says stop"
	}
	if r.Array {
		return f.lists(g, r, keep, c)
	}
	if r.Action != Repoint {
		return f.beyond(r, c)
	}
	if held := cmp.Or(f.beyond(r, c), f.nameless(g, keep, r, c)); held != "" {
		return held
	}
	if other := f.sharesColumn(r); other != nil {
		return fmt.Sprintf("%s refers to it through %s and %s, which share a column", r.Table, r.Name, other.Name)
	}
	var found []casefile.Collision
	for _, collision := range g.Collisions {
		if collision.Reference != r.Number {
			continue
		}
		entry := f.entryOf(collision)
		if entry != "" {
			f.alike = append(f.alike, alike{g.Number, r.Number, entry, collision.Rows})
		}
		if entry == "" || r.OnConflict != Stop { // else it is seen in the meeting of the entries
			found = append(found, collision)
		}
	}
	switch {
	case len(found) == 0:
		return ""
	case r.OnConflict == Stop:
		return fmt.Sprintf("%s of %s would collide under %s once repointed; declare on_conflict: drop or merge for it", Count(int(found[0].Rows), "row"), r.describes(), found[0].Unique)
	case len(found) > 1:
		return fmt.Sprintf("rows of %s would collide under several unique keys: %s and %s", r.describes(), found[0].Unique, found[1].Unique)
	case r.Table == f.table.Table:
		return fmt.Sprintf("rows of %s itself would collide under %s", r.describes(), found[0].Unique)
	}
	c.Dropped, c.Merged = found[0].Rows, found[0].Keys
	return ""
}

// entryOf is the entry under whose key rows would collide, "" where it is
// under a unique key that the child has.
func (f *referral) entryOf(c casefile.Collision) string {
	child := f.table.IncomingKeys[c.Reference].Child
	if child == nil {
		return ""
	}
	i := slices.IndexFunc(child.Unique, func(u UniqueKey) bool { return u.Name == c.Unique })
	if i < 0 {
		return ""
	}
	return child.Unique[i].Entry
}

// beyond says what SQLite cannot be told to do with the rows that refer, "" for nothing.
func (f *referral) beyond(r *Reference, c *GroupReference) (held string) {
	child := f.table.IncomingKeys[r.Number].Child
	if f.engine == "postgres" || child == nil {
		return ""
	}
	if child.Rowid == "" && len(child.ID) == 0 {
		return r.referring(c.Rows) + ", and " + r.Table + " has nothing that tells its rows apart"
	}
	for _, column := range child.Columns {
		if column.Generated && r.Action != DeleteRow && slices.Contains(r.Columns, column.Name) {
			return r.referring(c.Rows) + ", and the database computes that column itself"
		}
	}
	for _, u := range child.Unique {
		if u.Unclear && u.Entry == "" && r.Action == Repoint {
			return r.referring(c.Rows) + ", and what would collide under " + u.Name + " of " + r.Table + ", whose predicate or expressions hang on the columns that refer, cannot be foretold in SQLite"
		}
	}
	return ""
}

// nameless says why the row that stays cannot be referred to in place of the
// others: it has no value where it would be named, or not one of its own.
func (f *referral) nameless(g *casefile.Group, keep Fields, r *Reference, c *GroupReference) (held string) {
	seen := map[string]bool{}
	for _, row := range g.Rows {
		name, ok := named(r.Number, row.Values, r.References)
		columns := strings.Join(r.References, ", ")
		switch {
		case !ok && IDText(row.ID) == IDText(keep) && row.Values != nil:
			return r.referring(c.Rows) + ", and the row that stays has no " + columns + " to refer to"
		case ok && seen[name]:
			return r.referring(c.Rows) + ", and several rows of the group have the same " + columns
		}
		seen[name] = seen[name] || ok
	}
	return ""
}

func (r *Reference) referring(n int64) string {
	return fmt.Sprintf("%s of %s %s to a row that would go", Count(int(n), "row"), r.describes(), Verb(int(n), "refers", "refer"))
}

// twin tells whether a reference says again what one before it says.
func (f *referral) twin(n int) bool {
	return slices.ContainsFunc(f.refs[:n], func(r Reference) bool { return r.same(&f.refs[n]) })
}

func (r *Reference) same(other *Reference) bool {
	return r.Table == other.Table && r.Where == other.Where && slices.Equal(r.Columns, other.Columns) && slices.Equal(r.References, other.References)
}

// told are the references without those that say again what another says.
func (f *referral) told() []Reference {
	var all []Reference
	for n, r := range f.refs {
		if !f.twin(n) {
			all = append(all, r)
		}
	}
	// A row that refers by several keys is changed by each before one of them
	// has it deleted, as the counts have it.
	slices.SortStableFunc(all, func(a, b Reference) int { return cmp.Compare(a.deletes(), b.deletes()) })
	return all
}

// deletes is 0 where the reference deletes no rows, 1 where those that
// collide, 2 where all.
func (r *Reference) deletes() int {
	switch {
	case r.Action == DeleteRow:
		return 2
	case r.Dropped > 0:
		return 1
	}
	return 0
}

// sharesColumn is another reference of the same table that uses one of the
// columns, nil where there is none. Two that are the same count as one.
func (f *referral) sharesColumn(r *Reference) *Reference {
	for i := range f.refs {
		other := &f.refs[i]
		if other.same(r) || other.Table != r.Table || other.Where != r.Where {
			continue
		}
		if slices.ContainsFunc(other.Columns, func(c string) bool { return slices.Contains(r.Columns, c) }) {
			return other
		}
	}
	return nil
}

// remember keeps what a decided group says of references within the table.
func (f *referral) remember(g *casefile.Group, group int, keep Fields) {
	f.rememberLists(g, group, keep)
	for n, r := range f.refs {
		if r.Table != f.table.Table || r.Array || f.twin(n) {
			continue
		}
		for _, row := range g.Rows {
			kept := IDText(row.ID) == IDText(keep)
			if name, ok := named(n, row.Values, r.References); ok && !kept {
				f.going[name] = group
			}
			if to, ok := named(n, row.Values, r.Columns); ok {
				f.from = append(f.from, inner{n, to, group, kept})
			}
		}
	}
}

// named writes the values by which a reference names a row; not ok where one is NULL.
func named(number int, values Fields, columns []string) (string, bool) {
	parts := []string{fmt.Sprint(number)}
	for _, c := range columns {
		value, ok := values.Get(c)
		if !ok {
			return "", false
		}
		parts = append(parts, value)
	}
	return strings.Join(parts, "\x00"), true
}

// settle takes the rows that go themselves out of the counts, and counts the
// survivors that would come to refer to themselves.
func (f *referral) settle(groups []Group) (selves int) {
	f.settleDeleted(groups)
	for _, row := range f.from {
		at, goes := f.going[row.to]
		switch {
		case !goes:
		case row.kept && at == row.group:
			selves++
		case !row.kept:
			f.inward = f.inward || at != row.group
			for i := range groups[at].References {
				if groups[at].References[i].Number == row.number {
					groups[at].References[i].Rows--
				}
			}
		}
	}
	for i := range groups {
		groups[i].References = slices.DeleteFunc(groups[i].References, func(c GroupReference) bool { return c.Rows == 0 })
		for _, c := range groups[i].References {
			r := &f.refs[c.Number]
			r.Rows, r.Dropped, r.Merged = r.Rows+c.Rows, r.Dropped+c.Dropped, r.Merged+c.Merged
		}
	}
	f.settleLists()
	return selves
}
