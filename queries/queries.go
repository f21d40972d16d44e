// Package queries holds every fixed SQL statement, in .sql files by engine,
// and is the only place that quotes an identifier or a literal.
//
// It knows no driver and opens no connection.
package queries

import "embed"

//go:embed postgres sqlite
var files embed.FS

// Postgres returns the statement in postgres/NAME.sql. A name that does not
// exist is a programming error and panics; the package's test loads them all.
func Postgres(name string) string { return load("postgres", name) }

// SQLite returns the statement in sqlite/NAME.sql.
func SQLite(name string) string { return load("sqlite", name) }

func load(engine, name string) string {
	text, err := files.ReadFile(engine + "/" + name + ".sql")
	if err != nil {
		panic("no such statement: " + engine + "/" + name)
	}
	return string(text)
}
