package scan

import (
	"context"
	"slices"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
	"twinrow/detect/source"
)

// references asks the source who refers to the rows of groups, and what would
// stand in the way of referring to one of them only. It is false where the
// source cannot, or may not, tell it all.
func (e *engine) references(ctx context.Context, table *casefile.Table, groups []*casefile.Group) (counted bool, err error) {
	referrer, ok := e.src.(source.Referrer)
	if !ok {
		return false, nil
	}
	counted = true
	for number, k := range e.table.IncomingKeys {
		err := e.referredBy(ctx, referrer, number, &table.IncomingKeys[number], groups)
		table.IncomingKeys[number].Counted = err == nil
		counted = counted && err == nil
		if err := soften(ctx, "which surplus rows "+k.Table+" refers to", err, &e.unknown); err != nil {
			return false, err
		}
	}
	return counted, nil
}

// referredBy asks about one reference.
func (e *engine) referredBy(ctx context.Context, referrer source.Referrer, number int, document *casefile.ForeignKey, groups []*casefile.Group) error {
	k := e.table.IncomingKeys[number]
	child, err := referrer.Child(ctx, e.table, k)
	if err != nil {
		return err
	}
	child.Unique = append(child.Unique, e.keysOn(k)...)
	document.Child = childDocument(child)
	if lister, ok := referrer.(source.Lister); ok && k.Array {
		return e.lists(ctx, lister, number, groups)
	}
	at := map[uint64]*casefile.Row{}
	var all []uint64
	for i, c := range e.groups {
		for r := range c.rows {
			at[c.rows[r].Locator] = &groups[i].Rows[r]
			all = append(all, c.rows[r].Locator)
		}
	}
	slices.Sort(all)
	err = referrer.References(ctx, e.table, k, all, func(locator uint64, rows int64) error {
		if row := at[locator]; row != nil {
			row.References = append(row.References, casefile.Reference{ForeignKey: k.Name, Table: k.Table, Number: number, Rows: rows})
		}
		return nil
	})
	if err != nil || k.Array {
		return err
	}
	if err := e.beneath(ctx, referrer, number, at); err != nil {
		return err
	}
	for _, u := range child.Unique {
		if err := e.collisions(ctx, referrer, number, u, groups); err != nil {
			return err
		}
	}
	return nil
}

// beneath asks what hangs on the rows that refer, where they may be deleted.
func (e *engine) beneath(ctx context.Context, referrer source.Referrer, number int, at map[uint64]*casefile.Row) error {
	k := e.table.IncomingKeys[number]
	tracer, ok := referrer.(source.Tracer)
	if !ok || !k.Deletes {
		return nil
	}
	var referredTo []uint64
	for locator, row := range at {
		if refers(*row, number) {
			referredTo = append(referredTo, locator)
		}
	}
	slices.Sort(referredTo)
	reached, err := source.Beneath(ctx, tracer, e.table, k, referredTo)
	if err != nil {
		return err
	}
	for _, r := range reached {
		row := at[r.Locator]
		row.Beneath = append(row.Beneath, casefile.Beneath{Number: number, ForeignKey: r.Key.Name, Table: r.Key.Table, OnDelete: r.Key.OnDelete, Rows: r.Rows})
	}
	return nil
}

// collisions asks about one unique key of a child, for groups that it refers to.
func (e *engine) collisions(ctx context.Context, referrer source.Referrer, number int, u source.UniqueKey, groups []*casefile.Group) error {
	if u.Unclear {
		return nil
	}
	var asked [][]uint64
	var of []*casefile.Group
	for i, g := range groups {
		if !slices.ContainsFunc(g.Rows, func(r casefile.Row) bool { return refers(r, number) }) {
			continue
		}
		var locators []uint64
		for _, row := range e.groups[i].rows {
			locators = append(locators, row.Locator)
		}
		asked, of = append(asked, locators), append(of, g)
	}
	return referrer.Collisions(ctx, e.table, e.table.IncomingKeys[number], u, asked, func(group int, keys, rows int64) error {
		of[group].Collisions = append(of[group].Collisions, casefile.Collision{Reference: number, Unique: u.Name, Keys: keys, Rows: rows})
		return nil
	})
}

// keysOn are the keys of other entries on a table that refers: what comes to
// refer to one row may come to be duplicates under them.
func (e *engine) keysOn(k source.ForeignKey) []source.UniqueKey {
	var all []source.UniqueKey
	for _, other := range e.entries {
		if other.table == e.table || other.table.Name != k.Table || len(other.table.UniqueBy) > 0 {
			continue
		}
		u := source.UniqueKey{Name: "the key of " + other.name, Entry: other.name, Where: other.table.Key.Where, NullsEqual: other.table.Key.NullsEqual, Unclear: key.Mentions(other.table.Key.Where, k.Columns)}
		for _, part := range other.table.Key.Parts {
			switch {
			case !part.Expression && slices.Contains(k.Columns, part.Text):
				u.Columns = append(u.Columns, part.Text)
			default:
				u.Rest = append(u.Rest, part)
				u.Unclear = u.Unclear || part.Expression && key.Mentions(part.Text, k.Columns)
			}
		}
		if len(u.Columns) > 0 || u.Unclear {
			all = append(all, u)
		}
	}
	return all
}

func refers(row casefile.Row, number int) bool {
	return slices.ContainsFunc(row.References, func(r casefile.Reference) bool { return r.Number == number })
}

func foreignKey(k source.ForeignKey) casefile.ForeignKey {
	return casefile.ForeignKey{Name: k.Name, Table: k.Table, Columns: k.Columns, References: k.References, OnDelete: k.OnDelete, Where: k.Where, Array: k.Array, Deletes: k.Deletes}
}

func childDocument(c source.Child) *casefile.Child {
	out := &casefile.Child{ID: c.ID, Rowid: c.Rowid, Triggers: c.Triggers}
	for _, column := range c.Columns {
		out.Columns = append(out.Columns, casefile.Column(column))
	}
	for _, u := range c.Unique {
		key := casefile.UniqueKey{Name: u.Name, Columns: u.Columns, Where: u.Where, NullsEqual: u.NullsEqual, Entry: u.Entry, Unclear: u.Unclear}
		for _, p := range u.Rest {
			key.Rest = append(key.Rest, casefile.KeyPart(p))
		}
		out.Unique = append(out.Unique, key)
	}
	for _, k := range c.Incoming {
		out.Incoming = append(out.Incoming, foreignKey(k))
	}
	return out
}
