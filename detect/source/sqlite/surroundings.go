package sqlite

import (
	"regexp"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/source"
	"twinrow/queries"
)

// surroundings reads what is around the table: what makes its key unique
// already, who refers to it, and what its triggers do.
func (s *Source) surroundings(p *plan, table *source.Table, fields []field) error {
	var err error
	if table.UniqueBy, err = s.uniqueBy(p, table, fields); err != nil {
		return err
	}
	if table.IncomingKeys, err = s.incomingKeys(p.name, fields); err != nil {
		return err
	}
	return run(s.conn, statement("triggers"), func(stmt *sqlite.Stmt) error {
		if !updateTrigger.MatchString(stmt.ColumnText(1)) {
			table.Triggers = append(table.Triggers, stmt.ColumnText(0))
		}
		if !insertOrDeleteTrigger.MatchString(stmt.ColumnText(1)) {
			table.UpdateTriggers = append(table.UpdateTriggers, stmt.ColumnText(0))
		}
		return nil
	}, p.name)
}

// updateTrigger knows a trigger that neither DELETE nor INSERT fires. Where
// comments or odd quotes hide the event, it does not match, and the trigger is named.
var updateTrigger = regexp.MustCompile(triggerHead + `UPDATE\b`)

// insertOrDeleteTrigger knows one that no UPDATE fires, with the same care.
var insertOrDeleteTrigger = regexp.MustCompile(triggerHead + `(INSERT|DELETE)\b`)

const triggerHead = `(?is)^CREATE\s+(TEMP\s+|TEMPORARY\s+)?TRIGGER\s+(IF\s+NOT\s+EXISTS\s+)?("([^"]|"")*"|\[[^\]]*\]|` + "`[^`]*`" + `|[\w.]+)\s+((BEFORE|AFTER)\s+)?`

// index is one unique index.
type index struct {
	name    string
	primary bool
	partial bool
	columns []indexColumn
	// sql is the statement that made it, "" where a constraint did.
	sql string
}

// indexColumn is a column of an index; cid is negative for what is no column.
type indexColumn struct {
	cid             int
	name, collation string
}

func (s *Source) uniqueIndexes(table string) ([]index, error) {
	var out []index
	err := run(s.conn, statement("unique_indexes"), func(stmt *sqlite.Stmt) error {
		name := stmt.ColumnText(0)
		if len(out) == 0 || out[len(out)-1].name != name {
			out = append(out, index{name: name, primary: stmt.ColumnText(1) == "pk", partial: stmt.ColumnBool(2), sql: stmt.ColumnText(6)})
		}
		last := &out[len(out)-1]
		last.columns = append(last.columns, indexColumn{stmt.ColumnInt(3), stmt.ColumnText(4), stmt.ColumnText(5)})
		return nil
	}, table)
	return out, err
}

// uniqueBy names what already forbids a second row with the key: the primary
// key and unique indexes over some of its columns. Indexes over expressions
// are not looked at.
func (s *Source) uniqueBy(p *plan, table *source.Table, fields []field) ([]string, error) {
	indexes, err := s.uniqueIndexes(p.name)
	if err != nil {
		return nil, err
	}
	columns := table.Key.Columns()
	var names []string
	primary := primaryKey(fields)
	hasIndex := slices.ContainsFunc(indexes, func(i index) bool { return i.primary })
	if len(primary) == 1 && !hasIndex && slices.Contains(columns, primary[0]) {
		names = append(names, "primary key") // the rowid, which needs no index
	}
	for _, i := range indexes {
		holds, err := s.holds(p, i, columns, fields)
		if err != nil {
			return nil, err
		}
		if holds {
			names = append(names, i.name)
		}
	}
	return names, nil
}

// holds tells whether no two rows with an equal key can both be in the index.
func (s *Source) holds(p *plan, i index, columns []string, fields []field) (bool, error) {
	for _, c := range i.columns {
		place := slices.IndexFunc(fields, func(f field) bool { return f.Name == c.name })
		if c.cid < 0 || place < 0 || !slices.Contains(columns, c.name) {
			return false, nil
		}
		// NULLs are distinct in every index of SQLite, so it allows two rows
		// that a key with equal NULLs does not.
		if p.nullsEqual && !fields[place].NotNull {
			return false, nil
		}
		collation, err := s.collation(p, c.name)
		if err != nil {
			return false, err
		}
		// An index that calls more values equal than BINARY does is stricter.
		if !strings.EqualFold(collation, c.collation) && collation != "BINARY" {
			return false, nil
		}
	}
	return !i.partial || s.covers(p, i), nil
}

// covers asks SQLite's own planner whether a partial index has all rows of the
// key: it refuses an index whose condition does not follow from the query's.
func (s *Source) covers(p *plan, i index) bool {
	stmt, _, err := s.conn.PrepareTransient("SELECT 1 FROM " + p.from + " INDEXED BY " + queries.Ident(i.name) + " WHERE " + p.where + " AND " + p.keep)
	if err != nil {
		return false
	}
	return stmt.Finalize() == nil
}

// incomingKeys are the foreign keys of all tables that refer to this one.
// SQLite keeps no names of them; they are called by their table and columns.
func (s *Source) incomingKeys(table string, fields []field) ([]source.ForeignKey, error) {
	var out []source.ForeignKey
	last := -1
	err := run(s.conn, statement("incoming_keys"), func(stmt *sqlite.Stmt) error {
		child, number := stmt.ColumnText(0), stmt.ColumnInt(1)
		if len(out) == 0 || out[len(out)-1].Table != child || number != last {
			out = append(out, source.ForeignKey{Table: child, OnDelete: strings.ToLower(stmt.ColumnText(4))})
			last = number
		}
		fk := &out[len(out)-1]
		fk.Columns = append(fk.Columns, stmt.ColumnText(2))
		if to := stmt.ColumnText(3); to != "" {
			fk.References = append(fk.References, canonical(to, fields))
		}
		return nil
	}, table)
	for i := range out {
		out[i].Name = out[i].Table + "(" + strings.Join(out[i].Columns, ",") + ")"
		if len(out[i].References) == 0 {
			out[i].References = primaryKey(fields)
		}
	}
	return out, err
}

// canonical is a column's name as the table has it.
func canonical(name string, fields []field) string {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return f.Name
		}
	}
	return name
}
