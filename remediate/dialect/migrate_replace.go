package dialect

import (
	"strings"

	"twinrow/queries"
)

// checkReplaced stops where an index of the old one's name is there that is
// another: another database may have it otherwise, or not at all.
func (p Postgres) checkReplaced() []string {
	if p.Index().Replaces == nil {
		return nil
	}
	return raiseUnless("pg_catalog.to_regclass("+queries.Literal(p.ReplacedName())+") IS NULL OR "+p.ReplacedStands(false),
		p.Index().Replaces.Name+" is not the index that was to be replaced, as it is defined otherwise; nothing was changed")
}

// migrateReplaced drops the old index in the tool's transaction.
func (p Postgres) migrateReplaced() []string {
	if p.Index().Replaces == nil {
		return nil
	}
	return []string{"  DROP INDEX IF EXISTS " + p.ReplacedName() + ";"} // checkReplaced saw that it is the one
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
	up.b.WriteString("-- the index that the new one replaces, which the check before found to be the one\n" + noTimeout)
	up.add("DROP INDEX CONCURRENTLY IF EXISTS " + p.ReplacedName())
	down.b.WriteString(noTimeout)
	down.add(strings.Replace(concurrently(p.Index().Replaces.Definition), "CONCURRENTLY ", "CONCURRENTLY IF NOT EXISTS ", 1))
	return step{name: "_replaced", up: up.String(), down: down.String(), alone: true}
}
