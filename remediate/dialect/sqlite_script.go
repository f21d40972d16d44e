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
	if out.passed != "" {
		out.add("INSERT INTO " + out.passed + " SELECT ok FROM " + name)
		out.checks++
	}
	out.add("DROP TABLE " + name)
}

// allPassed is the condition that every check so far held.
func (out *script) allPassed() string {
	return fmt.Sprintf("(SELECT count(*) FROM %s) = %d", out.passed, out.checks)
}

// sqliteClean writes the clean-up and the index: first every check, then every
// change. For D1, a client that goes on after an error finds nothing to change.
func sqliteClean(works []*plan.Work, d1 bool) (string, error) {
	return sqliteFile(works, d1, func(out *script, tables []SQLite) error {
		if d1 {
			out.passed = tables[0].workName("passed")
			out.add("DROP TABLE IF EXISTS " + out.passed)
			out.add("CREATE TABLE " + out.passed + " (ok)")
		}
		if err := inOrder(out, tables); err != nil {
			return err
		}
		if d1 {
			out.add("DROP TABLE " + out.passed)
		}
		return nil
	})
}

// inOrder writes every check and then every change; entries that meet are done
// one after the other, because each is foretold after those before it.
func inOrder(out *script, tables []SQLite) error {
	parts := [][]SQLite{tables}
	if slices.ContainsFunc(tables, func(s SQLite) bool { return slices.ContainsFunc(tables, s.meets) }) {
		parts = slices.Collect(slices.Chunk(tables, 1))
	}
	made := map[string]bool{}
	for _, part := range parts {
		for _, s := range part {
			if err := s.check(out, made[s.ChangesName(s.own.name)]); err != nil {
				return err
			}
		}
		for _, s := range part {
			s.change(out)
			for _, name := range s.Keeps() {
				made[name] = true
			}
		}
	}
	return nil
}

// meets tells whether an entry changes or follows rows of another's table, or
// of one that the other changes too.
func (s SQLite) meets(other SQLite) bool {
	if s.Name == other.Name {
		return false
	}
	return slices.ContainsFunc(s.pointings(), func(g litePointing) bool {
		return slices.Contains(other.Touched(), g.ref.Table)
	})
}

// check writes what must hold before a table is changed. former is true where
// an entry before this one may have changed its rows.
func (s SQLite) check(out *script, former bool) error {
	if len(s.Groups) > 0 {
		if err := s.checkRows(out, former); err != nil {
			return err
		}
	}
	if s.Index() != nil {
		s.require(out, s.Index().Name+" exists, and this case did not build it; nothing was changed", s.indexIsOurs(true))
	}
	return nil
}

func (s SQLite) change(out *script) {
	if len(s.Groups) > 0 {
		s.changeRows(out)
	}
	if s.Index() != nil {
		out.comment("the unique index")
		out.add(s.CreateIndex())
	}
}

// requireColumns refuses a table that has other columns than the scan saw: a
// row's values in a new one would be lost. Computed columns, which pragma
// table_info leaves out, hold nothing of their own.
func (s SQLite) requireColumns(out *script, t stored) {
	s.require(out, t.name+" has other columns than it had at the scan; nothing was changed",
		s.SameColumns(t.name))
}

// SameColumns is the condition that a table has the columns that the scan saw.
func (s SQLite) SameColumns(table string) string {
	return "(SELECT group_concat(c.name, char(10)) FROM (SELECT name FROM pragma_table_info(" + s.Literal(table) + ") ORDER BY cid) AS c) IS " +
		s.Literal(strings.Join(s.table(table).writable(), "\n"))
}

// Touched are the tables whose rows change or go.
func (s SQLite) Touched() []string {
	tables := []string{s.own.name}
	for _, name := range s.ChangedTables() {
		if name != s.own.name {
			tables = append(tables, name)
		}
	}
	return tables
}

// knownTriggers are those that the scan saw on a table.
func (s SQLite) knownTriggers(table string) []string {
	if table == s.own.name {
		return slices.Concat(s.Case.Triggers, s.Case.UpdateTriggers)
	}
	for _, k := range s.Case.IncomingKeys {
		if k.Table == table && k.Child != nil {
			return k.Child.Triggers
		}
	}
	return nil
}

// NewTriggers counts the triggers of a table that the scan did not see.
func (s SQLite) NewTriggers(table string) string {
	names := []string{"''"}
	for _, name := range s.knownTriggers(table) {
		names = append(names, s.Literal(name))
	}
	return "SELECT count(*) FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = " + s.Literal(table) + " COLLATE NOCASE AND name NOT IN (" + strings.Join(names, ", ") + ")"
}

// noNewKeys is the condition that only foreign keys which the scan saw refer to the table.
func (s SQLite) noNewKeys() string {
	known := []string{"''"}
	for _, k := range s.Case.IncomingKeys {
		for _, c := range k.Columns {
			known = append(known, s.Literal(k.Table+"."+c))
		}
	}
	return "NOT EXISTS (SELECT 1 FROM (SELECT name FROM main.sqlite_schema WHERE type = 'table' AND substr(name, 1, 4) <> '_cf_') AS c CROSS JOIN pragma_foreign_key_list(c.name) AS k WHERE k.\"table\" = " + s.Literal(s.own.name) +
		" COLLATE NOCASE AND c.name || '.' || k.\"from\" NOT IN (" + strings.Join(known, ", ") + "))"
}

func (s SQLite) checkRows(out *script, former bool) error {
	for _, name := range s.Touched() {
		s.requireColumns(out, s.table(name))
		s.require(out, "triggers were added to "+name+" since the scan; nothing was changed", "("+s.NewTriggers(name)+") = 0")
	}
	s.require(out, "foreign keys that the scan did not see refer to "+s.own.name+"; nothing was changed", s.noNewKeys())
	out.comment(s.own.name + ": the rows to remove and the rows that stay, as the evidence has them")
	out.addAll(s.CreateWork())
	if err := s.fill(out); err != nil {
		return err
	}
	if former {
		if err := s.fillFormer(out); err != nil {
			return err
		}
	}
	s.fillForetold(out)
	if s.d1 {
		there := "EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = " + s.Literal(s.QuarantineName()) + ")"
		out.comment("before the first run, everything must be as the evidence has it; rows that are not are listed")
		s.checkSame(out, there)
		s.createWhere(out)
	} else {
		out.add(s.CreateQuarantine())
		out.addAll(s.CreateChanges())
	}
	out.comment("what is in quarantine already was done by a run before, and what this case changed is expected as it left it")
	out.addAll(s.Recall())
	out.addAll(s.ForgetDone())
	out.comment("everything must be as the evidence has it; rows that are not are listed")
	s.checkSame(out, "")
	return nil
}

// createWhere makes the quarantine and its like for D1, where no transaction
// takes them back, only where every check held.
func (s SQLite) createWhere(out *script) {
	out.addAll(createKeptWhere(s.QuarantineName(), s.own.quarantined(), s.quarantineKey(), out.allPassed()))
	for _, name := range s.ChangedTables() {
		out.addAll(createKeptWhere(s.ChangesName(name), s.table(name).kept(), s.table(name).keptKey(), out.allPassed()))
		out.add(s.indexChanges(name))
	}
}

// fillForetold lists what is foretold to refer to the rows that go.
func (s SQLite) fillForetold(out *script) {
	out.add(s.CreateForetold())
	var rows []string
	for _, g := range s.Groups {
		for _, c := range g.References {
			rows = append(rows, fmt.Sprintf("(%d, %d, %d, %d, %d)", g.Number, c.Number, c.Rows, c.Dropped, c.Merged))
		}
	}
	for part := range slices.Chunk(rows, valuesAStatement) {
		out.add("INSERT INTO " + s.foretold() + " VALUES\n  " + strings.Join(part, ",\n  "))
	}
}

// CreateForetold makes the work table of what is foretold of references.
func (s SQLite) CreateForetold() string {
	return "CREATE TABLE " + s.foretold() + " (group_no, number, rows, dropped, merged)"
}

// checkSame stops where a row is not as the evidence has it, or where others
// refer to it otherwise than was foretold; except, where it is not "", under a
// condition.
func (s SQLite) checkSame(out *script, except string) {
	unless, only := "", ""
	if except != "" {
		unless, only = except+" OR ", " WHERE NOT "+except
	}
	out.add("SELECT 'not as the evidence has it: row ' || m.row_id || ' of group ' || m.group_no FROM (" + s.missing() + ") AS m" + only)
	s.require(out, "a row is no longer as the evidence has it; nothing was changed", "("+unless+"NOT EXISTS ("+s.missing()+"))")
	if len(s.Set) > 0 {
		return
	}
	for _, r := range s.Referred() {
		out.addAll(r.Prepare)
		s.require(out, r.Table+" refers to a row that is to go, and not as was foretold; nothing was changed", "("+unless+"NOT EXISTS ("+s.otherwise(r)+"))")
	}
}

// otherwise selects the groups to which a reference refers otherwise than was foretold.
func (s SQLite) otherwise(r Referred) string {
	return "SELECT 1 FROM (SELECT DISTINCT e.group_no FROM " + s.expected() + " AS e) AS g LEFT JOIN (" + r.Counts + ") AS c ON c.group_no = g.group_no\n" +
		"  LEFT JOIN " + s.foretold() + fmt.Sprintf(" AS f ON f.group_no = g.group_no AND f.number = %d\n", r.Number) +
		"  WHERE coalesce(c.rows, 0) <> coalesce(f.rows, 0) OR coalesce(c.dropped, 0) <> coalesce(f.dropped, 0) OR coalesce(c.merged, 0) <> coalesce(f.merged, 0)"
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

// elements lists what a JSON list holds.
func elements(column string) string {
	return "json_each(iif(json_valid(" + column + "), " + column + ", '[]'))"
}

// changeRows writes the changes, and the checks of what they did.
func (s SQLite) changeRows(out *script) {
	before := s.workName("before")
	out.comment(s.own.name + ": what is there before the change")
	out.add("DROP TABLE IF EXISTS " + before)
	out.add("CREATE TABLE " + before + " (what PRIMARY KEY, n)")
	if s.d1 {
		for _, name := range []string{s.found(), s.expected()} {
			out.add("DELETE FROM " + name + " WHERE NOT (" + out.allPassed() + ")")
		}
	}
	sums := append(s.Sizes(), s.Orphans()...)
	for i, sum := range sums {
		out.add(fmt.Sprintf("INSERT INTO %s SELECT %d, (%s)", before, i, sum.SQL))
	}
	if len(s.Set) > 0 {
		out.comment("copy the rows to quarantine, then make them unique")
		out.add(s.Copy())
		s.step(out, s.SetSurplus())
	} else {
		s.removeRows(out)
	}
	out.comment("exactly the rows foretold changed, and nothing lost what it refers to")
	for i, sum := range sums {
		s.require(out, sum.Wrong+"; the clean-up is not done", fmt.Sprintf("(%s) %s (SELECT n FROM %s WHERE what = %d)%s", sum.SQL, sum.Than, before, i, sum.Change))
	}
	if len(s.Set) == 0 && len(s.Merge) == 0 {
		s.require(out, "a row that stays was changed; the clean-up is not done", "NOT EXISTS ("+s.missing()+" AND e.keep)")
	}
	out.add("DROP TABLE " + before)
	out.addAll(s.DropWork())
}

// removeRows writes what is done to rows that refer, the delete and what becomes of survivors.
func (s SQLite) removeRows(out *script) {
	out.comment("copy the rows to quarantine")
	out.add(s.Copy())
	for _, step := range s.Steps() {
		s.step(out, step)
	}
	out.comment("delete them")
	out.add(s.Delete())
	s.require(out, "a trigger kept a row; the clean-up is not done", "("+s.StillThere()+") = 0")
	for _, step := range s.Survivors() {
		s.step(out, step)
	}
}

// step writes one change with its check.
func (s SQLite) step(out *script, step Step) {
	out.comment(step.Doing)
	out.addAll(step.Prepare)
	out.add(step.SQL)
	out.addAll(step.Keep)
	s.require(out, step.Doing+" did not change what it was to, because a trigger keeps rows; the clean-up is not done", "("+step.Sure+")")
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
