package plan

import (
	"bytes"
	"compress/flate"
	"fmt"
	"slices"
	"strings"

	"twinrow/detect/casefile"
)

// mostIndexed is the longest index row of a btree in bytes (PostgreSQL,
// BTMaxItemSize with pages of 8 kB); longer ones fail the build.
const mostIndexed = 2704

// foresee refuses, before anything is written, what the catalogue showed
// would fail, and notes what a person should know.
func (t *Table) foresee(table *CaseTable) error {
	f := table.Facts
	if f == nil {
		return nil
	}
	if len(f.RefusesDelete) > 0 && t.Removed() > 0 {
		return &Problem{Code: CodeUnsupported,
			Message: fmt.Sprintf("%s is published (%s) without a replica identity, so the server refuses to delete its rows", t.Table, strings.Join(f.RefusesDelete, ", ")),
			Hint:    "give it one, as by ALTER TABLE " + t.Table + " REPLICA IDENTITY FULL, then scan again"}
	}
	if len(f.Rules) > 0 && t.Removed() > 0 {
		return &Problem{Code: CodeUnsupported,
			Message: fmt.Sprintf("%s has %s (%s), by which rows would not be deleted, or not come back as they were", t.Table, Verb(len(f.Rules), "a rule", "rules"), strings.Join(f.Rules, ", ")),
			Hint:    "ALTER TABLE " + t.Table + " DISABLE RULE for the time of the clean-up, then scan again"}
	}
	if f.RowSecurity != "" {
		who := "its owner or a role that has BYPASSRLS"
		if f.RowSecurity == "forced" {
			who = "a superuser or a role that has BYPASSRLS"
		}
		t.Notes = append(t.Notes, "row security is on: apply as "+who+", else the server refuses instead of hiding rows")
	}
	if len(table.ID) > 0 && table.ID[len(table.ID)-1] == "ctid" && !slices.ContainsFunc(table.Columns, func(c Column) bool { return c.Name == "ctid" }) && t.Removed() > 0 {
		t.Notes = append(t.Notes, "the table has no primary key: rows that move until the clean-up are found again by their whole content")
	}
	return nil
}

// foreseeIndex does the same for the index that is to be built.
func (t *Table) foreseeIndex(table *CaseTable, index *Index) error {
	f := table.Facts
	if f == nil {
		return nil
	}
	if missing := partitionedBy(f, index); len(missing) > 0 {
		return &Problem{Code: CodeUnsupported,
			Message: fmt.Sprintf("%s is partitioned by %s, which the key (%s) does not hold, so no unique index can forbid duplicates in all partitions", t.Table, strings.Join(missing, ", "), strings.Join(t.Key, ", ")),
			Hint:    "scan again with " + strings.Join(missing, ", ") + " in the key, or keep the keys in a table of their own that is not partitioned"}
	}
	for _, broken := range []struct {
		names []string
		what  string
	}{{f.Inert, "refuses nothing"}, {f.Enforcing, "refuses writes all the same"}} {
		for _, name := range broken.names {
			drop := "DROP INDEX CONCURRENTLY " + name
			if name != index.Name {
				t.Notes = append(t.Notes, "the unique index "+name+" is INVALID and "+broken.what+"; if it was meant for this key, drop it: "+drop)
			} else if t.Strategy == Atomic {
				return &Problem{Code: CodeExists, Message: "the unique index " + name + " is there, is INVALID and " + broken.what, Hint: "drop it (" + drop + "), or plan with --strategy online, which does, or with another --index-name"}
			} else {
				t.Notes = append(t.Notes, "the unique index "+name+" is there, is INVALID and "+broken.what+": it is dropped and built anew, if it is on the key")
			}
		}
	}
	// The server words a predicate or an expression in its own way, so whether
	// such an index is the one wanted is seen only when it is compared with one.
	worded := index.Where != "" || slices.ContainsFunc(index.Parts, func(p KeyPart) bool { return p.Expression })
	if slices.Contains(f.Names, index.Name) && !slices.Contains(f.Inert, index.Name) && !slices.Contains(f.Enforcing, index.Name) && !worded {
		return &Problem{Code: CodeExists, Message: "the name " + index.Name + " is taken, by something that is no unique index on the key", Hint: "plan again with another --index-name, or drop what has the name"}
	}
	return nil
}

// partitionedBy are the columns of the partition key that the index lacks.
func partitionedBy(f *casefile.Facts, index *Index) []string {
	var missing []string
	for _, column := range f.PartitionKey {
		if !slices.ContainsFunc(index.Parts, func(p KeyPart) bool { return !p.Expression && p.Text == column }) {
			missing = append(missing, column)
		}
	}
	return missing
}

// indexable refuses a group whose key is too long for an index row. The server
// compresses a long value first, so what counts is what is left of it.
func indexable(table *CaseTable, g *casefile.Group) error {
	if table.Facts == nil || len(table.UniqueBy) > 0 {
		return nil
	}
	var whole bytes.Buffer
	for _, part := range g.Key {
		if part.Value != nil {
			whole.WriteString(*part.Value)
		}
	}
	if whole.Len() <= mostIndexed {
		return nil
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return fmt.Errorf("measuring a key: %w", err)
	}
	if _, err := w.Write(whole.Bytes()); err != nil {
		return fmt.Errorf("measuring a key: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("measuring a key: %w", err)
	}
	if packed.Len() <= mostIndexed {
		return nil
	}
	return &Problem{Code: CodeUnsupported,
		Message: fmt.Sprintf("the key of group %d has %d bytes, and an index row holds %d at most, so no unique index can be built on it", g.Number, whole.Len(), mostIndexed),
		Hint:    "scan again with a digest of the long column in the key, as --key 'md5(column)'"}
}
