package dialect

import (
	"slices"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// followedReference is a reference whose rows can be looked at.
type followedReference struct {
	ref   *plan.Reference
	child *plan.Child
}

// followed are the references of a plan that the scan counted.
func followed(w *plan.Work) []followedReference {
	var all []followedReference
	for i := range w.References {
		r := &w.References[i]
		if k := w.Case.IncomingKeys[r.Number]; k.Counted && k.Child != nil {
			all = append(all, followedReference{r, k.Child})
		}
	}
	return all
}

// Referred is what one reference really says of the groups in the work.
type Referred struct {
	Number int
	// Table is the table that refers.
	Table string
	// Prepare are statements over temporary tables; Counts then returns for
	// each group its number, the id of a row that goes, and the rows that
	// refer, those that would collide, and the keys on which they do.
	Prepare []string
	Counts  string
}

// unforeseen is the number of what no plan foretells: no row may refer so.
const unforeseen = -1

// referring writes what is done to rows that refer, in the SQL of one engine.
// The rows, h, are looked for first; those that are doomed would collide.
type referring interface {
	look() []string
	count(which string) string
	remove(step int, which string) Step
	move(step int, toNull bool) Step
	merge(step int) Step
}

// stepsFor are the steps of one reference, by what was declared of it.
func stepsFor(g referring, ref *plan.Reference) []Step {
	if ref.Rows == 0 {
		return nil
	}
	var all []Step
	add := func(doing, which string, number int, step Step) {
		step.Doing, step.Table, step.number, step.Deletes = doing, ref.Table, number, number%stepsAReference == stepDrop
		if step.Want == "" {
			step.Want = g.count(which)
		}
		all = append(all, step)
	}
	first := ref.Number * stepsAReference
	switch ref.Action {
	case plan.DeleteRow:
		add("deleting rows of "+ref.Table+" that refer to rows that go", "true", first+stepDrop, g.remove(first+stepDrop, "true"))
	case plan.SetNull:
		add("setting the references of "+ref.Table+" to NULL", "true", first+stepMove, g.move(first+stepMove, true))
	default:
		if ref.Dropped > 0 && ref.OnConflict == plan.Merge {
			add("merging rows of "+ref.Table+" that would collide", "", first+stepMerge, g.merge(first+stepMerge))
		}
		if ref.Dropped > 0 {
			add("deleting rows of "+ref.Table+" that would collide", "h.doomed", first+stepDrop, g.remove(first+stepDrop, "h.doomed"))
		}
		add("pointing rows of "+ref.Table+" at the survivors", "NOT h.doomed", first+stepMove, g.move(first+stepMove, false))
	}
	all[0].Prepare = append(g.look(), all[0].Prepare...)
	return all
}

// numberedStep is one step as the way back finds it.
type numberedStep struct {
	number     int
	table, did string
}

// stepNumbers are all steps of the plan, in order.
func stepNumbers(w *plan.Work) []numberedStep {
	var all []numberedStep
	for _, o := range w.Operations {
		switch o.Op {
		case plan.OpRepoint:
			first := *o.Reference * stepsAReference
			all = append(all, numberedStep{first + stepDrop, o.Table, "deleted"}, numberedStep{first + stepMerge, o.Table, "updated"}, numberedStep{first + stepMove, o.Table, "updated"})
		case plan.OpMerge:
			all = append(all, numberedStep{stepSurvivors, o.Table, "updated"})
		case plan.OpSet:
			all = append(all, numberedStep{stepSet, o.Table, "updated"})
		}
	}
	return all
}

// Back is one step of the way back: SQL returns how many rows were to come
// back, how many did, and how many of these are not exactly as they were
// though nobody else had changed them.
type Back struct {
	Table string
	// Prepare does the work in SQLite, where one statement cannot; SQL only
	// tells then what came of it.
	Prepare []string
	SQL     string
	number  int
}

// backsOf are the ways back of all steps. After the deleted rows are in their
// table again come those that were taken before the delete; survivors, whose
// new values may stand in their way, come first.
func backsOf(w *plan.Work, back func(numberedStep) Back) (survivors, others []Back) {
	for _, step := range slices.Backward(stepNumbers(w)) {
		if step.number >= stepSurvivors {
			survivors = append(survivors, back(step))
		} else {
			others = append(others, back(step))
		}
	}
	return survivors, others
}

// ownColumns are the columns that a step changed.
func ownColumns(w *plan.Work, step numberedStep) []string {
	var own []string
	switch step.number {
	case stepSurvivors:
		own = ruleColumns(w.Merge)
	case stepSet:
		for _, a := range w.Set {
			own = append(own, a.Column)
		}
	default:
		for _, r := range w.References {
			if r.Number == step.number/stepsAReference && step.number%stepsAReference == stepMerge {
				own = ruleColumns(r.Merge)
			} else if r.Number == step.number/stepsAReference {
				own = r.Columns
			}
		}
	}
	return own
}

func ruleColumns(rules []plan.ColumnRule) []string {
	var columns []string
	for _, r := range rules {
		if r.Rule != "keep" {
			columns = append(columns, r.Column)
		}
	}
	return columns
}

// tableOf are the columns of the planned table or of one that refers to it,
// and its primary key.
func tableOf(w *plan.Work, table string) (columns []plan.Column, id []string) {
	if table == w.Table.Table {
		return w.Case.Columns, w.Case.ID
	}
	for _, k := range w.Case.IncomingKeys {
		if k.Table == table && k.Child != nil {
			return k.Child.Columns, k.Child.ID
		}
	}
	return nil, nil
}

// ReferringTables are the other tables whose rows change, in order, to be
// locked. Online, rows are: one that changes meanwhile is not where it was, and
// its batch rolls back.
func ReferringTables(w *plan.Work) []string {
	if w.Strategy == plan.Online {
		return nil
	}
	var tables []string
	for _, r := range w.References {
		if r.Rows > 0 && r.Table != w.Table.Table && !slices.Contains(tables, r.Table) {
			tables = append(tables, r.Table)
		}
	}
	slices.Sort(tables)
	return tables
}

func columnNames(columns []plan.Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

func quotedAll(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = queries.Ident(n)
	}
	return out
}
