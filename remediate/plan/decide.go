package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"twinrow/detect/casefile"
)

// Chooser decides which row of a group stays, and says why. keep is nil where
// none may be chosen: the group is held then, for that reason.
type Chooser = func(table *casefile.Table, group *casefile.Group) (keep Fields, remove []Fields, reason string, err error)

// Rules are what was declared for one entry of a case. What is empty is as the
// Options have it for all.
type Rules struct {
	// Keep is the name of the survivor rule, Choose applies it.
	Keep   string
	Choose Chooser
	// Broken says why this row must not be the one that stays, "" where it may,
	// whoever chose it. Nil allows every row.
	Broken func(group *casefile.Group, keep Fields) string
	// Differing is Hold, KeepSurvivor or Merge.
	Differing string
	// Merge are the rules by which survivors take values of the others.
	Merge []ColumnRule
	// Set are the columns with which surplus rows stay; nil where they go.
	Set []Assignment
	// NewKey tells of a row that is set whether another has the key already that
	// it would get, and numbers that key: rows that would get the same have the
	// same number. Nil where nobody looked.
	NewKey     func(row Fields) (taken bool, number int64)
	References []ReferenceRule
	// Index says which index is built; the zero value is one on the key.
	Index IndexRule
}

// rules are those of one entry.
func (o *Options) rules(entry string) Rules {
	r := o.Rules[entry]
	if r.Choose == nil {
		r.Keep, r.Choose = o.Keep, o.Choose
	}
	if r.Differing == "" {
		r.Differing = o.Differing
	}
	return r
}

// check refuses rules that the table's columns do not fit.
func (r Rules) check(engine string, table *casefile.Table) error {
	wrong := func(format string, args ...any) error {
		return &Problem{Code: CodeUsage, Message: table.Table + ": " + fmt.Sprintf(format, args...), Hint: "mend it in twinrow.yaml, then scan again"}
	}
	column := func(name string) *Column {
		i := slices.IndexFunc(table.Columns, func(c Column) bool { return c.Name == name })
		if i < 0 {
			return nil
		}
		return &table.Columns[i]
	}
	for _, m := range r.Merge {
		switch c := column(m.Column); {
		case c == nil:
			return wrong("merge names the column %s, which the table does not have", m.Column)
		case c.Generated && m.Rule != "keep":
			return wrong("merge names the column %s, which the database computes itself", m.Column)
		case slices.Contains(table.ID, m.Column) && m.Rule != "keep":
			return wrong("merge names the column %s, which identifies the row", m.Column)
		case !slices.Contains(MergeRules, m.Rule):
			return wrong("merge has no rule %q; the rules are %s", m.Rule, strings.Join(MergeRules, ", "))
		}
	}
	for _, a := range r.Set {
		switch c := column(a.Column); {
		case c == nil:
			return wrong("surplus sets the column %s, which the table does not have", a.Column)
		case c.Generated || slices.Contains(table.ID, a.Column):
			return wrong("surplus sets the column %s, which cannot be changed", a.Column)
		}
	}
	if engine == "csv" && len(r.Set)+len(r.Merge) > 0 {
		return &Problem{Code: CodeUnsupported, Message: table.Table + ": merge and surplus set need a database, and a file has survivors as they are", Hint: "take them out of twinrow.yaml, then plan again"}
	}
	if len(r.Set) > 0 && len(r.Merge) > 0 {
		return wrong("merge and surplus set cannot go together: rows that stay keep their own values")
	}
	return nil
}

// deciding settles the groups of one table.
type deciding struct {
	t         *Table
	table     *casefile.Table
	rules     Rules
	decisions *Decisions
	refer     referral
	// made are the rows that get new keys, by the numbers of these.
	made map[int64]string
}

func newDeciding(t *Table, opened *Case, opts Options) (*deciding, error) {
	d := &deciding{t: t, table: opened.TableNamed(t.Name), rules: opts.rules(t.Name), decisions: opts.Decisions, made: map[int64]string{}}
	refs, err := references(opened.Source.Engine, d.table, d.rules.References)
	d.refer = referral{engine: opened.Source.Engine, table: d.table, refs: refs, going: map[string]int{}, shared: map[sharing]together{}}
	return d, err
}

// add settles one group: cleaned or held.
func (d *deciding) add(g *casefile.Group) error {
	held := d.differs(g)
	decided, ok, err := d.decided(g, held != "")
	switch {
	case err != nil:
		return err
	case ok:
		d.take(g, decided)
		return nil
	case held != "":
		d.hold(g, held)
		return nil
	}
	keep, remove, reason, err := d.rules.Choose(d.table, g)
	if err != nil {
		return err
	}
	if keep == nil {
		d.hold(g, reason)
		return nil
	}
	d.take(g, Group{Number: g.Number, Key: g.Key, Keep: keep, Remove: remove, Reason: reason})
	return nil
}

// decided is a person's choice. Where a rule would have chosen the same row, as
// a file that was written from a plan says it, it is the rule's.
func (d *deciding) decided(g *casefile.Group, held bool) (group Group, ok bool, err error) {
	keep, remove, why, ok := d.decisions.choice(g)
	if !ok {
		return group, false, nil
	}
	group = Group{Number: g.Number, Key: g.Key, Keep: keep, Remove: remove, Reason: why}
	ruled, _, reason, err := d.rules.Choose(d.table, g)
	if err != nil {
		return group, false, err
	}
	if !held && ruled != nil && IDText(ruled) == IDText(keep) {
		group.Reason = reason
	} else {
		d.decisions.note(g.Number)
	}
	return group, true, nil
}

// take puts a group among those that are cleaned, unless what must not be lost
// or what refers to it stands in the way.
func (d *deciding) take(g *casefile.Group, group Group) {
	if d.rules.Broken != nil {
		if broken := d.rules.Broken(g, group.Keep); broken != "" {
			d.hold(g, group.Reason+", but "+broken)
			return
		}
	}
	if len(d.rules.Set) > 0 {
		group.Remove, group.Set = []Fields{}, group.Remove
		if held := d.stillSame(&group); held != "" {
			d.hold(g, held)
			return
		}
	} else {
		var held string
		if group.References, held = d.refer.foretell(g, group.Keep); held != "" {
			d.hold(g, held)
			return
		}
		d.refer.remember(g, len(d.t.Groups), group.Keep)
	}
	if !g.Identical {
		if len(d.rules.Set) == 0 && d.rules.Differing != Merge {
			d.t.Hazards = union(d.t.Hazards, []Hazard{DifferingRows})
		}
		group.Reason += "; the copies differ in " + strings.Join(g.Differs, ", ")
	}
	d.t.Groups = append(d.t.Groups, group)
}

// stillSame says which row would be a duplicate again once it is set, "" for none.
func (d *deciding) stillSame(group *Group) string {
	if d.rules.NewKey == nil {
		return ""
	}
	var columns []string
	for _, a := range d.rules.Set {
		columns = append(columns, a.Column)
	}
	mine := map[int64]string{}
	for _, row := range group.Set {
		taken, number := d.rules.NewKey(row)
		switch other := cmp.Or(d.made[number], mine[number]); {
		case number == 0: // the row is gone, which apply will find
			continue
		case taken:
			return fmt.Sprintf("`surplus: {set: …}` would give row %s a key that another row has already: set %s otherwise", IDText(row), strings.Join(columns, ", "))
		case other != "":
			return fmt.Sprintf("`surplus: {set: …}` would give row %s the same key as row %s: set %s otherwise", IDText(row), other, strings.Join(columns, ", "))
		}
		mine[number] = IDText(row)
	}
	maps.Copy(d.made, mine)
	return ""
}

// differs says why a group whose copies differ is held, "" where it is not.
func (d *deciding) differs(g *casefile.Group) string {
	switch {
	case g.Identical || len(d.rules.Set) > 0 || d.rules.Differing == KeepSurvivor:
		return ""
	case d.rules.Differing == Hold:
		return "the copies differ in " + strings.Join(g.Differs, ", ")
	}
	var without []string
	for _, c := range g.Differs {
		if !slices.ContainsFunc(d.rules.Merge, func(r ColumnRule) bool { return r.Column == c }) {
			without = append(without, c)
		}
	}
	if len(without) == 0 {
		return ""
	}
	return "the copies differ in " + strings.Join(without, ", ") + ", for which merge has no rule"
}

func (d *deciding) hold(g *casefile.Group, reason string) {
	held := Held{Number: g.Number, Key: g.Key, Differs: g.Differs, Reason: reason}
	for _, row := range g.Rows {
		held.Rows = append(held.Rows, row.ID)
	}
	d.t.Held = append(d.t.Held, held)
}

// settle finishes what needs all groups to be decided.
func (d *deciding) settle() {
	if len(d.rules.Set) > 0 {
		return
	}
	if selves := d.refer.settle(d.t.Groups); selves > 0 {
		d.t.Hazards = union(d.t.Hazards, []Hazard{SelfReference})
		d.t.Notes = append(d.t.Notes, fmt.Sprintf("%s to a row that goes and would refer to %s", Verb(selves, "1 survivor refers", fmt.Sprintf("%d survivors refer", selves)), Verb(selves, "itself", "themselves")))
	}
	d.t.References, d.t.Inward, d.t.Hanging = d.refer.told(), d.refer.inward, d.refer.atMost
	d.t.Shared = d.refer.several
}

// SetRows counts the surplus rows that stay.
func (t *Table) SetRows() int {
	n := 0
	for _, g := range t.Groups {
		n += len(g.Set)
	}
	return n
}

// effect adds to what is foretold of a table.
func (t *Table) effect(table string, e Effect) {
	sum := t.Effects[table]
	t.Effects[table] = Effect{Inserted: sum.Inserted + e.Inserted, Updated: sum.Updated + e.Updated, Deleted: sum.Deleted + e.Deleted}
}

// updates are the hazards of changing rows of the table.
func (t *Table) updates(table *casefile.Table) []Hazard {
	if len(table.UpdateTriggers) == 0 {
		return nil
	}
	t.Notes = append(t.Notes, "triggers fire: "+strings.Join(table.UpdateTriggers, ", "))
	return []Hazard{FiresTriggers}
}

// repointing lists the operations on rows that refer to those that go.
func (t *Table) repointing(table *casefile.Table) {
	for i := range t.References {
		r := &t.References[i]
		if r.Rows == 0 {
			continue
		}
		var hazards []Hazard
		child := table.IncomingKeys[r.Number].Child
		deletes := r.Effect().Deleted > 0
		if deletes {
			hazards = append(hazards, DeletesRows)
		}
		if deletes && child != nil && len(child.Incoming) > 0 {
			hazards = append(hazards, Grandchildren)
			t.Notes = append(t.Notes, t.grandchildren(r, child, table.IncomingKeys[r.Number].Deletes))
		}
		if r.Array && r.Dropped > 0 {
			hazards = append(hazards, ArrayRepeats)
		}
		if child != nil && len(child.Triggers) > 0 {
			hazards = append(hazards, FiresTriggers)
			t.Notes = append(t.Notes, "triggers of "+r.Table+" may fire: "+strings.Join(child.Triggers, ", "))
		}
		if slices.ContainsFunc(t.References[:i], func(o Reference) bool { return o.Table == r.Table && o.Rows > 0 && o.deletes() > 0 }) {
			t.Notes = append(t.Notes, "rows of "+r.Table+" go by several references: one that does is counted for each, so that fewer may change than foretold")
		}
		t.Operations = append(t.Operations, repoint(r, hazards))
		t.effect(r.Table, r.Effect())
	}
}

// noteTriggers says where the way back in D1 asks for a person's hand: triggers
// cannot be kept quiet there.
func (t *Table) noteTriggers(table *casefile.Table) {
	loud := map[string][]string{}
	if t.merges() || t.SetRows() > 0 {
		loud[t.Table] = append(slices.Clone(table.Triggers), table.UpdateTriggers...)
	}
	for _, r := range t.References {
		if child := table.IncomingKeys[r.Number].Child; r.Rows > 0 && child != nil {
			loud[r.Table] = append(loud[r.Table], child.Triggers...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(loud)) {
		if triggers := slices.Compact(slices.Sorted(slices.Values(loud[name]))); len(triggers) > 0 {
			t.Notes = append(t.Notes, "the way back refuses while "+name+" has triggers ("+strings.Join(triggers, ", ")+"), because D1 cannot keep them from changing what is put back: note their text, drop them for it, and create them again after it")
		}
	}
}
