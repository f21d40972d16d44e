package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// SQLite writes the statements for one table of a plan, for SQLite and D1
// alike. They share two work tables: what is expected, and what was found.
type SQLite struct {
	*plan.Work
	// d1 writes for D1: ordinary tables instead of temporary ones, and no word
	// of a transaction in a literal.
	d1 bool
	n  int
	// own is the table itself.
	own stored
}

// NewSQLite prepares the statements; n tells the tables of one file apart.
// withoutRowid lists the primary key of a WITHOUT ROWID table, and is nil for others.
func NewSQLite(w *plan.Work, n int, withoutRowid []string) SQLite {
	s := SQLite{Work: w, n: n, own: stored{name: w.Table.Table, columns: w.Case.Columns, places: withoutRowid, id: w.Case.ID}}
	if withoutRowid == nil {
		s.own.places = []string{s.rowidName()}
	}
	return s
}

// rowidName is the name of the rowid that no column hides; where columns hide
// all three, an INTEGER PRIMARY KEY is the rowid, and is the id then.
func (s SQLite) rowidName() string {
	for _, name := range rowidNames {
		if !slices.ContainsFunc(s.Case.Columns, func(c plan.Column) bool { return strings.EqualFold(c.Name, name) }) {
			return name
		}
	}
	return s.Case.ID[0]
}

// Places name what finds a row again, quoted.
func (s SQLite) Places() []string { return s.own.quoted() }

// Target is the table's quoted name.
func (s SQLite) Target() string { return s.own.target() }

// QuarantineName is the name of the quarantine, not quoted.
func (s SQLite) QuarantineName() string {
	return plan.QuarantineTable(s.Engine, s.Table.Table, s.CaseID)
}

// Quarantine is the quoted name of the quarantine.
func (s SQLite) Quarantine() string { return "main." + queries.Ident(s.QuarantineName()) }

// Literal quotes a string as a script can hold it: see split.
func (s SQLite) Literal(text string) string { return s.split(queries.Literal(text)) }

func (s SQLite) workName(what string) string {
	name := fmt.Sprintf("twinrow_%s_%d", what, s.n)
	if s.d1 {
		return "main." + queries.Ident(name+"_"+s.CaseID)
	}
	return "temp." + name
}

func (s SQLite) found() string    { return s.workName("found") }
func (s SQLite) expected() string { return s.workName("expected") }
func (s SQLite) foretold() string { return s.workName("foretold") }

func (s SQLite) placeColumns() string {
	return strings.Join(numbers("place_", len(s.own.places)), ", ")
}

// CreateWork makes the work tables anew.
func (s SQLite) CreateWork() []string {
	return append(s.DropWork(),
		"CREATE TABLE "+s.expected()+" (group_no, row_no, keep, row_id, survivor)",
		"CREATE TABLE "+s.found()+" (group_no, row_no, keep, "+s.placeColumns()+")",
		"CREATE INDEX "+s.workName("expected_by_row")+" ON "+bare(s.expected())+" (group_no, row_no)",
		"CREATE INDEX "+s.workName("found_by_row")+" ON "+bare(s.found())+" (group_no, row_no)",
		"CREATE INDEX "+s.workName("found_by_place")+" ON "+bare(s.found())+" ("+s.placeColumns()+")",
	)
}

// bare is a work table's name without its schema, as CREATE INDEX wants it.
func bare(name string) string { return name[strings.IndexByte(name, '.')+1:] }

// DropWork drops them.
func (s SQLite) DropWork() []string {
	var drop []string
	for _, name := range []string{s.expected(), s.found(), s.hits(), s.foretold(), s.back()} {
		drop = append(drop, "DROP TABLE IF EXISTS "+name)
	}
	return drop
}

// Expect inserts one expected row from values.
func (s SQLite) Expect() string { return "INSERT INTO " + s.expected() + " VALUES (?, ?, ?, ?, ?)" }

// Find inserts the row found for one expected row: values are its group
// number, row number and keep, then the id's, then storage and value of each
// column that can be written.
func (s SQLite) Find() string {
	where := s.finding("t", s.own.ident)
	return "INSERT INTO " + s.found() + " SELECT ?1, ?2, ?3, " + prefixed("t.", s.Places()) + " FROM " + s.Target() + " AS t WHERE " + where
}

// FindFormer does the same for a row that this case changed since, in any of
// its entries: it was so before, and is as it was left.
func (s SQLite) FindFormer() string {
	return "INSERT INTO " + s.found() + " SELECT DISTINCT ?1, ?2, ?3, " + prefixed("t.", s.Places()) + " FROM " + s.former() +
		" AND " + s.finding("b", s.keptIdent) + s.notFound("?1", "?2")
}

// finding is the condition that a row under an alias has the id and values that
// are bound. The plus keeps a column's affinity and collation out of the
// comparison: the value must be the very same.
func (s SQLite) finding(alias string, ident func(string) string) string {
	var where []string
	n := 3
	for _, name := range s.Case.ID {
		n++
		where = append(where, fmt.Sprintf("%s.%s IS ?%d", alias, ident(name), n))
	}
	var same []string
	for _, c := range s.WritableColumns() {
		column := alias + "." + queries.Ident(c)
		same = append(same, fmt.Sprintf("(typeof(%[1]s) = ?%[2]d AND +%[1]s COLLATE BINARY IS iif(?%[2]d = 'text' AND typeof(?%[3]d) = 'blob', CAST(?%[3]d AS TEXT), ?%[3]d))", column, n+1, n+2))
		n += 2
	}
	return strings.Join(where, " AND ") + " AND " + concat(same, " AND ")
}

// CountByID counts the rows with an id, given as values.
func (s SQLite) CountByID() string {
	where := make([]string, len(s.Case.ID))
	for i, name := range s.Case.ID {
		where[i] = s.own.ident(name) + " IS ?"
	}
	return "SELECT count(*) FROM " + s.Target() + " WHERE " + strings.Join(where, " AND ")
}

// concat joins many operands in balanced parentheses: SQLite limits the depth
// of an expression to 1,000 (its documentation, limits), and a flat chain is deep.
func concat(parts []string, operator string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	half := len(parts) / 2
	return "(" + concat(parts[:half], operator) + operator + concat(parts[half:], operator) + ")"
}

func prefixed(prefix string, names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = prefix + n
	}
	return strings.Join(out, ", ")
}

// samePlace joins the table t to what was found, f.
func (s SQLite) samePlace() string { return s.own.at("t", "f.place_") }

// CreateQuarantine makes the quarantine where it is not there yet.
func (s SQLite) CreateQuarantine() string {
	return createKept(s.QuarantineName(), s.own.quarantined(), s.quarantineKey())
}

// quarantineKey is what no two rows of the quarantine have in common.
func (s SQLite) quarantineKey() []string {
	m := s.own.meta()
	return []string{m.entry, m.group, m.row}
}

// mine selects this entry's rows of the quarantine q.
func (s SQLite) mine() string { return "q." + s.own.meta().entry + " = " + s.Literal(s.Name) }

// ForgetDone takes out of the work what is in quarantine already, and the
// survivors of groups of which nothing is left to do.
func (s SQLite) ForgetDone() []string {
	var out []string
	for _, work := range []string{s.expected(), s.found()} {
		out = append(out, "DELETE FROM "+work+" WHERE NOT keep AND EXISTS (SELECT 1 FROM "+s.Quarantine()+" AS q WHERE "+s.mine()+
			" AND q."+s.own.meta().group+" = group_no AND q."+s.own.meta().row+" = row_no)")
	}
	for _, work := range []string{s.found(), s.expected()} {
		out = append(out, "DELETE FROM "+work+" WHERE keep AND group_no NOT IN (SELECT e.group_no FROM "+s.expected()+" AS e WHERE NOT e.keep)")
	}
	return out
}

// missing selects the expected rows that were not found exactly once.
func (s SQLite) missing() string {
	return "SELECT e.group_no, e.row_no, e.keep, e.row_id FROM " + s.expected() + " AS e" +
		" WHERE (SELECT count(*) FROM " + s.found() + " AS f WHERE f.group_no = e.group_no AND f.row_no = e.row_no) <> 1"
}

// Missing is missing in order, for a run that reports each.
func (s SQLite) Missing() string { return s.missing() + " ORDER BY e.group_no, e.row_no" }

// Loaded are the groups in the work.
func (s SQLite) Loaded() string {
	return "SELECT DISTINCT e.group_no FROM " + s.expected() + " AS e"
}

// StillThere counts the rows that were to go and are there.
func (s SQLite) StillThere() string {
	return "SELECT count(*) FROM " + s.found() + " AS f JOIN " + s.Target() + " AS t ON " + s.samePlace() + " WHERE NOT f.keep"
}

// ForgetGroup takes a group out of the work, given as a value.
func (s SQLite) ForgetGroup() []string {
	return []string{"DELETE FROM " + s.expected() + " WHERE group_no = ?", "DELETE FROM " + s.found() + " WHERE group_no = ?"}
}

// Copy puts the rows that go into quarantine. It does nothing unless every row
// is as expected.
func (s SQLite) Copy() string {
	return "INSERT INTO " + s.Quarantine() + " (" + queries.Idents(s.own.quarantined()) + ")\n" +
		"  SELECT " + s.Literal(s.Name) + ", e.group_no, e.row_no, e.row_id, e.survivor, " + sqliteNow + ", " + s.own.rowid("t") + ", " + prefixed("t.", quotedAll(s.WritableColumns())) + "\n" +
		"  FROM " + s.expected() + " AS e JOIN " + s.found() + " AS f ON f.group_no = e.group_no AND f.row_no = e.row_no JOIN " + s.Target() + " AS t ON " + s.samePlace() + "\n" +
		"  WHERE NOT e.keep AND NOT EXISTS (" + s.missing() + ")"
}

// sqliteNow is the time, RFC 3339 in UTC.
const sqliteNow = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

// Delete removes the rows that are in quarantine now.
func (s SQLite) Delete() string {
	q := "SELECT 1 FROM " + s.Quarantine() + " AS q WHERE " + s.mine() + " AND q." + s.own.meta().group + " = f.group_no AND q." + s.own.meta().row + " = f.row_no"
	return "DELETE FROM " + s.Target() + " WHERE " + s.own.placeIn("SELECT "+s.placeColumns()+" FROM "+s.found()+" AS f WHERE NOT f.keep AND EXISTS ("+q+")") +
		" AND NOT EXISTS (" + s.missing() + ")"
}

// CreateIndex builds the plan's index where it is not there yet. The marker
// stands inside the definition, where SQLite keeps it.
func (s SQLite) CreateIndex() string {
	return "CREATE UNIQUE INDEX IF NOT EXISTS " + s.indexRest("/* "+Marker(s.CaseID)+" */ ")
}

func (s SQLite) indexRest(marker string) string {
	index := s.Index()
	sql := queries.Ident(index.Name) + " ON " + queries.Ident(s.Table.Table) + " " + marker + "(" + keyList(index.Parts) + ")"
	if index.Where != "" {
		sql += " WHERE (" + lineEnd(index.Where) + ")"
	}
	return sql
}

// DropIndex drops the index.
func (s SQLite) DropIndex() string {
	return "DROP INDEX IF EXISTS main." + queries.Ident(s.Index().Name)
}

// MakeRoom lets rows of the quarantine whose rowid another row has come back
// under a new one.
func (s SQLite) MakeRoom() []string { return s.own.makeRoom(s.Quarantine(), s.mine()) }

// Restore puts the rows back.
func (s SQLite) Restore() string {
	into, from := s.own.restored("q")
	return "INSERT INTO " + s.Target() + " (" + strings.Join(into, ", ") + ")\n" +
		"  SELECT " + strings.Join(from, ", ") + " FROM " + s.Quarantine() + " AS q WHERE " + s.mine() + " ORDER BY q." + s.own.meta().group + ", q." + s.own.meta().row
}

// Restored counts the rows of the quarantine that are in their table exactly
// as they were, by type and by bytes.
func (s SQLite) Restored() string {
	same := append(s.own.sameKept("q"), sameValues("t", "q", s.WritableColumns())...)
	return "SELECT count(*) FROM " + s.Quarantine() + " AS q JOIN " + s.Target() + " AS t ON " + concat(same, " AND ") + " WHERE " + s.mine()
}

// Release forgets this entry's rows of the quarantine.
func (s SQLite) Release() string {
	return "DELETE FROM " + s.Quarantine() + " WHERE " + s.own.meta().entry + " = " + s.Literal(s.Name)
}

// CountQuarantine counts this entry's rows of the quarantine.
func (s SQLite) CountQuarantine() string {
	return "SELECT count(*) FROM " + s.Quarantine() + " AS q WHERE " + s.mine()
}

// KeptByGroup counts this entry's rows of the quarantine by group.
func (s SQLite) KeptByGroup() string {
	return "SELECT q." + s.own.meta().group + ", count(*) FROM " + s.Quarantine() + " AS q WHERE " + s.mine() + " GROUP BY 1"
}
