package dialect

import (
	"fmt"
	"strings"

	"twinrow/queries"
)

// The statements of a batch that is done at once: it is looked at without a
// lock, and then done as far as every row still is the version that was seen.
// They take the rows as parameters and need no table of the work.

// digest of the row under the alias t in bytes.
const imageBytes = "pg_catalog.sha256(pg_catalog.convert_to((t.*)::text, 'UTF8'))"

// Look finds rows that are as the evidence has them: it returns their numbers,
// counted from 1, with where they lie and who wrote them, which together name
// one version of a row. $1 are the images in bytes, and from $2 on one array of
// text for each id part, which is cast to the type given.
func (p Postgres) Look(types []string) string {
	arrays, names, casts := make([]string, len(types)), make([]string, len(types)), make([]string, len(types))
	for i, t := range types {
		arrays[i], names[i] = fmt.Sprintf(", unnest($%d::text[])", 2+i), fmt.Sprintf(", id_%d", i+1)
		casts[i] = fmt.Sprintf(", u.id_%d::%s AS id_%d", i+1, t, i+1)
	}
	return "SELECT w.number, t.ctid::text, t.tableoid, t.xmin::text\n" +
		"FROM (SELECT u.image, u.number" + strings.Join(casts, "") + " FROM ROWS FROM (unnest($1::bytea[])" + strings.Join(arrays, "") + ")" +
		" WITH ORDINALITY AS u(image" + strings.Join(names, "") + ", number)) AS w\n" +
		"JOIN " + p.Target() + " AS t ON " + p.match() + " WHERE " + imageBytes + " = w.image"
}

// seen joins the table t to versions of rows, w: $1 are their places, $2 the
// tables in which they lie, $3 who wrote them, $4 their group numbers, and
// more are further arrays.
func (p Postgres) seen(more ...string) string {
	arrays, names := "", ""
	for i, name := range more {
		name, kind, _ := strings.Cut(name, " ")
		arrays += fmt.Sprintf(", $%d::%s", 5+i, kind)
		names += ", " + name
	}
	return "(SELECT u.place::pg_catalog.tid AS place, u.heap, u.writer::pg_catalog.xid AS writer, u.group_no" + names + "\n" +
		"    FROM ROWS FROM (unnest($1::text[], $2::oid[], $3::text[], $4::bigint[]" + arrays + ")) AS u(place, heap, writer, group_no" + names + ")) AS w"
}

// stillSeen holds where t is the version w.
const stillSeen = "t.ctid = w.place AND t.tableoid = w.heap AND t.xmin = w.writer"

// CleanSeen deletes versions of rows and copies them to quarantine; it reports
// how many. $5 are row numbers, $6 and $7 the ids of row and survivor as the
// quarantine keeps them.
func (p Postgres) CleanSeen() string {
	return "WITH gone AS (\n" +
		"  DELETE FROM " + p.Target() + " AS t USING " + p.seen("row_no int[]", "row_id text[]", "survivor text[]") + "\n" +
		"  WHERE " + stillSeen + "\n" +
		"  RETURNING w.group_no, w.row_no, w.row_id, w.survivor, (t.*)::text AS row_text)\n" +
		"INSERT INTO " + p.Quarantine() + " AS q (case_id, entry, table_name, group_no, row_no, row_id, survivor, row_text)\n" +
		"  SELECT " + queries.Literal(p.CaseID) + ", " + queries.Literal(p.Name) + ", " + queries.Literal(p.Table.Table) + ", g.group_no, g.row_no, g.row_id, g.survivor, g.row_text FROM gone AS g"
}

// SeenFree counts the versions, and their groups, that are there still and
// that nobody has locked or changed.
func (p Postgres) SeenFree() string {
	return "SELECT count(*), count(DISTINCT w.group_no) FROM " + p.seen() + " JOIN " + p.Target() + " AS t ON " + stillSeen + " WHERE t.xmax = '0'::pg_catalog.xid"
}

// SeenHeld locks the others, as far as they are there still and nobody else
// has them now, and counts them and their groups.
func (p Postgres) SeenHeld() string {
	return "SELECT count(*), count(DISTINCT l.group_no) FROM (\n" +
		"  SELECT w.group_no FROM " + p.seen() + " JOIN " + p.Target() + " AS t ON " + stillSeen + "\n" +
		"  WHERE t.xmax <> '0'::pg_catalog.xid FOR NO KEY UPDATE OF t SKIP LOCKED) AS l"
}

// HasOwnID tells whether a row is found by an id of its own, and not by where
// it lies.
func (p Postgres) HasOwnID() bool { return !p.byPlace() }
