package dialect

import (
	"fmt"

	"twinrow/queries"
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
	if len(s.Groups) > 0 {
		checks = append(checks,
			Check{survivorsCheck,
				"SELECT count(*) = 0 AS ok, coalesce(min('row ' || m.row_id || ' is changed or gone'), 'all are') AS detail FROM (" + s.missing() + ") AS m WHERE m.keep"},
			Check{goneCheck,
				"SELECT count(*) = 0 AS ok, coalesce(min('row ' || e.row_id || ' is still there'), 'all are') AS detail FROM " + s.expected() + " AS e JOIN " + s.found() + " AS f ON f.group_no = e.group_no AND f.row_no = e.row_no WHERE NOT e.keep"},
			Check{KeptCheck,
				"SELECT count(*) = 0 AS ok, coalesce(min('row ' || e.row_id || ' is missing'), 'all are') AS detail FROM " + s.expected() + " AS e WHERE NOT e.keep AND NOT EXISTS (SELECT 1 FROM " + s.Quarantine() + " AS q WHERE " + s.mine() + " AND q." + s.meta.group + " = e.group_no AND q." + s.meta.row + " = e.row_no)"})
	}
	for _, k := range s.Case.IncomingKeys {
		checks = append(checks, Check{"no row of " + k.Table + " lost what it refers to (" + k.Name + ")", s.orphansSQL(k)})
	}
	return checks
}

// Overtaken takes survivors out of the work that a later case removed, by their ids.
func (s SQLite) Overtaken(later SQLite) string {
	return "DELETE FROM " + s.expected() + " WHERE keep AND row_id IN (SELECT q." + later.meta.rowID + " FROM " + later.Quarantine() + " AS q WHERE " + later.mine() + ")"
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

func (s SQLite) orphansSQL(k plan.ForeignKey) string {
	child := referringRows(k)
	if k.Array {
		child = "(SELECT e.value AS " + queries.Ident(k.Columns[0]) + " FROM " + child + " AS a, " + elements("a."+queries.Ident(k.Columns[0])) + " AS e)"
	}
	return orphans(k, child, s.Target(), "")
}

// sqliteVerify writes the checks as one file that prints each and fails loudly.
func sqliteVerify(works []*plan.Work, d1 bool) (string, error) {
	return sqliteFile(works, d1, func(out *script, tables []SQLite) error {
		checks := tables[0].workName("checks")
		out.add("DROP TABLE IF EXISTS " + checks)
		out.add("CREATE TABLE " + checks + " (table_name, name, ok, detail)")
		for _, s := range tables {
			out.comment(s.Table.Table)
			if len(s.Groups) > 0 {
				out.addAll(s.CreateWork())
				if err := s.fill(out); err != nil {
					return err
				}
			}
			for _, c := range s.Checks() {
				out.add("INSERT INTO " + checks + " SELECT " + s.Literal(s.Table.Table) + ", " + s.Literal(c.Name) + ", c.ok, c.detail FROM (" + c.SQL + ") AS c")
			}
			if len(s.Groups) > 0 {
				out.addAll(s.DropWork())
			}
		}
		out.add("SELECT iif(ok IS 1, 'ok', 'FAILED') AS result, table_name, name, detail FROM " + checks)
		tables[0].require(out, "a check failed; the list above says which", "NOT EXISTS (SELECT 1 FROM "+checks+" WHERE ok IS NOT 1)")
		out.add("DROP TABLE " + checks)
		return nil
	})
}
