package dialect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// PostgresSettings fix how Postgres prints a row, so that a row's text, its
// digest and the way back do not hang on a role's own settings.
var PostgresSettings = []string{
	"SET LOCAL client_encoding = 'UTF8'",
	"SET LOCAL standard_conforming_strings = on",
	"SET LOCAL TimeZone = 'UTC'",
	"SET LOCAL DateStyle = 'ISO, YMD'",
	"SET LOCAL IntervalStyle = 'postgres'",
	"SET LOCAL extra_float_digits = 1",
	"SET LOCAL bytea_output = 'hex'",
	"SET LOCAL lc_monetary = 'C'",
	"SET LOCAL xmloption = 'content'",
	"SET LOCAL row_security = off",
}

// DeferConstraints has the constraints that are declared so wait for the end
// of the transaction again, after SET CONSTRAINTS made them immediate.
const DeferConstraints = `DO $$ DECLARE names text; BEGIN
  SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', n.nspname, k.conname), ', ') INTO names
    FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_namespace AS n ON n.oid = k.connamespace WHERE k.condeferrable AND k.condeferred;
  IF names IS NOT NULL THEN EXECUTE 'SET CONSTRAINTS ' || names || ' DEFERRED'; END IF;
END $$`

// Postgres writes the statements for one table of a plan. They share a
// temporary table of the rows to work on, which lives as long as the transaction.
type Postgres struct {
	*plan.Work
	// work is the temporary table's name.
	work string
	// online is true where rows are locked one by one and not the table.
	online bool
	// listed is the table in which a file of batches lists all rows, "" elsewhere.
	listed string
	// made are the tables of changes that a file has made before this table.
	made []string
	// span narrows the quarantine to some groups; "" is all of them.
	span string
}

// NewPostgres prepares the statements; n tells the tables of one transaction apart.
func NewPostgres(w *plan.Work, n int) Postgres {
	return Postgres{Work: w, work: fmt.Sprintf("pg_temp.twinrow_work_%d", n), online: w.Strategy == plan.Online}
}

// PostgresName quotes a canonical table name.
func PostgresName(table string) string {
	schema, name := plan.SplitName("postgres", table)
	if schema == "" {
		return queries.Ident(name)
	}
	return queries.Ident(schema) + "." + queries.Ident(name)
}

// Target is the table's quoted name.
func (p Postgres) Target() string { return PostgresName(p.Table.Table) }

// Quarantine is the quoted name of the quarantine.
func (p Postgres) Quarantine() string {
	return PostgresName(plan.QuarantineTable("postgres", p.Table.Table, p.CaseID))
}

// image is what the scan took of a row, here of the one under the alias t.
const image = "'sha256:' || pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to((t.*)::text, 'UTF8')), 'hex')"

// idExpr is an id part of the table under the alias t; the system's own names
// are written bare.
func (p Postgres) idExpr(name string) string {
	if !isColumn(p.Work, name) && (name == "ctid" || name == "tableoid") {
		return "t." + name
	}
	return "t." + queries.Ident(name)
}

// byPlace tells whether rows are located by where they lie, for want of a primary key.
func (p Postgres) byPlace() bool {
	for _, name := range p.Case.ID {
		if isColumn(p.Work, name) {
			return false
		}
	}
	return slices.Contains(p.Case.ID, "ctid")
}

// match joins the table t to the work w by id.
func (p Postgres) match() string {
	parts := make([]string, len(p.Case.ID))
	for i, name := range p.Case.ID {
		parts[i] = fmt.Sprintf("%s = w.id_%d", p.idExpr(name), i+1)
	}
	return strings.Join(parts, " AND ")
}

// mine selects this case's rows of the quarantine q.
func (p Postgres) mine() string {
	return "q.case_id = " + queries.Literal(p.CaseID) + " AND q.entry = " + queries.Literal(p.Name) + p.span
}

// CreateWork makes the temporary table; its id columns have the table's own types.
func (p Postgres) CreateWork() string {
	ids := make([]string, len(p.Case.ID))
	for i, name := range p.Case.ID {
		ids[i] = fmt.Sprintf(", %s AS id_%d", p.idExpr(name), i+1)
	}
	return "CREATE TEMPORARY TABLE " + strings.TrimPrefix(p.work, "pg_temp.") + " ON COMMIT DROP AS\n" +
		"  SELECT 0::bigint AS group_no, 0 AS row_no, false AS keep, ''::text AS row_id, ''::text AS survivor, ''::text AS image" + strings.Join(ids, "") + "\n" +
		"  FROM " + p.Target() + " AS t WHERE false"
}

// FillWork inserts rows from arrays: group numbers, row numbers, keep, row
// ids, survivors, images, and one array of text for each id part, which is
// cast to the type given.
func (p Postgres) FillWork(types []string) string {
	arrays, names, casts := "", "", ""
	for i, t := range types {
		arrays += fmt.Sprintf(", $%d::text[]", 7+i)
		names += fmt.Sprintf(", id_%d", i+1)
		casts += fmt.Sprintf(", u.id_%d::%s", i+1, t)
	}
	return "INSERT INTO " + p.work + " SELECT u.group_no, u.row_no, u.keep, u.row_id, u.survivor, u.image" + casts +
		" FROM ROWS FROM (unnest($1::bigint[], $2::int[], $3::boolean[], $4::text[], $5::text[], $6::text[]" + arrays + "))" +
		" AS u(group_no, row_no, keep, row_id, survivor, image" + names + ")"
}

// AnalyzeWork lets the planner see how few rows there are.
func (p Postgres) AnalyzeWork() string { return "ANALYZE " + p.work }

// CreateQuarantine makes the quarantine where it is not there yet.
func (p Postgres) CreateQuarantine() string {
	return "CREATE TABLE IF NOT EXISTS " + p.Quarantine() + " (\n" +
		"  case_id text NOT NULL, entry text NOT NULL, table_name text NOT NULL,\n" +
		"  group_no bigint NOT NULL, row_no bigint NOT NULL,\n" +
		"  row_id text NOT NULL, survivor text NOT NULL, row_text text NOT NULL,\n" +
		"  taken_at timestamptz NOT NULL DEFAULT pg_catalog.now(),\n" +
		"  PRIMARY KEY (case_id, entry, group_no, row_no))"
}

// ForgetDone takes out of the work what is in quarantine already, and the
// survivors of groups of which nothing is left to do.
func (p Postgres) ForgetDone() []string {
	return []string{
		"DELETE FROM " + p.work + " AS w USING " + p.Quarantine() + " AS q\n" +
			"  WHERE " + p.mine() + " AND q.group_no = w.group_no AND q.row_no = w.row_no AND NOT w.keep",
		"DELETE FROM " + p.work + " AS w\n" +
			"  WHERE w.keep AND NOT EXISTS (SELECT FROM " + p.work + " AS o WHERE o.group_no = w.group_no AND NOT o.keep)",
	}
}

// Relocate finds rows of a table without a primary key again, which have moved
// since the scan, by their whole content; "" for other tables.
func (p Postgres) Relocate() string { return p.relocate("true") }

// RelocateKept does so for the rows that stay.
func (p Postgres) RelocateKept() string { return p.relocate("w.keep") }

func (p Postgres) relocate(which string) string {
	if !p.byPlace() {
		return ""
	}
	var set, found []string
	for i, name := range p.Case.ID {
		set = append(set, fmt.Sprintf("id_%d = f.%s", i+1, name))
		found = append(found, name)
	}
	places := strings.Join(found, ", ")
	return "UPDATE " + p.work + " AS w SET " + strings.Join(set, ", ") + " FROM (\n" +
		"  SELECT m.place, " + prefixed("c.", found) + " FROM\n" +
		"    (SELECT w.ctid AS place, w.image, row_number() OVER (PARTITION BY w.image ORDER BY w.group_no, w.row_no) AS n\n" +
		"     FROM " + p.work + " AS w WHERE " + which + " AND NOT EXISTS (SELECT FROM " + p.Target() + " AS t WHERE " + p.match() + " AND " + image + " = w.image)) AS m\n" +
		"    JOIN (SELECT " + prefixed("t.", found) + ", " + image + " AS image, row_number() OVER (PARTITION BY " + image + " ORDER BY " + prefixed("t.", found) + ") AS n\n" +
		"     FROM " + p.Target() + " AS t WHERE " + image + " IN (SELECT w.image FROM " + p.work + " AS w)\n" +
		"     AND NOT EXISTS (SELECT FROM " + p.work + " AS w WHERE " + p.match() + " AND w.image = " + image + ")) AS c (" + places + ", image, n)\n" +
		"    ON c.image = m.image AND c.n = m.n) AS f\n" +
		"  WHERE w.ctid = f.place"
}

// States tells for each row of the work whether it is "same", "changed",
// "gone", or "several" where the id is not unique.
func (p Postgres) States() string {
	return "SELECT w.group_no, w.row_no, w.keep, w.row_id,\n" +
		"  CASE WHEN count(t.tableoid) = 0 THEN 'gone' WHEN count(t.tableoid) > 1 THEN 'several'\n" +
		"       WHEN bool_and(" + image + " = w.image) THEN 'same' ELSE 'changed' END AS state\n" +
		"FROM " + p.work + " AS w LEFT JOIN " + p.Target() + " AS t ON " + p.match() + "\n" +
		"GROUP BY w.group_no, w.row_no, w.keep, w.row_id ORDER BY w.group_no, w.row_no"
}

// Loaded are the groups in the work.
func (p Postgres) Loaded() string { return "SELECT DISTINCT w.group_no FROM " + p.work + " AS w" }

// ForgetGroups takes groups out of the work, given as $1.
func (p Postgres) ForgetGroups() string {
	return "DELETE FROM " + p.work + " AS w WHERE w.group_no = ANY ($1::bigint[])"
}

// Copy puts the rows that go into quarantine.
func (p Postgres) Copy() string {
	return "INSERT INTO " + p.Quarantine() + " AS q (case_id, entry, table_name, group_no, row_no, row_id, survivor, row_text)\n" +
		"  SELECT " + queries.Literal(p.CaseID) + ", " + queries.Literal(p.Name) + ", " + queries.Literal(p.Table.Table) + ", w.group_no, w.row_no, w.row_id, w.survivor, (t.*)::text\n" +
		"  FROM " + p.work + " AS w JOIN " + p.Target() + " AS t ON " + p.match() + "\n" +
		"  WHERE NOT w.keep" + p.stillSame()
}

// stillSame asks for the evidence's image once more. Rows that were locked one
// by one before they were looked at cannot have changed, and are not read again.
func (p Postgres) stillSame() string {
	if p.online {
		return ""
	}
	return " AND " + image + " = w.image"
}

// Delete removes the rows that are in quarantine now.
func (p Postgres) Delete() string {
	return "DELETE FROM " + p.Target() + " AS t USING " + p.work + " AS w\n" +
		"  WHERE NOT w.keep AND " + p.match() + p.stillSame()
}

// CreateIndex builds the plan's index.
func (p Postgres) CreateIndex() string {
	return "CREATE UNIQUE INDEX " + queries.Ident(p.Index().Name) + " ON " + p.Target() + p.indexTail(true)
}

// indexTail is what follows the table's name in CREATE INDEX.
func (p Postgres) indexTail(unique bool) string {
	index := p.Index()
	sql := " (" + keyList(index.Parts) + ")"
	if unique && index.NullsNotDistinct {
		sql += " NULLS NOT DISTINCT"
	}
	if index.Where != "" {
		sql += " WHERE (" + lineEnd(index.Where) + ")"
	}
	return sql
}

// keyList writes the parts of a key as an index takes them.
func keyList(parts []plan.KeyPart) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		if part.Expression {
			texts[i] = "(" + lineEnd(part.Text) + ")"
		} else {
			texts[i] = queries.Ident(part.Text)
		}
	}
	return strings.Join(texts, ", ")
}

// Restore puts the rows back, and returns how many came back and how many of
// them are not exactly as they were.
func (p Postgres) Restore() string {
	columns := p.WritableColumns()
	values := make([]string, len(columns))
	for i, c := range columns {
		values[i] = "(r.whole)." + queries.Ident(c)
	}
	return "WITH back AS (\n" +
		"  INSERT INTO " + p.Target() + " AS t (" + queries.Idents(columns) + ") OVERRIDING SYSTEM VALUE\n" +
		"  SELECT " + strings.Join(values, ", ") + "\n" +
		"  FROM (SELECT q.row_text::" + p.Target() + " AS whole FROM " + p.Quarantine() + " AS q WHERE " + p.mine() + " ORDER BY q.group_no, q.row_no OFFSET 0) AS r\n" +
		"  RETURNING (t.*)::text AS row_text),\n" +
		"lost AS (SELECT q.row_text FROM " + p.Quarantine() + " AS q WHERE " + p.mine() + " EXCEPT ALL SELECT back.row_text FROM back)\n" +
		"SELECT (SELECT count(*) FROM back), (SELECT count(*) FROM lost)"
}

// Release forgets this case's rows of the quarantine.
func (p Postgres) Release() string {
	return "DELETE FROM " + p.Quarantine() + " AS q WHERE " + p.mine()
}

// CountQuarantine counts this case's rows of the quarantine.
func (p Postgres) CountQuarantine() string {
	return "SELECT count(*) FROM " + p.Quarantine() + " AS q WHERE " + p.mine()
}

// IDJSON writes a row's id as JSON text, as the quarantine keeps it.
func IDJSON(id plan.Fields) string {
	raw, err := json.Marshal(id)
	if err != nil { // Fields marshal strings and nulls only, which cannot fail
		panic(err)
	}
	return string(raw)
}

// KeptByGroup counts this case's rows of the quarantine by group.
func (p Postgres) KeptByGroup() string {
	return "SELECT q.group_no, count(*) FROM " + p.Quarantine() + " AS q WHERE " + p.mine() + " GROUP BY q.group_no"
}
