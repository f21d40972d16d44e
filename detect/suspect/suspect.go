// Package suspect finds the keys that look as if they should be unique and are
// not. It owns what a name, a statistic and an index say about that, how much
// each weighs, and the reasons in plain words. It reads no table and must not
// know any engine: the catalogue comes from a source.Cataloguer.
//
// A suspicion is no finding. Whether there are duplicates, a scan tells.
package suspect

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// Schema is the name of the document.
const Schema = "twinrow/suspects/v1"

// Kinds of suspicion.
const (
	// NoIndex: nothing in the database forbids a second row.
	NoIndex = "not-unique"
	// Partial: a unique index speaks of some rows only.
	Partial = "partly-unique"
	// Loose: a unique index lets rows repeat that hold a NULL.
	Loose = "nulls-repeat"
	// Invalid: the build of a unique index failed.
	Invalid = "invalid-index"
	// Stale: a unique index was sorted by another version of its collation.
	Stale = "collation-changed"
)

// mostByName is the highest score that names and statistics give together:
// what an index says of itself is no guess and stands before them.
const mostByName = 94

// Document is what `twinrow suspects --format json` prints.
type Document struct {
	Schema string `json:"schema"`
	Source Source `json:"source"`
	// Tables is how many tables were looked at.
	Tables int `json:"tables"`
	// Suspects are in order, the strongest first; never null.
	Suspects []Suspect `json:"suspects"`
}

// Source says where it was looked, without a password.
type Source struct {
	Engine   string `json:"engine"`
	Version  string `json:"version"`
	Database string `json:"database"`
}

// Suspect is one key that ought to be unique.
type Suspect struct {
	Table string   `json:"table"`
	Key   []string `json:"key"`
	// Kind is one of the constants above.
	Kind string `json:"kind"`
	// Score is 0 to 100, by which they are ranked; it is no probability.
	Score int `json:"score"`
	// Rows is the catalogue's estimate, null where it has none.
	Rows *int64 `json:"rows"`
	// Index names the unique index that does not hold, "" where there is none.
	Index   string   `json:"index"`
	Reasons []string `json:"reasons"`
	// Time is the column that says when a row was written, "" where none looks so.
	Time string `json:"time"`
	// Scan is a command line that settles it, ready to be run.
	Scan string `json:"scan"`

	nullsEqual bool
	where      string
}

// Options are what a caller chooses.
type Options struct {
	// Place is the SOURCE for the scan lines, without a password; empty leaves
	// it out, as where $DATABASE_URL names it.
	Place string
}

// Find reads the catalogue and ranks what it sees. A source without a
// catalogue, as a file, is a *key.Problem.
func Find(ctx context.Context, src source.Source, opts Options) (*Document, error) {
	info := src.Info()
	catalogue, ok := src.(source.Cataloguer)
	if !ok {
		return nil, &key.Problem{Code: key.CodeUnsupported, Message: info.Database + " is a file without a catalogue, so nothing tells which keys should be unique", Hint: "scan it by the key you have in mind, as with: twinrow scan FILE --key A,B"}
	}
	tables, err := catalogue.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	doc := &Document{Schema: Schema, Source: Source{info.Engine, info.Version, info.Database}, Tables: len(tables), Suspects: []Suspect{}}
	names := tableNames(tables)
	for i := range tables {
		if ours(tables[i].Bare) {
			continue
		}
		doc.Suspects = append(doc.Suspects, inTable(&tables[i], names)...)
	}
	for i := range doc.Suspects {
		doc.Suspects[i].Scan = scanLine(&doc.Suspects[i], opts.Place)
	}
	slices.SortStableFunc(doc.Suspects, func(a, b Suspect) int {
		return cmp.Or(b.Score-a.Score, cmp.Compare(a.Table, b.Table), cmp.Compare(strings.Join(a.Key, ","), strings.Join(b.Key, ",")))
	})
	return doc, nil
}

// ours are tables that no application fills: the tool's own and those in
// which migrations are noted.
func ours(table string) bool {
	lower := strings.ToLower(table)
	return strings.HasPrefix(lower, "twinrow_") || slices.Contains([]string{
		"schema_migrations", "schema_migration", "schema_version", "flyway_schema_history", "goose_db_version", "d1_migrations", "alembic_version", "django_migrations", "__efmigrationshistory", "_prisma_migrations",
	}, lower)
}

func tableNames(tables []source.CatalogueTable) map[string]bool {
	names := make(map[string]bool, len(tables))
	for _, t := range tables {
		names[strings.ToLower(t.Bare)] = true
	}
	return names
}

// inTable is all that is suspicious in one table, each key once: what an
// index says of itself comes before what names say.
func inTable(t *source.CatalogueTable, tables map[string]bool) []Suspect {
	found := byIndexes(t)
	for _, s := range byNames(t, tables) {
		if !slices.ContainsFunc(found, func(o Suspect) bool { return sameKey(o.Key, s.Key) }) {
			found = append(found, s)
		}
	}
	at := timeColumn(t)
	for i := range found {
		s := &found[i]
		s.Table, s.Time = t.Name, at
		if t.Rows >= 0 {
			s.Rows = &t.Rows
		}
		if t.Rows == 0 {
			s.Score /= 2
			s.Reasons = append(s.Reasons, "the table has no rows yet")
		}
		s.Score = max(1, s.Score)
		if s.Kind == NoIndex || s.Kind == Partial {
			s.Score = min(s.Score, mostByName)
		}
	}
	return found
}

func sameKey(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
