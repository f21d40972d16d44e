package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// sqliteFile writes statements for SQLite's own shell as one transaction that
// stops at the first error, and for D1 as they are: D1 knows no transactions.
func sqliteFile(works []*plan.Work, d1 bool, write func(*script, []SQLite) error) (string, error) {
	tables := make([]SQLite, len(works))
	for i, w := range works {
		tables[i] = NewSQLite(w, i+1, scriptPlaces(w))
		tables[i].d1 = d1
	}
	var out script
	if !d1 {
		out.line(".bail on")
		out.add("PRAGMA foreign_keys = off")
		out.add("BEGIN IMMEDIATE")
	}
	if err := write(&out, tables); err != nil {
		return "", err
	}
	if !d1 {
		out.add("COMMIT")
	}
	return out.String(), nil
}

// scriptPlaces finds rows by the rowid where the case knows of one, else by
// the id, which is then the key of a WITHOUT ROWID table or as good as one.
func scriptPlaces(w *plan.Work) []string {
	if w.Case.Rowid != "" {
		return []string{w.Case.Rowid}
	}
	return w.Case.ID
}

// require fails loudly, by the name of a constraint, where a condition does not hold.
func (s SQLite) require(out *script, message, condition string) {
	name := s.workName("require")
	out.add("DROP TABLE IF EXISTS " + name)
	out.add("CREATE TABLE " + name + " (ok, CONSTRAINT " + queries.Ident("twinrow: "+message) + " CHECK (ok IS 1))")
	out.add("INSERT INTO " + name + " SELECT " + condition)
	out.add("DROP TABLE " + name)
}

// sqliteClean writes the clean-up and the index: first every check, then every change.
func sqliteClean(works []*plan.Work, d1 bool) (string, error) {
	return sqliteFile(works, d1, func(out *script, tables []SQLite) error {
		for _, s := range tables {
			if len(s.Groups) > 0 {
				if err := s.checkRows(out); err != nil {
					return err
				}
			}
			if s.Index() != nil {
				s.require(out, s.Index().Name+" exists, and this case did not build it; nothing was changed", s.indexIsOurs(true))
			}
		}
		for _, s := range tables {
			if len(s.Groups) > 0 {
				s.changeRows(out)
			}
			if s.Index() != nil {
				out.comment("the unique index")
				out.add(s.CreateIndex())
			}
		}
		return nil
	})
}

// requireColumns refuses a table that has other columns than the scan saw: a
// row's values in a new one would be lost. Computed columns, which pragma
// table_info leaves out, hold nothing of their own.
func (s SQLite) requireColumns(out *script) {
	s.require(out, s.Table.Table+" has other columns than it had at the scan; nothing was changed",
		"(SELECT group_concat(c.name, char(10)) FROM (SELECT name FROM pragma_table_info("+s.Literal(s.Table.Table)+") ORDER BY cid) AS c) IS "+
			s.Literal(strings.Join(s.WritableColumns(), "\n")))
}

func (s SQLite) checkRows(out *script) error {
	s.requireColumns(out)
	out.comment(s.Table.Table + ": the rows to remove and the rows that stay, as the evidence has them")
	out.addAll(s.CreateWork())
	if err := s.fill(out); err != nil {
		return err
	}
	if s.d1 {
		s.guardQuarantine(out)
	} else {
		out.add(s.CreateQuarantine())
	}
	out.comment("what is in quarantine already was done by a run before")
	out.addAll(s.ForgetDone())
	out.comment("every row must be as the evidence has it; those that are not are listed")
	out.add("SELECT 'not as the evidence has it: row ' || m.row_id || ' of group ' || m.group_no FROM (" + s.missing() + ") AS m")
	s.require(out, "a row is no longer as the evidence has it; nothing was changed", "NOT EXISTS ("+s.missing()+")")
	for _, k := range s.Case.IncomingKeys {
		s.require(out, k.Table+" refers to a row that is to go; nothing was changed", "NOT EXISTS ("+s.Referrers(k)+")")
	}
	return nil
}

// Referrers selects the rows of a child that refer to a row that is to go and
// do not go themselves.
func (s SQLite) Referrers(k plan.ForeignKey) string {
	sql := "SELECT 1 FROM " + s.found() + " AS f JOIN " + s.Target() + " AS t ON " + s.samePlace() +
		" JOIN " + referringRows(k) + " AS c ON " + refersTo(k) + " WHERE NOT f.keep"
	if strings.EqualFold(k.Table, s.Table.Table) {
		var same []string
		for i, p := range s.Places() {
			same = append(same, fmt.Sprintf("c.%s IS g.place_%d", p, i+1))
		}
		sql += " AND NOT EXISTS (SELECT 1 FROM " + s.found() + " AS g WHERE NOT g.keep AND " + strings.Join(same, " AND ") + ")"
	}
	return sql
}

// referringRows are the rows of a child for which a reference holds. What a
// person declared may hold for some only.
func referringRows(k plan.ForeignKey) string {
	name := "main." + queries.Ident(k.Table)
	if k.Where == "" {
		return name
	}
	rows := "*"
	if k.Child != nil && k.Child.Rowid != "" {
		rows = k.Child.Rowid + ", *"
	}
	return "(SELECT " + rows + " FROM " + name + " WHERE (" + lineEnd(k.Where) + "))"
}

// refersTo is the condition that a child's row c refers to the row t. A list
// of ids is JSON; what is not JSON refers to nothing.
func refersTo(k plan.ForeignKey) string {
	var pairs []string
	for i, name := range k.Columns {
		child, parent := "c."+queries.Ident(name), "t."+queries.Ident(k.References[i])
		if k.Array {
			pairs = append(pairs, "EXISTS (SELECT 1 FROM "+elements(child)+" AS e WHERE e.value = "+parent+")")
			continue
		}
		pairs = append(pairs, child+" = "+parent)
	}
	return strings.Join(pairs, " AND ")
}

// elements lists what a JSON list holds.
func elements(column string) string {
	return "json_each(iif(json_valid(" + column + "), " + column + ", '[]'))"
}

func (s SQLite) changeRows(out *script) {
	before := s.workName("before")
	out.comment(s.Table.Table + ": copy the rows to quarantine, then delete them")
	out.add("DROP TABLE IF EXISTS " + before)
	out.add("CREATE TABLE " + before + " AS SELECT count(*) AS n FROM " + s.Target())
	out.add(s.Copy())
	out.add(s.Delete())
	out.comment("exactly the rows foretold are gone")
	s.require(out, "a trigger kept a row or removed others; the clean-up is not done",
		"(SELECT n FROM "+before+") - (SELECT count(*) FROM "+s.Target()+") = (SELECT count(*) FROM "+s.expected()+" AS e WHERE NOT e.keep)"+
			" AND NOT EXISTS (SELECT 1 FROM "+s.found()+" AS f JOIN "+s.Target()+" AS t ON "+s.samePlace()+" WHERE NOT f.keep)"+
			" AND NOT EXISTS ("+s.missing()+")")
	out.add("DROP TABLE " + before)
	out.addAll(s.DropWork())
}

// indexIsOurs holds where the index is on the key as this case would build it.
// absent says what it is worth where there is no such index. The marker and
// double spaces are left out of the comparison, because wrangler takes comments out.
func (s SQLite) indexIsOurs(absent bool) string {
	definition := strings.ReplaceAll("CREATE UNIQUE INDEX "+s.indexRest(""), "  ", " ")
	marker := "/* " + Marker(s.CaseID) + " */"
	found := "SELECT 1 FROM main.sqlite_schema WHERE type = 'index' AND name = " + s.Literal(s.Index().Name) + " COLLATE NOCASE"
	ours := "EXISTS (" + found + " AND replace(replace(sql, " + s.Literal(marker) + ", ''), '  ', ' ') = " + s.Literal(definition) + ")"
	if absent {
		return "(NOT EXISTS (" + found + ") OR " + ours + ")"
	}
	return ours
}

// sqliteUndo writes the way back.
func sqliteUndo(works []*plan.Work, d1 bool) (string, error) {
	return sqliteFile(works, d1, func(out *script, tables []SQLite) error {
		last := map[string]int{} // the entry after which a quarantine is empty
		for i := range tables {
			last[tables[len(tables)-1-i].QuarantineName()] = len(tables) - 1 - i
		}
		for i, table := range slices.Backward(tables) {
			if err := table.undo(out, last[table.QuarantineName()] == i); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s SQLite) undo(out *script, drop bool) error {
	out.comment(s.Table.Table + ": the index goes, and the rows come back exactly as they were")
	if len(s.Groups) > 0 {
		s.requireColumns(out)
		out.add(s.CreateQuarantine())
		if err := s.requireKept(out); err != nil {
			return err
		}
		s.require(out, "the id of a removed row is taken; nothing was changed", "NOT EXISTS ("+s.taken()+")")
	}
	if s.Index() != nil {
		s.require(out, s.Index().Name+" is not the index that this case built; nothing was changed", s.indexIsOurs(true))
		out.add(s.DropIndex())
	}
	if len(s.Groups) == 0 {
		return nil
	}
	out.add(s.Restore())
	s.require(out, "a row did not come back as it was, because a trigger changes it", "("+s.Restored()+") = ("+s.CountQuarantine()+")")
	if drop && s.d1 {
		out.comment("the empty quarantine stays; drop it by hand when you have seen the rows: DROP TABLE " + queries.Ident(s.QuarantineName()))
	}
	if drop && !s.d1 {
		out.add("DROP TABLE " + s.Quarantine())
		return nil
	}
	out.add(s.Release() + " AND (" + s.Restored() + ") = (" + s.CountQuarantine() + ")")
	return nil
}

// taken selects rows that have the place of a row in quarantine.
func (s SQLite) taken() string {
	var same []string
	if s.keepsRowid() {
		same = append(same, "t."+s.Places()[0]+" = q."+s.meta.rowid)
	} else {
		for _, p := range s.places {
			same = append(same, "t."+s.name(p)+" IS q."+s.name(p))
		}
	}
	return "SELECT 1 FROM " + s.Quarantine() + " AS q JOIN " + s.Target() + " AS t ON " + strings.Join(same, " AND ") + " WHERE " + s.mine()
}
