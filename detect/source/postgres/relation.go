package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/queries"
)

// relation is what this package keeps of an inspected table beside what
// source.Table says.
type relation struct {
	oid   string
	name  string // canonical, quoted where it must be
	alias string // what the user's SQL may call the table, quoted
	heaps []heap
	parts []part
	where string   // the predicate in parentheses, or "true"
	equal bool     // NULLS NOT DISTINCT
	book  *book    // nil where rows have a place
	words string   // a column of text, or ""
	files []string // of the heaps, by which a rewritten table is known
	// limited is true where we may read only some columns; readable are those
	// as SQL, "" for all.
	limited  bool
	lockable bool // LOCK TABLE takes it, and we have the right to
	readable string
	unread   []string // columns that we may not read

	profile *profile // what the last reading learnt of the times, or nil
}

// heap is one file of rows: the table itself, or a partition or child of it.
type heap struct {
	oid    uint32
	name   string // canonical
	kind   string // as pg_class has it
	placed bool   // its rows have a place in this server that can be read by
	bytes  int64
	blocks int64
	base   int64 // the number that its first block has among those of all heaps
	// numbers are kept for its blocks: whole ranges of them.
	numbers int64
}

// part is one component of the key as SQL.
type part struct {
	sql      string // an expression over the table's row
	column   string // the column that it is, or ""
	typeName string
	hash     string // "" where the type has no hash
	argument string // the type to cast to for it
	direct   bool   // false where hash cannot be called for the type by name
	portable bool   // every server of one encoding hashes the type's values alike
	worded   bool   // the type's values hold text
}

// remember keeps what Inspect found out, under what makes the table's request.
func (s *Source) remember(t *source.Table, r *relation) { s.tables[identity(t)] = r }

// relation finds what Inspect found out about the table.
func (s *Source) relation(t *source.Table) (*relation, error) {
	if r := s.tables[identity(t)]; r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("the table %s was not inspected by this source", t.Name)
}

func identity(t *source.Table) string { return fmt.Sprintf("%q %#v %q", t.Name, t.Key, t.ID) }

// readHeaps lists the heaps of a table and refuses by name what cannot be read whole.
func (s *Source) readHeaps(ctx context.Context, r *relation, t *source.Table) error {
	rows, err := s.main.rows(ctx, "table_heaps", r.oid)
	if err != nil {
		return err
	}
	var base int64
	for _, row := range rows {
		if err := s.admit(row); err != nil {
			return err
		}
		r.limited = r.limited || row[6] != "t"
		if row[2] == "p" {
			continue
		}
		oid, err := strconv.ParseUint(row[0], 10, 32)
		if err != nil {
			return fmt.Errorf("reading the catalogue: %w", err)
		}
		h := heap{oid: uint32(oid), name: row[1], kind: row[2], placed: hasPlaces(row), bytes: number(row[8]), base: base}
		h.blocks = (h.bytes + s.server.blockSize - 1) / s.server.blockSize
		h.numbers = (h.blocks + rangeBlocks - 1) / rangeBlocks * rangeBlocks
		base += h.numbers
		t.Bytes += h.bytes
		t.EstimatedRows += number(row[9])
		r.heaps = append(r.heaps, h)
	}
	for i := range r.heaps { // a place is a column too, for which there is no right
		r.heaps[i].placed = r.heaps[i].placed && !r.limited
	}
	if r.files, err = s.files(ctx, r); err != nil {
		return err
	}
	if base >= 1<<32 {
		return &key.Problem{Code: key.CodeUnsupported, Message: t.Name + " has more blocks in all its partitions than can be numbered", Hint: "scan its partitions one at a time; a key that holds the partition columns is repeated within one partition only"}
	}
	return nil
}

// admit refuses a heap that we may not read or cannot.
func (s *Source) admit(row []string) error {
	name, schema := row[1], row[5]
	unsupported := func(what, hint string) error {
		return &key.Problem{Code: key.CodeUnsupported, Message: name + " is " + what, Hint: hint}
	}
	switch {
	case row[4] != "t":
		return &key.Problem{Code: key.CodePermission, Message: "the role " + s.server.role + " may not use the schema " + schema, Hint: "GRANT USAGE ON SCHEMA " + schema + " TO " + s.server.role}
	case row[6] != "t" && row[12] != "t":
		return &key.Problem{Code: key.CodePermission, Message: "the role " + s.server.role + " may not read " + name, Hint: "GRANT SELECT ON " + name + " TO " + s.server.role}
	case row[7] == "t":
		return &key.Problem{Code: key.CodePermission, Message: "row level security hides rows of " + name + " from the role " + s.server.role, Hint: rowSecurityHint}
	case row[10] == "t":
		return unsupported("a temporary table of another session", "copy it into an ordinary table in the session that made it, and scan that")
	case row[11] == "t":
		return unsupported("an unlogged table, of which a standby has no rows", "scan it at the primary")
	}
	return nil
}

// hasPlaces tells whether rows can be read by their place in this server, which
// is so for heaps: not for views, foreign tables and other access methods.
func hasPlaces(row []string) bool {
	return row[3] == "heap" && (row[2] == "r" || row[2] == "m")
}

// kind says what the relation is where it is no table with places of its own,
// as "a view"; "" for such a table.
func (r *relation) kind() string {
	for _, h := range r.heaps {
		switch {
		case r.limited:
			return "a table of which this role may read some columns only"
		case h.kind == "v":
			return "a view"
		case h.kind == "m":
			return "a materialized view"
		case h.kind == "f" && h.oid == oidOf(r.oid):
			return "a foreign table"
		case h.kind == "f":
			return "spread over foreign tables"
		case !h.placed:
			return "not stored as a heap"
		}
	}
	return ""
}

// number reads a count of the catalogue; what is not one counts as unknown.
func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// column is a column of the table as SQL.
func (r *relation) column(name string) string { return r.alias + "." + queries.Ident(name) }

// list is the parts of the key as columns of a sub-select, named as group names them.
func (r *relation) list() string {
	items := make([]string, len(r.parts))
	for i, p := range r.parts {
		items[i] = p.sql + " AS " + partName(i)
	}
	return strings.Join(items, ", ")
}

// group names the parts of the key in the sub-select k.
func (r *relation) group() string {
	items := make([]string, len(r.parts))
	for i := range r.parts {
		items[i] = "k." + partName(i)
	}
	return strings.Join(items, ", ")
}

// known is the condition on k that the NULL policy sets.
func (r *relation) known() string {
	if r.equal {
		return "true"
	}
	items := make([]string, len(r.parts))
	for i := range r.parts {
		// num_nulls and not IS NOT NULL: a row value with a NULL inside is no NULL.
		items[i] = "pg_catalog.num_nulls(k." + partName(i) + ") = 0"
	}
	return strings.Join(items, " AND ")
}

func partName(i int) string { return "twinrow_" + strconv.Itoa(i) }

// fill fills a statement's places that are the same for every use.
func (r *relation) fill(name string, more ...string) string {
	return statement(name, append([]string{
		"alias", r.alias, "where", r.where, "parts", r.list(), "group", r.group(), "known", r.known(),
	}, more...)...)
}
