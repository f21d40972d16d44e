package dialect

import (
	"twinrow/queries"
)

// IndexName is the quoted name of the index, with the table's schema.
func (p Postgres) IndexName() string { return p.beside(p.Index().Name) }

// MarkIndex writes down that this case built the index.
func (p Postgres) MarkIndex() string {
	return "COMMENT ON INDEX " + p.IndexName() + " IS " + queries.Literal(Marker(p.CaseID))
}

// BuiltStatements are what follows the build of the index, in its transaction:
// the mark, and the constraint where one is wanted.
func (p Postgres) BuiltStatements() []string {
	statements := []string{p.MarkIndex()}
	if p.Index().Constraint {
		statements = append(statements, p.addConstraint())
	}
	if p.Index().Replaces != nil && !p.online {
		statements = append(statements, p.dropReplaced())
	}
	return statements
}

// addConstraint lets a constraint stand on the index, which is its own from then on.
func (p Postgres) addConstraint() string {
	name := queries.Ident(p.Index().Name)
	return "ALTER TABLE " + p.Target() + " ADD CONSTRAINT " + name + " UNIQUE USING INDEX " + name
}

// DropIndex drops the index, with the constraint that stands on it.
func (p Postgres) DropIndex() string {
	if p.Index().Constraint {
		return "ALTER TABLE " + p.Target() + " DROP CONSTRAINT " + queries.Ident(p.Index().Name)
	}
	return p.DropInvalid()
}

// DropInvalid drops an index of that name that no build made valid; no
// constraint can stand on it.
func (p Postgres) DropInvalid() string { return "DROP INDEX " + p.IndexName() }

// asConstraint holds where a constraint stands on the index i, or none is wanted.
func (p Postgres) asConstraint() string {
	if !p.Index().Constraint {
		return "true"
	}
	return "EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype = 'u')"
}

// execute writes statements as a block runs them.
func execute(indent string, statements ...string) []string {
	lines := make([]string, len(statements))
	for i, sql := range statements {
		lines[i] = indent + "EXECUTE " + queries.Literal(sql) + ";"
	}
	return lines
}
