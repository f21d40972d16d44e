package dialect

import (
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// sqliteUndo writes the way back.
func sqliteUndo(works []*plan.Work, d1 bool) (string, error) {
	return sqliteFile(works, d1, func(out *script, tables []SQLite) error {
		last := map[string]int{} // the entry after which a table that keeps rows is empty
		for i, s := range slices.Backward(tables) {
			for _, name := range s.Keeps() {
				last[name] = i
			}
		}
		for i, s := range slices.Backward(tables) {
			empties := slices.DeleteFunc(s.Keeps(), func(name string) bool { return last[name] != i })
			if err := s.undo(out, empties); err != nil {
				return err
			}
		}
		return nil
	})
}

// Keeps are the names of the tables that keep rows of this entry.
func (s SQLite) Keeps() []string {
	if len(s.Groups) == 0 {
		return nil
	}
	names := []string{s.QuarantineName()}
	for _, table := range s.ChangedTables() {
		names = append(names, s.ChangesName(table))
	}
	return names
}

// undo takes one table back; empties are the tables that keep nothing after it.
func (s SQLite) undo(out *script, empties []string) error {
	out.comment(s.own.name + ": the index goes, and everything comes back exactly as it was")
	if len(s.Groups) > 0 {
		if err := s.checkBack(out); err != nil {
			return err
		}
	}
	if s.Index() != nil {
		s.require(out, s.Index().Name+" is not the index that this case built; nothing was changed", s.indexIsOurs(true))
		out.add(s.DropIndex())
	}
	if len(s.Groups) == 0 {
		return nil
	}
	survivors, others := s.Backs()
	s.backs(out, survivors)
	if s.Operation(plan.OpDelete) != nil {
		out.comment("the rows that went")
		out.addAll(s.MakeRoom())
		out.add(s.Restore())
		s.require(out, "a row did not come back as it was, because a trigger changes it", "("+s.Restored()+") = ("+s.CountQuarantine()+")")
	}
	s.backs(out, others)
	s.release(out, empties)
	return nil
}

// release forgets what is kept of this entry. For D1 it stays where a row did
// not come back, whatever a client makes of the error before.
func (s SQLite) release(out *script, empties []string) {
	if s.d1 && len(empties) > 0 {
		out.comment("the empty tables stay; drop them by hand when you have seen the rows: DROP TABLE " + strings.Join(quotedAll(empties), "; DROP TABLE "))
	}
	for _, table := range s.ChangedTables() {
		out.add(s.ReleaseChanges(table))
	}
	forget := s.Release()
	if s.Operation(plan.OpDelete) != nil {
		forget += " AND (" + s.Restored() + ") = (" + s.CountQuarantine() + ")"
	}
	out.add(forget)
	for _, name := range empties {
		if !s.d1 {
			out.add("DROP TABLE main." + queries.Ident(name))
		}
	}
}

// checkBack stops where something stands in the way back.
func (s SQLite) checkBack(out *script) error {
	for _, name := range s.Touched() {
		s.requireColumns(out, s.table(name))
	}
	out.add(s.CreateQuarantine())
	out.addAll(s.CreateChanges())
	if err := s.requireKept(out); err != nil {
		return err
	}
	if s.Operation(plan.OpDelete) != nil && !s.own.movable() {
		s.require(out, "the id of a removed row is taken; nothing was changed", "NOT EXISTS ("+s.occupied()+")")
	}
	for _, step := range stepNumbers(s.Work) {
		s.require(out, "rows of "+step.table+" were changed or removed since, or their place is taken; nothing was changed", s.unobstructed(step))
	}
	if s.d1 {
		for _, name := range s.ChangedTables() {
			s.require(out, name+" has triggers, which D1 cannot keep from changing rows that are put back: note them (SELECT sql FROM sqlite_schema WHERE type = 'trigger'), drop them, run this file, create them again; nothing was changed",
				"NOT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = "+s.Literal(name)+" COLLATE NOCASE)")
		}
	}
	return nil
}

// occupied selects rows that have the place of a row in quarantine.
func (s SQLite) occupied() string {
	return "SELECT 1 FROM " + s.Quarantine() + " AS q JOIN " + s.Target() + " AS t ON " + concat(s.own.sameKept("q"), " AND ") + " WHERE " + s.mine()
}

// unobstructed holds where a step can be taken back: what it deleted has its
// place free, and what it changed is as it left it in the columns that it
// changed, unless a later step changed it again.
func (s SQLite) unobstructed(step numberedStep) string {
	t := s.table(step.table)
	changes := s.changes(t.name)
	if step.did == "deleted" && t.movable() {
		return "1"
	}
	if step.did == "deleted" {
		return "NOT EXISTS (SELECT 1 FROM " + changes + " AS q JOIN " + t.target() + " AS t ON " + concat(t.sameKept("q"), " AND ") + " WHERE " + s.taken(t, "q", step.number, didDelete) + ")"
	}
	m := t.meta()
	same := append(t.sameKept("a"), sameValues("t", "a", s.tells(t, step))...)
	again := append(t.sameRow("z", "a"), "z."+m.entry+" = a."+m.entry, "z."+m.step+" > a."+m.step, "z."+m.did+" = '"+didBefore+"'")
	return "NOT EXISTS (SELECT 1 FROM " + changes + " AS a WHERE " + s.taken(t, "a", step.number, didAfter) +
		" AND NOT EXISTS (SELECT 1 FROM " + t.target() + " AS t WHERE " + concat(same, " AND ") + ")" +
		" AND NOT EXISTS (SELECT 1 FROM " + changes + " AS z WHERE " + concat(again, " AND ") + "))"
}

// backs write the way back of steps. In SQLite's shell, triggers are kept from
// changing what is put back.
func (s SQLite) backs(out *script, backs []Back) {
	if len(backs) == 0 {
		return
	}
	if !s.d1 {
		out.line(".dbconfig enable_trigger off")
	}
	for _, back := range backs {
		out.comment("rows of " + back.Table + " as they were")
		out.addAll(back.Prepare)
		s.require(out, "a row of "+back.Table+" did not come back as it was", "(SELECT r.want = r.got AND r.lost = 0 FROM ("+back.SQL+") AS r)")
	}
	out.add("DROP TABLE IF EXISTS " + s.back())
	if !s.d1 {
		out.line(".dbconfig enable_trigger on")
	}
}
