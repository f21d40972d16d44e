package dialect

import (
	"slices"
	"unicode/utf8"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// An index that is built concurrently has a name of this case's own until it
// is whole: what carries that name is ours to drop, whatever a crash left of it.

// buildName is that name, without the number of the table that follows it.
func (p Postgres) buildName() string { return plan.OwnName("build", p.CaseID, p.Name) }

// leaves selects the tables that hold the rows: the table, or its partitions.
func (p Postgres) leaves() string {
	target := queries.Literal(p.Target()) + "::pg_catalog.regclass"
	return "SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace\n" +
		"  WHERE c.relkind = 'r' AND (c.oid = " + target + " OR c.oid IN (SELECT f.relid FROM pg_catalog.pg_partition_tree(" + target + ") AS f))"
}

// ownIndexes selects the indexes of this case under a name.
func (p Postgres) ownIndexes(name string) string {
	return "SELECT ic.relname, l.nspname, i.indisvalid, i.indisready, l.oid FROM (" + p.leaves() + ") AS l JOIN pg_catalog.pg_index AS i ON i.indrelid = l.oid\n" +
		"  JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid WHERE pg_catalog.starts_with(ic.relname, " + queries.Literal(name+"_") + ")"
}

// onLeaves returns statements, one a row, that build an index on each table
// that holds rows and for which the condition on l holds.
func (p Postgres) onLeaves(create, name, condition string) string {
	tail := p.indexTail(name == p.buildName())
	return "SELECT pg_catalog.format('" + create + " %I ON %I.%I%s', " + queries.Literal(name+"_") + " || l.oid, l.nspname, l.relname, " + queries.Literal(tail) + ")\n" +
		"FROM (" + p.leaves() + ") AS l WHERE NOT EXISTS (SELECT FROM (" + p.ownIndexes(name) + ") AS o WHERE o.oid = l.oid) AND " + condition
}

// dropOwn returns statements, one a row, that drop this case's indexes under a
// name; more narrows them.
func (p Postgres) dropOwn(name, more string) string {
	return "SELECT pg_catalog.format('DROP INDEX CONCURRENTLY IF EXISTS %I.%I', o.nspname, o.relname) FROM (" + p.ownIndexes(name) + ") AS o" + more
}

// DropBuilt returns the statements, one a row, that drop what was built but
// not finished; with broken only what is INVALID. They run outside a transaction.
func (p Postgres) DropBuilt(broken bool) string {
	if broken {
		return p.dropOwn(p.buildName(), " WHERE NOT o.indisvalid")
	}
	return p.dropOwn(p.buildName(), "")
}

// BuildRemains holds where an index was built or begun, and not finished.
func (p Postgres) BuildRemains() string { return "EXISTS (" + p.ownIndexes(p.buildName()) + ")" }

// BuildStatements returns the statements, one a row, that build the index
// concurrently under its name for the time being. They run outside a transaction.
func (p Postgres) BuildStatements() string {
	return p.onLeaves("CREATE UNIQUE INDEX CONCURRENTLY", p.buildName(), "pg_catalog.to_regclass("+queries.Literal(p.IndexName())+") IS NULL")
}

// FinishBlock gives the index that was built its name and its mark, where it
// is whole; on a partitioned table it joins those of the partitions to one.
func (p Postgres) FinishBlock() []string {
	target := queries.Literal(p.Target()) + "::pg_catalog.regclass"
	return slices.Concat([]string{
		"DECLARE node record; above text; mine text; schema_name text; whole boolean;", "BEGIN",
		"  IF pg_catalog.to_regclass(" + queries.Literal(p.IndexName()) + ") IS NOT NULL THEN", "    RETURN;", "  END IF;",
		"  SELECT count(*) = count(o.oid) AND coalesce(bool_and(o.indisvalid AND o.indisready), true) INTO whole",
		"    FROM (" + p.leaves() + ") AS l LEFT JOIN (" + p.ownIndexes(p.buildName()) + ") AS o ON o.oid = l.oid;",
		"  IF NOT whole THEN", "    RAISE EXCEPTION 'twinrow: the index is not whole; run 30_index.sql again';", "  END IF;",
		"  SELECT n.nspname INTO schema_name FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = " + target + ";",
		"  IF EXISTS (SELECT FROM (" + p.leaves() + ") AS l WHERE l.oid = " + target + ") THEN",
		"    EXECUTE pg_catalog.format('ALTER INDEX %I.%I RENAME TO %I', schema_name, " + queries.Literal(p.buildName()+"_") + " || " + target + "::pg_catalog.oid, " + queries.Literal(p.Index().Name) + ");",
		"  ELSE",
	}, p.attachLoop(target), []string{"  END IF;"}, execute("  ", p.BuiltStatements()...), []string{"END"})
}

// attachLoop builds the index of each partitioned table on itself only, and
// attaches to it those of its partitions, from the top down.
func (p Postgres) attachLoop(target string) []string {
	name, base := queries.Literal(p.Index().Name), p.Index().Name
	for len(base) > 50 { // with the partition's number it is at most 63 bytes
		_, size := utf8.DecodeLastRuneInString(base)
		base = base[:len(base)-size]
	}
	base = queries.Literal(base + "_")
	return []string{
		"    FOR node IN SELECT f.relid, f.parentrelid, f.isleaf, f.level, n.nspname, c.relname, pn.nspname AS parent_schema",
		"      FROM pg_catalog.pg_partition_tree(" + target + ") AS f JOIN pg_catalog.pg_class AS c ON c.oid = f.relid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace",
		"      LEFT JOIN pg_catalog.pg_class AS pc ON pc.oid = f.parentrelid LEFT JOIN pg_catalog.pg_namespace AS pn ON pn.oid = pc.relnamespace ORDER BY f.level, f.relid LOOP",
		"      mine := CASE WHEN node.level = 0 THEN " + name + " ELSE " + base + " || node.relid::pg_catalog.oid END;",
		"      above := CASE WHEN node.level = 1 THEN " + name + " ELSE " + base + " || node.parentrelid::pg_catalog.oid END;",
		"      IF node.isleaf THEN",
		"        EXECUTE pg_catalog.format('ALTER INDEX %I.%I RENAME TO %I', node.nspname, " + queries.Literal(p.buildName()+"_") + " || node.relid::pg_catalog.oid, mine);",
		"      ELSE",
		"        EXECUTE pg_catalog.format('CREATE UNIQUE INDEX %I ON ONLY %I.%I%s', mine, node.nspname, node.relname, " + queries.Literal(p.indexTail(true)) + ");",
		"      END IF;",
		"      IF node.level > 0 THEN",
		"        EXECUTE pg_catalog.format('ALTER INDEX %I.%I ATTACH PARTITION %I.%I', node.parent_schema, above, node.nspname, mine);",
		"      END IF;",
		"    END LOOP;",
	}
}

// ShapeTable makes a table like the plan's, empty and temporary, with the
// plan's index on it: the server's own wording of that index is what an index
// of the same name is compared with. It has the table's own name, because an
// expression may use it, so it is made in a transaction that is rolled back.
func (p Postgres) ShapeTable() []string {
	return []string{
		"CREATE TEMPORARY TABLE " + p.bare() + " (LIKE " + p.Target() + ") ON COMMIT DROP",
		"CREATE UNIQUE INDEX ON pg_temp." + p.bare() + p.indexTail(true),
	}
}

// shape is all that two indexes with the same effect have in common.
const shape = "ROW(i.indisunique, i.indimmediate, i.indnkeyatts, i.indnatts, i.indclass::pg_catalog.text, i.indcollation::pg_catalog.text, i.indoption::pg_catalog.text, pg_catalog.to_jsonb(i)->>'indnullsnotdistinct',\n" +
	"    pg_catalog.pg_get_expr(i.indpred, i.indrelid, false), ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid, k, false) FROM pg_catalog.generate_series(1, i.indnatts) AS k))::pg_catalog.text"

// IndexStanding tells how the relation of the index's name stands, after
// ShapeTable: "none", "wrong" (it is something else), "inert" (INVALID, it met
// duplicates and enforces nothing), "enforcing" (INVALID, and yet it rejects
// writes), "ours" (this case built it) or "other" (somebody else did).
func (p Postgres) IndexStanding() string {
	found := "pg_catalog.to_regclass(" + queries.Literal(p.IndexName()) + ")"
	return "SELECT CASE WHEN " + found + " IS NULL THEN 'none' ELSE coalesce((SELECT CASE\n" +
		"  WHEN i.indrelid <> " + queries.Literal(p.Target()) + "::pg_catalog.regclass OR " + shape + " <> (SELECT " + shape + " FROM pg_catalog.pg_index AS i WHERE i.indrelid = 'pg_temp." + quoted(p.bare()) + "'::pg_catalog.regclass) THEN 'wrong'\n" +
		"  WHEN NOT i.indisvalid AND i.indisready THEN 'enforcing' WHEN NOT i.indisvalid THEN 'inert' WHEN NOT " + p.asConstraint() + " THEN 'wrong'\n" +
		"  WHEN pg_catalog.obj_description(i.indexrelid, 'pg_class') = " + queries.Literal(Marker(p.CaseID)) + " THEN 'ours' ELSE 'other' END\n" +
		"  FROM pg_catalog.pg_index AS i WHERE i.indexrelid = " + found + "), 'wrong') END AS standing"
}
