package dialect

import (
	"fmt"
	"slices"

	"twinrow/remediate/plan"
)

// Checks are what verify looks at, over the work tables filled with every row
// of the plan. Each returns 0 or 1 and a text.
func (s SQLite) Checks() []Check {
	checks := []Check{{"no duplicates are left", fmt.Sprintf("SELECT count(*) = 0 AS ok, %s || %s AS detail FROM (%s)",
		counted("key has", "keys have"), s.Literal(" several rows"+heldText(s.Work)), duplicateKeys(s.Work, s.Target()))}}
	if s.Index() != nil {
		checks = append(checks, Check{"the unique index is there, valid and on the key",
			"SELECT " + s.indexIsOurs(false) + " AS ok, coalesce((SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND name = " + s.Literal(s.Index().Name) + " COLLATE NOCASE), 'there is no such index') AS detail"})
	}
	for _, name := range s.Case.UniqueBy {
		checks = append(checks, Check{"the unique index " + name + " is valid",
			"SELECT count(*) = 1 AS ok, iif(count(*) = 1, 'it is there', 'there is no such index') AS detail FROM pragma_index_list(" + s.Literal(s.Table.Table) + ", 'main') WHERE name = " + s.Literal(name) + " COLLATE NOCASE AND \"unique\""})
	}
	checks = append(checks, s.rowChecks()...)
	for _, k := range s.Case.IncomingKeys {
		checks = append(checks, Check{"no row of " + k.Table + " lost what it refers to (" + k.Name + ")", orphans(k, childOf(k), s.Target(), "")})
	}
	return checks
}

// Overtaken takes survivors out of the work that a later case removed, by their ids.
func (s SQLite) Overtaken(later SQLite) string {
	return "DELETE FROM " + s.expected() + " WHERE keep AND row_id IN (SELECT q." + later.own.meta().rowID + " FROM " + later.Quarantine() + " AS q WHERE " + later.mine() + ")"
}

// CountDuplicates counts the keys that several rows have.
func (s SQLite) CountDuplicates() string {
	return "SELECT count(*) FROM (" + duplicateKeys(s.Work, s.Target()) + ")"
}

// IndexState returns one row where an index has the name of the plan's: whether
// it is on the key, and whether this case built it.
func (s SQLite) IndexState() string {
	return "SELECT " + s.indexIsOurs(false) + ", instr(sql, " + s.Literal(Marker(s.CaseID)) + ") > 0 FROM main.sqlite_schema WHERE type = 'index' AND name = " + s.Literal(s.Index().Name) + " COLLATE NOCASE"
}

// rowChecks look at the rows of the plan.
func (s SQLite) rowChecks() []Check {
	m := s.own.meta()
	stays := func(name, which string) Check {
		return Check{name, "SELECT count(*) = 0 AS ok, coalesce(min('row ' || m.row_id || ' is changed or gone'), 'all are') AS detail FROM (" + s.missing() + ") AS m WHERE " + which}
	}
	switch {
	case len(s.Groups) == 0:
		return nil
	case len(s.Set) > 0:
		return []Check{stays(survivorsCheck, "m.keep"), stays(surplusCheck, "NOT m.keep")}
	}
	return []Check{
		stays(survivorsCheck, "m.keep"),
		{goneCheck,
			"SELECT count(*) = 0 AS ok, coalesce(min('row ' || e.row_id || ' is still there'), 'all are') AS detail FROM " + s.expected() + " AS e JOIN " + s.found() + " AS f ON f.group_no = e.group_no AND f.row_no = e.row_no WHERE NOT e.keep"},
		{KeptCheck,
			"SELECT count(*) = 0 AS ok, coalesce(min('row ' || e.row_id || ' is missing'), 'all are') AS detail FROM " + s.expected() + " AS e WHERE NOT e.keep AND NOT EXISTS (SELECT 1 FROM " + s.Quarantine() + " AS q WHERE " + s.mine() + " AND q." + m.group + " = e.group_no AND q." + m.row + " = e.row_no)"},
	}
}

// overallChecks are those that need neither the work tables nor a quarantine:
// the first and the last of all.
func (s SQLite) overallChecks() []Check {
	return slices.DeleteFunc(s.Checks(), func(c Check) bool {
		return slices.ContainsFunc(s.rowChecks(), func(r Check) bool { return r.Name == c.Name })
	})
}

// sqliteVerify writes the checks as one file that prints each and fails loudly.
func sqliteVerify(works []*plan.Work, d1 bool) (string, error) {
	return sqliteFile(works, d1, func(out *script, tables []SQLite) error {
		checks := tables[0].workName("checks")
		out.add("DROP TABLE IF EXISTS " + checks)
		out.add("CREATE TABLE " + checks + " (table_name, name, ok, detail)")
		s := tables[0]
		show := func(when string) {
			out.add("SELECT iif(ok IS 1, 'ok', 'FAILED') AS result, table_name, name, detail FROM " + checks + when)
		}
		for _, s := range tables {
			out.comment(s.own.name)
			s.record(out, checks, append(s.overallChecks(), s.thereChecks()...))
		}
		out.comment("what a clean-up keeps must be there, else none was made, and nothing more can be asked")
		const absent = " WHERE name LIKE 'there is a table %' AND ok IS NOT 1"
		show(" WHERE EXISTS (SELECT 1 FROM " + checks + absent + ")")
		s.require(out, "the clean-up was not made; the list above says what was found", "NOT EXISTS (SELECT 1 FROM "+checks+absent+")")
		for _, s := range tables {
			if len(s.Groups) == 0 {
				continue
			}
			out.comment(s.own.name + ": its rows")
			out.addAll(s.CreateWork())
			if err := s.fill(out); err != nil {
				return err
			}
			out.addAll(s.Recall())
			if s.TouchedByOthers() {
				if err := s.fillFormer(out); err != nil {
					return err
				}
			}
			s.record(out, checks, s.rowChecks())
			out.addAll(s.DropWork())
		}
		show("")
		s.require(out, "a check failed; the list above says which", "NOT EXISTS (SELECT 1 FROM "+checks+" WHERE ok IS NOT 1)")
		out.add("DROP TABLE " + checks)
		return nil
	})
}

// record writes down what checks say.
func (s SQLite) record(out *script, into string, checks []Check) {
	for _, c := range checks {
		out.add("INSERT INTO " + into + " SELECT " + s.Literal(s.own.name) + ", " + s.Literal(c.Name) + ", c.ok, c.detail FROM (" + c.SQL + ") AS c")
	}
}

// thereChecks see whether the tables are there in which a clean-up keeps rows.
func (s SQLite) thereChecks() []Check {
	var checks []Check
	for _, name := range s.Keeps() {
		checks = append(checks, Check{"there is a table " + name,
			"SELECT count(*) = 1 AS ok, iif(count(*) = 1, 'it is there', 'the clean-up was not made') AS detail FROM main.sqlite_schema WHERE type = 'table' AND name = " + s.Literal(name)})
	}
	return checks
}
