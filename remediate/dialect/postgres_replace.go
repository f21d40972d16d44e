package dialect

import (
	"strings"

	"twinrow/queries"
)

// The index that the new one replaces goes only after the new one stands with
// this case's mark, and the mark goes only after the old one is back: where the
// mark is and the old index is not, this case dropped it.

// ReplacedName is the quoted name of the old index; it is in the table's schema.
func (p Postgres) ReplacedName() string { return p.beside(p.Index().Replaces.Name) }

// ReplacedStands holds where the old index is there as the scan found it; valid
// asks that queries may use it too, which a drop that was interrupted ends.
func (p Postgres) ReplacedStands(valid bool) string {
	sql := "EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indexrelid = pg_catalog.to_regclass(" + queries.Literal(p.ReplacedName()) + ") AND i.indrelid = pg_catalog.to_regclass(" + queries.Literal(p.Target()) + ")\n" +
		"  AND pg_catalog.pg_get_indexdef(i.indexrelid) = " + queries.Literal(p.Index().Replaces.Definition)
	if valid {
		sql += " AND i.indisvalid"
	}
	return sql + ")"
}

// replacedMessage says why the new index is not built.
func (p Postgres) replacedMessage() string {
	return "twinrow: " + p.Index().Replaces.Name + " is not the index that the scan found; nothing was changed"
}

// dropReplaced drops the old index in the transaction that built the new one.
func (p Postgres) dropReplaced() string {
	return DoBlock(append(append([]string{"BEGIN"}, raiseUnless(p.ReplacedStands(true), p.replacedMessage())...), "  DROP INDEX "+p.ReplacedName()+";", "END")...)
}

// RebuildReplaced builds the old index again, where it is not there.
func (p Postgres) RebuildReplaced() string {
	lines := append([]string{"BEGIN", "  IF pg_catalog.to_regclass(" + queries.Literal(p.ReplacedName()) + ") IS NULL THEN"}, execute("    ", p.Index().Replaces.Definition)...)
	lines = append(append(lines, "    RETURN;", "  END IF;"), raiseUnless(p.ReplacedStands(true), p.replacedMessage())...)
	return DoBlock(append(lines, "END")...)
}

// marked holds where the new index has this case's mark.
func (p Postgres) marked() string {
	return "pg_catalog.obj_description(pg_catalog.to_regclass(" + queries.Literal(p.IndexName()) + "), 'pg_class') = " + queries.Literal(Marker(p.CaseID))
}

// DropReplacedBeside returns the statement, or none, that drops the old index
// while writers go on. It runs outside a transaction, as those below do.
func (p Postgres) DropReplacedBeside() string {
	return "SELECT " + queries.Literal("DROP INDEX CONCURRENTLY "+p.ReplacedName()) + " WHERE " + p.marked() + " AND " + p.ReplacedStands(false)
}

// DropBrokenReplaced returns the statement, or none, that drops what an
// interrupted run left of the old index.
func (p Postgres) DropBrokenReplaced() string {
	return p.DropReplacedBeside() + " AND NOT " + p.ReplacedStands(true)
}

// RebuildReplacedBeside returns the statement, or none, that builds the old
// index again.
func (p Postgres) RebuildReplacedBeside() string {
	return "SELECT " + queries.Literal(concurrently(p.Index().Replaces.Definition)) + " WHERE " + p.marked() + " AND pg_catalog.to_regclass(" + queries.Literal(p.ReplacedName()) + ") IS NULL"
}

// concurrently builds by the server's own definition of an index while writers go on.
func concurrently(definition string) string {
	return strings.Replace(definition, "INDEX ", "INDEX CONCURRENTLY ", 1)
}
