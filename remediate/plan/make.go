package plan

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"twinrow/detect/casefile"
)

// What becomes of groups whose copies differ.
const (
	Hold         = "hold"
	KeepSurvivor = "keep-survivor" // Merge is the third
)

// Options say how to plan.
type Options struct {
	// Tool is the program that makes the plan.
	Tool Tool
	// Keep is the name of the survivor rule, for the document.
	Keep string
	// Choose applies that rule to one group.
	Choose func(table *casefile.Table, group *casefile.Group) (keep Fields, remove []Fields, reason string, err error)
	// Differing is Hold, the default where it is empty, KeepSurvivor or Merge.
	Differing string
	// Decisions are a person's choices, which go before any rule; nil for none.
	Decisions *Decisions
	// Strategy is one of Strategies; "" is Auto.
	Strategy string
	// CleanOnly leaves the index to another plan.
	CleanOnly bool
	// Rules are what was declared for single entries of the case, by their names.
	Rules map[string]Rules
	// IndexName replaces the name that the index would be given; it needs a
	// case with one table.
	IndexName string
}

// Make plans a case. It changes nothing; Write stores the result.
func Make(opened *Case, opts Options) (*Plan, error) {
	if err := opts.check(opened); err != nil {
		return nil, err
	}
	p := &Plan{
		Schema: Schema, Tool: opts.Tool, CaseID: opened.ID, CaseSHA256: opened.SHA256,
		Engine: opened.Source.Engine, Differing: opts.Differing, Hazards: []Hazard{}, Files: []FileRef{},
	}
	for i := range opened.Tables {
		t := &opened.Tables[i]
		if err := cleanable(t); err != nil {
			return nil, err
		}
		rules := opts.rules(t.Name)
		p.Tables = append(p.Tables, Table{
			Table: t.Table, Name: t.Name, Key: t.KeyNames(), Keep: rules.Keep, Merge: rules.Merge, Set: rules.Set,
			Groups: []Group{}, Held: []Held{}, Operations: []Operation{}, Effects: map[string]Effect{}, Notes: []string{},
		})
	}
	if err := p.decide(opened, opts); err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for i := range p.Tables {
		if err := p.Tables[i].operate(opened, &opened.Tables[i], opts, taken); err != nil {
			return nil, err
		}
		p.Hazards = union(p.Hazards, p.Tables[i].Hazards)
	}
	return p, nil
}

// cleanable refuses what holds no rows of its own: nothing can be locked,
// deleted or indexed there.
func cleanable(t *casefile.Table) error {
	if t.Kind == "" {
		return nil
	}
	hint := "scan the table that it is made of, and plan from that case"
	switch {
	case strings.Contains(t.Kind, "some columns"):
		hint = "scan it as a role that may read the whole table (GRANT SELECT ON " + t.Table + "), and plan from that case"
	case strings.Contains(t.Kind, "foreign"):
		hint = "scan each table at the server that holds it, and plan from those cases; rows whose copies are on several servers are in this case's report"
	}
	return &Problem{Code: CodeUnsupported, Message: t.Table + " is " + t.Kind + ", and a clean-up needs the table itself", Hint: hint}
}

func (o *Options) check(opened *Case) error {
	if opened.Source.Engine == "dynamodb" {
		return &Problem{Code: CodeUnsupported, Message: "the case is of a table of DynamoDB, which is only read here", Hint: "take the rows to remove from `twinrow report CASE --format csv`, and delete them by their primary key with the service's own tools"}
	}
	if o.Differing == "" {
		o.Differing = Hold
	}
	if o.Strategy == "" {
		o.Strategy = Auto
	}
	if !slices.Contains(Strategies, o.Strategy) {
		return &Problem{Code: CodeUsage, Message: fmt.Sprintf("no strategy %q", o.Strategy), Hint: "the strategies are: " + strings.Join(Strategies, ", ")}
	}
	if o.Differing != Hold && o.Differing != KeepSurvivor && o.Differing != Merge {
		return &Problem{Code: CodeUsage, Message: fmt.Sprintf("no rule %q for groups whose copies differ", o.Differing), Hint: "the rules are: " + Hold + ", " + KeepSurvivor + ", " + Merge}
	}
	for i := range opened.Tables {
		rules := o.rules(opened.Tables[i].Name)
		if err := errors.Join(rules.check(opened.Source.Engine, &opened.Tables[i]), rules.Index.check()); err != nil {
			return err
		}
	}
	if err := (IndexRule{Name: o.IndexName}).check(); err != nil {
		return err
	}
	if o.IndexName != "" && len(opened.Tables) != 1 {
		return &Problem{Code: CodeUsage, Message: fmt.Sprintf("one index name was given for a case of %d tables", len(opened.Tables)), Hint: "leave the name out; each index gets its own"}
	}
	return nil
}

// decide settles each group. Where entries would change each other's rows, the
// groups in question are held, and all is decided again without them.
func (p *Plan) decide(opened *Case, opts Options) error {
	tables := p.Tables
	met := map[int]string{}
	for {
		p.Tables = slices.Clone(tables)
		opts.Decisions.restart()
		m, err := p.decideOnce(opened, opts, met)
		if err != nil {
			return err
		}
		more := m.conflicts()
		if len(more) == 0 {
			for _, d := range m.entries {
				d.settle()
			}
			m.note()
			return opts.Decisions.finish(p, met)
		}
		maps.Copy(met, more)
	}
}

// decideOnce goes through the evidence once. met are groups that are held
// because entries meet there, with the reasons.
func (p *Plan) decideOnce(opened *Case, opts Options, met map[int]string) (*meeting, error) {
	entries := make([]*deciding, len(p.Tables))
	for i := range p.Tables {
		d, err := newDeciding(&p.Tables[i], opened, opts)
		if err != nil {
			return nil, err
		}
		entries[i] = d
	}
	m := newMeeting(entries)
	seen := map[string]int{}
	err := opened.EachGroup(func(g *casefile.Group) error {
		i := slices.IndexFunc(entries, func(d *deciding) bool { return d.t.Name == g.Table })
		if i < 0 {
			return &Problem{Code: CodeTampered, Message: fmt.Sprintf("group %d is of %q, which is not a table of the case", g.Number, g.Table), Hint: "restore the case from a copy, or scan again"}
		}
		for _, row := range g.Rows {
			id := g.Table + "\x00" + IDText(row.ID)
			if other := seen[id]; other != 0 {
				return &Problem{Code: CodeUnsupported, Message: fmt.Sprintf("two rows have the id %s (groups %d and %d), so a clean-up cannot tell them apart", IDText(row.ID), other, g.Number), Hint: "scan again with --id naming columns that are unique, or without --id"}
			}
			seen[id] = g.Number
		}
		d := entries[i]
		if err := indexable(d.table, g); err != nil {
			return err
		}
		before := len(d.t.Groups)
		if why := met[g.Number]; why != "" {
			d.hold(g, why)
		} else if err := d.add(g); err != nil {
			return err
		}
		var cleaned *Group
		if len(d.t.Groups) > before {
			cleaned = &d.t.Groups[before]
		}
		m.add(i, g, cleaned)
		return nil
	})
	return m, err
}

// operate lists the operations that the decisions ask for, with their hazards and effects.
func (t *Table) operate(opened *Case, table *casefile.Table, opts Options, taken map[string]bool) error {
	engine := opened.Source.Engine
	if err := t.choose(engine, table, opts.Strategy); err != nil {
		return err
	}
	if engine == "csv" {
		t.Hazards = union(t.Hazards)
		return nil
	}
	if err := t.foresee(table); err != nil {
		return err
	}
	var lock []Hazard
	if engine == "postgres" && t.Strategy == Atomic && table.ScannedRows >= longLock {
		lock = []Hazard{TakesLock}
	}
	t.change(opened, table, lock)
	if engine == "d1" {
		t.noteTriggers(table)
	}
	if t.Strategy == Online && t.Shared {
		t.Notes = append(t.Notes, "arrays name rows of several groups: one is changed in each batch that holds one of these, so that more updates may be counted than foretold")
	}
	if err := t.index(opened, table, opts, taken, lock); err != nil {
		return err
	}
	t.enclose(opened.ID)
	t.Hazards = nil
	for _, o := range t.Operations {
		t.Hazards = union(t.Hazards, o.Hazards)
	}
	t.Hazards = union(t.Hazards)
	return nil
}

// change lists what is done to rows, with its effects.
func (t *Table) change(opened *Case, table *casefile.Table, lock []Hazard) {
	engine := opened.Source.Engine
	if n := t.SetRows(); n > 0 {
		t.Operations = append(t.Operations, quarantine(engine, t.Table, opened.ID, n), set(t.Table, n, t.Set, union(lock, []Hazard{ChangesRows}, t.updates(table))))
		t.effect(t.Table, Effect{Updated: int64(n)})
	}
	n := t.Removed()
	if n == 0 {
		return
	}
	t.Operations = append(t.Operations, quarantine(engine, t.Table, opened.ID, n))
	t.repointing(table)
	t.Operations = append(t.Operations, deleteRows(t.Table, n, union(lock, t.Hazards, t.dangers(table))))
	t.effect(t.Table, Effect{Deleted: int64(n)})
	if t.merges() {
		o := merge(t.Table, len(t.Groups), t.Merge)
		o.Hazards = union(t.updates(table))
		t.Operations = append(t.Operations, o)
		t.effect(t.Table, Effect{Updated: int64(len(t.Groups))})
	}
}

// dangers are what the table's foreign keys and triggers add to a delete.
func (t *Table) dangers(table *casefile.Table) []Hazard {
	var hazards []Hazard
	for n, k := range table.IncomingKeys {
		on := strings.ToLower(k.OnDelete)
		cascades := slices.Contains([]string{"cascade", "set null", "set default"}, on)
		if cascades {
			hazards = append(hazards, Cascades)
		}
		if cascades && k.Child != nil && len(k.Child.Triggers) > 0 && !t.refersBy(n) {
			hazards = append(hazards, FiresTriggers)
			t.Notes = append(t.Notes, "triggers of "+k.Table+" may fire: "+strings.Join(k.Child.Triggers, ", ")+"; its foreign key runs a statement for each removed row, though it finds no row")
		}
		switch {
		case !k.Counted && cascades:
			t.Notes = append(t.Notes, "a removed row that "+k.Table+" refers to ("+k.Name+") makes the clean-up roll back, because its rows would change too (on delete "+on+")")
		case !k.Counted:
			t.Notes = append(t.Notes, "a removed row that "+k.Table+" refers to ("+k.Name+") makes the clean-up roll back")
		case cascades:
			t.Notes = append(t.Notes, k.Name+" of "+k.Table+" is on delete "+on+": "+t.referredRows(n)+", so that the delete itself changes none")
		}
	}
	if len(table.Triggers) > 0 {
		hazards = append(hazards, FiresTriggers)
		t.Notes = append(t.Notes, "triggers fire: "+strings.Join(table.Triggers, ", ")+"; a rehearsal (apply --dry-run, and each apply before its first change) tells what they add, and the files under sql/ do not compare that; rows that they add to other tables stay after an undo, and any other change of theirs makes the clean-up roll back")
	}
	return hazards
}

// refersBy tells whether rows refer by a reference to rows that go.
func (t *Table) refersBy(number int) bool {
	return slices.ContainsFunc(t.References, func(r Reference) bool { return r.Number == number && r.Rows > 0 })
}

// referredRows says how many rows a cascade would have reached.
func (t *Table) referredRows(number int) string {
	i := slices.IndexFunc(t.References, func(r Reference) bool { return r.Number == number })
	if i < 0 || t.References[i].Rows == 0 {
		return "no row refers by it to one that goes"
	}
	n := int(t.References[i].Rows)
	return fmt.Sprintf("%s %s to rows that go, and %s dealt with first", Count(n, "row"), Verb(n, "refers", "refer"), Verb(n, "is", "are"))
}

// index adds the unique index, unless one holds already or held groups stand in its way.
func (t *Table) index(opened *Case, table *casefile.Table, opts Options, taken map[string]bool, lock []Hazard) error {
	rule := opts.rules(t.Name).Index
	switch {
	case opts.CleanOnly:
		return nil
	case rule.None:
		t.NoIndex = true
		t.Notes = append(t.Notes, "no index is built, because the configuration says `index: false`: new duplicates can come at any time")
		return nil
	case len(table.UniqueBy) > 0:
		note := "no index is built: " + strings.Join(table.UniqueBy, ", ") + " forbids a second row already"
		if len(t.Groups)+len(t.Held) > 0 {
			note += "; it let duplicates in all the same, so it is damaged: rebuild it (REINDEX) after the clean-up"
		}
		t.Notes = append(t.Notes, note+rule.without())
		return nil
	case len(t.Held) > 0:
		t.Notes = append(t.Notes, fmt.Sprintf("no index is built yet: %s %s held back, and a unique index cannot be built over duplicates", Count(len(t.Held), "group"), Verb(len(t.Held), "is", "are"))+rule.without())
		return nil
	}
	if err := nullsSupported(opened, table); err != nil {
		return err
	}
	rule.Name = cmp.Or(opts.IndexName, rule.Name)
	index, err := t.wanted(opened.Source.Engine, table, rule, taken)
	if err != nil {
		return err
	}
	if err := t.foreseeIndex(table, index); err != nil {
		return err
	}
	t.Operations = append(t.Operations, uniqueIndex(t.Table, index, lock))
	return nil
}

// nullsSupported refuses an index that the engine cannot build: NULLS NOT
// DISTINCT is in PostgreSQL from 15 on (its release notes), and not in SQLite.
func nullsSupported(opened *Case, table *casefile.Table) error {
	if table.Nulls != "not-distinct" {
		return nil
	}
	hint := "scan again with --nulls distinct, or with an expression such as coalesce(column, '') in the key"
	if opened.Source.Engine != "postgres" {
		return &Problem{Code: CodeUnsupported, Message: "SQLite has no unique index under which NULLs are equal", Hint: hint}
	}
	major, _, _ := strings.Cut(opened.Source.Version, ".")
	if n, err := strconv.Atoi(strings.TrimRight(major, " abcdefghijklmnopqrstuvwxyz")); err == nil && n < 15 {
		return &Problem{Code: CodeUnsupported, Message: "PostgreSQL " + opened.Source.Version + " has no unique index under which NULLs are equal; 15 is the first", Hint: hint}
	}
	return nil
}

// IDText writes a row's id for people: the values alone where it is one
// column, else name=value pairs.
func IDText(id Fields) string {
	parts := make([]string, len(id))
	for i, f := range id {
		value := "NULL"
		if f.Value != nil {
			value = *f.Value
		}
		parts[i] = f.Name + "=" + value
	}
	return strings.Join(parts, ", ")
}
