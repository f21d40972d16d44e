package plan

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/detect/casefile"
)

// hanging are rows of one table that hang by one foreign key on rows that are
// deleted beside the planned ones.
type hanging struct {
	key, table, onDelete string
	rows                 int64
}

// hangings adds up, over all levels of cascades, what hangs on the rows that
// refer by a reference to the rows of a group that go.
func hangings(g *casefile.Group, keep Fields, number int) []hanging {
	var all []hanging
	for _, row := range g.Rows {
		if IDText(row.ID) == IDText(keep) {
			continue
		}
		for _, b := range row.Beneath {
			if b.Number == number {
				all = addHanging(all, hanging{b.ForeignKey, b.Table, b.OnDelete, b.Rows})
			}
		}
	}
	return all
}

func addHanging(all []hanging, more hanging) []hanging {
	i := slices.IndexFunc(all, func(h hanging) bool { return h.key == more.key && h.table == more.table })
	if i < 0 {
		return append(all, more)
	}
	all[i].rows += more.rows
	return all
}

// does says what the database would do with the rows.
func (h hanging) does() string {
	rows := fmt.Sprintf("%s of %s (%s, on delete %s)", Count(int(h.rows), "row"), h.table, h.key, h.onDelete)
	switch h.onDelete {
	case "cascade":
		return rows + " would go too"
	case "set null", "set default":
		return rows + " would be changed too"
	}
	return rows + " would forbid it"
}

func describeHangings(all []hanging) string {
	var parts []string
	for _, h := range all {
		parts = append(parts, h.does())
	}
	return strings.Join(parts, ", ")
}

// tooDeep says why a group is held of whose deleted children others hang, ""
// where it is not. Where only some of the children go, it is seen at the
// clean-up which; what hangs on all of them is remembered as the most there can be.
func (f *referral) tooDeep(g *casefile.Group, r *Reference, keep Fields, c *GroupReference) (held string) {
	deleted := c.Dropped
	if r.Action == DeleteRow {
		deleted = c.Rows
	}
	all := hangings(g, keep, r.Number)
	if deleted == 0 || len(all) == 0 {
		return ""
	}
	if deleted < c.Rows {
		if f.atMost == nil {
			f.atMost = map[int][]hanging{}
		}
		for _, h := range all {
			f.atMost[r.Number] = addHanging(f.atMost[r.Number], h)
		}
		return ""
	}
	return fmt.Sprintf("%s of %s would be deleted, and with %s %s; what a cascade changes could not come back, so clean those rows up first", Count(int(deleted), "row"), r.describes(), Verb(int(deleted), "it", "them"), describeHangings(all))
}

// grandchildren says what refers to the rows of a child that go; counted is
// true where the scan looked.
func (t *Table) grandchildren(r *Reference, child *Child, counted bool) string {
	n := int(r.Effect().Deleted)
	note := fmt.Sprintf("%s of %s %s, and %s refers to that table: ", Count(n, "row"), r.Table, Verb(n, "goes", "go"), child.Incoming[0].Table)
	left := "its group is left alone, and named"
	switch most := t.Hanging[r.Number]; {
	case len(most) > 0:
		return note + "at most " + describeHangings(most) + "; where one hangs on a row that goes, " + left
	case counted:
		return note + "none of its rows refers to one of them; if one comes to, " + left
	}
	return note + "where one of its rows refers to one of them, " + left
}
