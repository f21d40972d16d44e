package scan

import (
	"cmp"
	"context"
	"slices"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

// rowPlace is a row as the place of its group and its own in that.
type rowPlace struct{ group, row int }

// lists asks which rows arrays of ids name together. From that follows too how
// many rows of the child refer to each.
func (e *engine) lists(ctx context.Context, lister source.Lister, number int, groups []*casefile.Group) error {
	k := e.table.IncomingKeys[number]
	var places []rowPlace
	var locators []uint64
	for i, c := range e.groups {
		for r := range c.rows {
			places, locators = append(places, rowPlace{i, r}), append(locators, c.rows[r].Locator)
		}
	}
	shared := 0
	err := lister.Lists(ctx, e.table, k, locators, func(named []int, deep bool, rows int64) error {
		of := map[int][]int{}
		for _, n := range named {
			at := places[n]
			of[at.group] = append(of[at.group], at.row)
		}
		list := casefile.List{Reference: number, Deep: deep, Rows: rows}
		if len(of) > 1 {
			shared++
			list.Shared = shared
		}
		for group, rows := range of {
			list.Named = rows
			groups[group].Lists = append(groups[group].Lists, list)
		}
		return nil
	})
	for _, g := range groups {
		countLists(g, number, k)
	}
	return err
}

// countLists puts the lists of a group in order, and counts for each row those
// that name it.
func countLists(g *casefile.Group, number int, k source.ForeignKey) {
	slices.SortFunc(g.Lists, func(a, b casefile.List) int {
		return cmp.Or(a.Reference-b.Reference, slices.Compare(a.Named, b.Named), a.Shared-b.Shared, map[bool]int{true: 1}[a.Deep]-map[bool]int{true: 1}[b.Deep])
	})
	for r := range g.Rows {
		rows := int64(0)
		for _, l := range g.Lists {
			if l.Reference == number && slices.Contains(l.Named, r) {
				rows += l.Rows
			}
		}
		if rows > 0 {
			g.Rows[r].References = append(g.Rows[r].References, casefile.Reference{ForeignKey: k.Name, Table: k.Table, Number: number, Rows: rows})
		}
	}
}
