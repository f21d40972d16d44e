package dialect

import (
	"strings"

	"twinrow/queries"
)

// migrateReplaced drops the old index in the tool's transaction. Another
// database may have it otherwise, or not at all.
func (p Postgres) migrateReplaced() []string {
	if p.Index().Replaces == nil {
		return nil
	}
	return []string{"  DROP INDEX IF EXISTS " + p.ReplacedName() + ";"}
}

// remadeReplaced builds it again as it was here.
func (p Postgres) remadeReplaced() []string {
	if p.Index().Replaces == nil {
		return nil
	}
	lines := []string{"  IF pg_catalog.to_regclass(" + queries.Literal(p.ReplacedName()) + ") IS NULL THEN"}
	return append(append(lines, execute("    ", p.Index().Replaces.Definition)...), "  END IF;")
}

// replacedStep does either while others write.
func (p Postgres) replacedStep() step {
	var up, down script
	up.b.WriteString("-- the index that the new one replaces\n" + noTimeout)
	up.add("DROP INDEX CONCURRENTLY IF EXISTS " + p.ReplacedName())
	down.b.WriteString(noTimeout)
	down.add(strings.Replace(concurrently(p.Index().Replaces.Definition), "CONCURRENTLY ", "CONCURRENTLY IF NOT EXISTS ", 1))
	return step{name: "_replaced", up: up.String(), down: down.String(), alone: true}
}
