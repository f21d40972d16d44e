package dialect

import (
	"fmt"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// Checks are what verify looks at, over the work table filled with every row
// of the plan. Each returns a boolean and a text.
func (p Postgres) Checks() []Check {
	checks := []Check{{"no duplicates are left", p.duplicatesSQL()}}
	if p.Index() != nil {
		checks = append(checks, Check{"the unique index is there, valid and on the key", p.IndexSound()})
	}
	if p.Index() != nil && p.Index().Replaces != nil {
		checks = append(checks, Check{"the index " + p.Index().Replaces.Name + " is replaced", "SELECT NOT " + p.ReplacedStands(false) + ", " + queries.Literal("by "+p.Index().Name)})
	}
	for _, name := range p.Case.UniqueBy {
		checks = append(checks, Check{"the unique index " + name + " is valid", p.uniqueBySQL(name)})
	}
	checks = append(checks, p.rowChecks()...)
	for _, k := range p.Case.IncomingKeys {
		checks = append(checks, Check{"no row of " + k.Table + " lost what it refers to (" + k.Name + ")", p.orphansSQL(k)})
	}
	return checks
}

// rowChecks look at the rows of the plan.
func (p Postgres) rowChecks() []Check {
	switch {
	case len(p.Groups) == 0:
		return nil
	case len(p.Set) > 0:
		return []Check{{survivorsCheck, p.survivorsSQL("s.keep")}, {surplusCheck, p.survivorsSQL("NOT s.keep")}}
	}
	return []Check{
		{survivorsCheck, p.survivorsSQL("s.keep")},
		{goneCheck, p.goneSQL()},
		{KeptCheck, p.keptSQL()},
	}
}

// Of writes the statements of another plan of the same table, over the same work.
func (p Postgres) Of(other *plan.Work) Postgres {
	p.Work = other
	return p
}

// Overtaken takes survivors out of the work that this case removed: by their
// ids, and by their content where a row has none that stays.
func (p Postgres) Overtaken() string {
	same := "q.row_id = w.row_id"
	if p.byPlace() {
		same = digest("q.row_text") + " = w.image"
	}
	return "DELETE FROM " + p.work + " AS w USING " + p.Quarantine() + " AS q WHERE w.keep AND " + p.mine() + " AND " + same
}

// PostgresVerifySettings keep the planner from believing an index, which is
// what is to be verified.
var PostgresVerifySettings = []string{
	"SET LOCAL enable_indexonlyscan = off",
	"SET LOCAL enable_indexscan = off",
	"SET LOCAL enable_bitmapscan = off",
}

// keyExprs writes the key's parts as SQL.
func keyExprs(parts []plan.KeyPart) []string {
	exprs := make([]string, len(parts))
	for i, part := range parts {
		exprs[i] = queries.Ident(part.Text)
		if part.Expression {
			exprs[i] = "(" + lineEnd(part.Text) + ")"
		}
	}
	return exprs
}

// lineEnd keeps a comment at the end of a person's SQL from hiding what follows it.
func lineEnd(sql string) string {
	if strings.Contains(sql, "--") {
		return sql + "\n"
	}
	return sql
}

// duplicateKeys selects one row for each key that several rows have.
func duplicateKeys(w *plan.Work, target string) string {
	return sameUnder(&plan.Index{Parts: w.Case.Key, Where: w.Case.Where, NullsNotDistinct: w.Case.Nulls == "not-distinct"}, target)
}

// sameUnder selects one row for each value of an index that several rows have.
func sameUnder(index *plan.Index, target string) string {
	exprs := keyExprs(index.Parts)
	var where []string
	if index.Where != "" {
		where = append(where, "("+lineEnd(index.Where)+")")
	}
	if !index.NullsNotDistinct {
		for _, e := range exprs {
			where = append(where, e+" IS NOT NULL")
		}
	}
	sql := "SELECT 1 FROM " + target
	if len(where) > 0 {
		sql += " WHERE " + strings.Join(where, " AND ")
	}
	return sql + " GROUP BY " + strings.Join(exprs, ", ") + " HAVING count(*) > 1"
}

// duplicatesSQL counts the keys that several rows have.
func (p Postgres) duplicatesSQL() string {
	return fmt.Sprintf("SELECT count(*) = 0, %s || '%s' FROM (%s) AS d",
		counted("key has", "keys have"), " several rows"+heldText(p.Work), duplicateKeys(p.Work, p.Target()))
}

// CountDuplicates counts the keys that several rows have.
func (p Postgres) CountDuplicates() string {
	return "SELECT count(*) FROM (" + duplicateKeys(p.Work, p.Target()) + ") AS d"
}

// counted writes count(*) with its noun, as SQL of either engine.
func counted(one, many string) string {
	return "CASE count(*) WHEN 1 THEN '1 " + one + "' ELSE count(*) || ' " + many + "' END"
}

func heldText(w *plan.Work) string {
	if len(w.Held) == 0 {
		return ""
	}
	return fmt.Sprintf("; the plan holds %d back", len(w.Held))
}

// IndexSound returns whether the plan's index is there, valid and on the key,
// and its definition.
func (p Postgres) IndexSound() string {
	index := p.Index()
	var wrong []string
	for i, part := range index.Parts {
		if !part.Expression {
			wrong = append(wrong, fmt.Sprintf("pg_catalog.pg_get_indexdef(i.indexrelid, %d, false) = pg_catalog.quote_ident(%s)", i+1, queries.Literal(part.Text)))
		} else {
			wrong = append(wrong, fmt.Sprintf("i.indkey[%d] = 0", i))
		}
	}
	return fmt.Sprintf("SELECT count(*) = 1, coalesce(max(pg_catalog.pg_get_indexdef(i.indexrelid)), 'there is no such index')\n"+
		"FROM pg_catalog.pg_index AS i WHERE i.indexrelid = pg_catalog.to_regclass(%s) AND i.indrelid = pg_catalog.to_regclass(%s)\n"+
		"AND i.indisunique AND i.indisvalid AND i.indisready AND i.indimmediate AND i.indnkeyatts = %d AND (i.indpred IS NOT NULL) = %t AND %s\n"+
		"AND coalesce((pg_catalog.to_jsonb(i)->>'indnullsnotdistinct')::boolean, false) = %t AND %s",
		queries.Literal(p.IndexName()), queries.Literal(p.Target()), len(index.Parts), index.Where != "", p.asConstraint(), index.NullsNotDistinct, strings.Join(wrong, " AND "))
}

// uniqueBySQL looks an index up by its name among the table's own.
func (p Postgres) uniqueBySQL(name string) string {
	return "SELECT coalesce(bool_and(i.indisunique AND i.indisvalid AND i.indisready), false), coalesce(max(pg_catalog.pg_get_indexdef(i.indexrelid)), 'there is no such index')\n" +
		"FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace\n" +
		"WHERE i.indrelid = pg_catalog.to_regclass(" + queries.Literal(p.Target()) + ") AND " + queries.Literal(name) + " IN (c.relname, pg_catalog.quote_ident(c.relname), pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname))"
}

func (p Postgres) survivorsSQL(which string) string {
	return "SELECT count(*) FILTER (WHERE s.state <> 'same') = 0, coalesce(min(s.row_id || ' is ' || s.state) FILTER (WHERE s.state <> 'same'), " + counted("survivor", "survivors") + ")\n" +
		"FROM (" + p.States() + ") AS s WHERE " + which
}

// goneSQL allows an id to have been given to another row since.
func (p Postgres) goneSQL() string {
	return "SELECT count(*) FILTER (WHERE s.state IN ('same', 'several')) = 0, coalesce(min(s.row_id || ' is still there') FILTER (WHERE s.state IN ('same', 'several')), " + counted("row", "rows") + " || ' gone')\n" +
		"FROM (" + p.States() + ") AS s WHERE NOT s.keep"
}

func (p Postgres) keptSQL() string {
	return "SELECT count(*) FILTER (WHERE q.row_text IS NULL OR 'sha256:' || pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(q.row_text, 'UTF8')), 'hex') <> w.image) = 0,\n" +
		"  coalesce(min(w.row_id || ' is missing or changed') FILTER (WHERE q.row_text IS NULL OR 'sha256:' || pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(q.row_text, 'UTF8')), 'hex') <> w.image), " + counted("row", "rows") + " || ' kept')\n" +
		"FROM " + p.work + " AS w LEFT JOIN " + p.Quarantine() + " AS q ON " + p.mine() + " AND q.group_no = w.group_no AND q.row_no = w.row_no WHERE NOT w.keep"
}

// childrenOf are the rows of a child that can refer, as a FROM takes them;
// those of arrays are their elements.
func childrenOf(k plan.ForeignKey) string {
	child := PostgresName(k.Table)
	if k.Where != "" {
		child = "(SELECT * FROM " + child + " WHERE (" + lineEnd(k.Where) + "))"
	}
	if k.Array {
		column := queries.Ident(k.Columns[0])
		child = "(SELECT pg_catalog.unnest(a." + column + ") AS " + column + " FROM " + child + " AS a)"
	}
	return child
}

func (p Postgres) orphansSQL(k plan.ForeignKey) string {
	cast := ""
	if k.OnDelete == "" && k.Child != nil { // the types of what no constraint declares may differ
		cast = "::text"
	}
	return orphans(k, childrenOf(k), p.Target(), cast)
}

// orphans counts rows of a child whose reference names no row.
func orphans(k plan.ForeignKey, child, parent, cast string) string {
	return "SELECT count(*) = 0 AS ok, " + counted("row", "rows") + " || ' without it' AS detail\n" + orphansFrom(k, child, parent, cast)
}

// orphansFrom selects them.
func orphansFrom(k plan.ForeignKey, child, parent, cast string) string {
	var set, pairs []string
	for i, c := range k.Columns {
		set = append(set, "c."+queries.Ident(c)+" IS NOT NULL")
		pairs = append(pairs, "p."+queries.Ident(k.References[i])+cast+" = c."+queries.Ident(c)+cast)
	}
	return "FROM " + child + " AS c WHERE " + strings.Join(set, " AND ") + " AND NOT EXISTS (SELECT 1 FROM " + parent + " AS p WHERE " + strings.Join(pairs, " AND ") + ")"
}

// postgresVerify writes the checks as one file that prints each and fails loudly.
func postgresVerify(works []*plan.Work) string {
	var s script
	s.add("BEGIN READ WRITE")
	s.addAll(PostgresSettings)
	s.add("SET LOCAL lock_timeout = '10s'")
	s.add("SET LOCAL statement_timeout = '1h'")
	s.addAll(PostgresVerifySettings)
	s.add("CREATE TEMPORARY TABLE twinrow_checks (table_name text, name text, ok boolean, detail text) ON COMMIT DROP")
	for i, w := range works {
		p := NewPostgres(w, i+1)
		s.comment(w.Table.Table)
		s.add(p.CreateWork())
		p.fill(&s)
		s.add(p.AnalyzeWork())
		for _, r := range p.Recalls() {
			s.comment("what this case changed itself is expected as it left it")
			s.do(ifThere(r.Changes, r.SQL)...)
		}
		if move := p.RelocateKept(); move != "" {
			s.add(move)
		}
		for _, c := range p.Checks() {
			p.record(&s, c)
		}
	}
	s.add("SELECT * FROM pg_temp.twinrow_checks")
	s.do("BEGIN",
		"  IF EXISTS (SELECT FROM pg_temp.twinrow_checks AS c WHERE c.ok IS NOT TRUE) THEN",
		"    RAISE EXCEPTION 'twinrow: a check failed; the table above says which';", "  END IF;", "END")
	s.add("COMMIT")
	return s.String()
}

// record writes down what a check says. Before any clean-up there is no
// quarantine to ask.
func (p Postgres) record(s *script, c Check) {
	into := "INSERT INTO pg_temp.twinrow_checks SELECT " + queries.Literal(p.Table.Table) + ", " + queries.Literal(c.Name) + ", "
	ask := into + "c.* FROM (" + c.SQL + ") AS c (ok, detail)"
	if c.Name != KeptCheck {
		s.add(ask)
		return
	}
	s.do(ifThere(p.Quarantine(), []string{ask}, into+"false, "+queries.Literal("there is no quarantine "+p.Quarantine()+": the clean-up was not made"))...)
}

// ifThere runs statements where a table is there, and others where it is not.
func ifThere(table string, there []string, absent ...string) []string {
	lines := []string{"BEGIN", "  IF pg_catalog.to_regclass(" + queries.Literal(table) + ") IS NOT NULL THEN"}
	for _, sql := range there {
		lines = append(lines, sql+";")
	}
	if len(absent) > 0 {
		lines = append(lines, "  ELSE")
	}
	for _, sql := range absent {
		lines = append(lines, sql+";")
	}
	return append(lines, "  END IF;", "END")
}
