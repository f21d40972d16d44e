package dialect

import (
	"fmt"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// fenceLocks is how many keys one transaction locks against others that add
// the same at once. A server has room for max_locks_per_transaction *
// max_connections locks (6,400 as it comes), and a bulk load must not use them
// up: what two such loads add at once is found when the index is built.
const fenceLocks = 256

// fenceName is the name of the fence's trigger and function.
func (p Postgres) fenceName() string { return plan.OwnName("fence", p.CaseID, p.Name) }

// fenceFunction is the quoted name of the fence's function.
func (p Postgres) fenceFunction() string { return p.beside(p.fenceName()) }

// beside puts a name into the table's schema.
func (p Postgres) beside(name string) string {
	if schema, _ := plan.SplitName("postgres", p.Table.Table); schema != "" {
		return queries.Ident(schema) + "." + queries.Ident(name)
	}
	return queries.Ident(name)
}

// bare is the table's name without its schema, as expressions may use it.
func (p Postgres) bare() string {
	_, name := plan.SplitName("postgres", p.Table.Table)
	return queries.Ident(name)
}

// HelperStatements returns the statements, one a row, that give the fence's
// look-up an index where no index of the table leads on all columns of the
// key. They run outside a transaction.
func (p Postgres) HelperStatements() string {
	return p.onLeaves("CREATE INDEX CONCURRENTLY", p.fenceName(), "NOT "+p.keyIsIndexed())
}

// keyIsIndexed holds where the leaf l has a sound index whose first columns
// are those of the key, beside the plan's own, which an undo drops. What is no
// plain column is never taken for indexed.
func (p Postgres) keyIsIndexed() string {
	var names []string
	for _, part := range p.Index().Parts {
		if part.Expression {
			return "false"
		}
		names = append(names, queries.Literal(part.Text))
	}
	planned := "coalesce(pg_catalog.to_regclass(" + queries.Literal(p.IndexName()) + ")::pg_catalog.oid, 1)"
	return fmt.Sprintf("EXISTS (SELECT FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid JOIN pg_catalog.pg_am AS am ON am.oid = ic.relam\n"+
		"    WHERE i.indrelid = l.oid AND i.indisvalid AND i.indisready AND i.indpred IS NULL AND am.amname = 'btree'\n"+
		"    AND %s NOT IN (i.indexrelid, coalesce((SELECT h.inhparent FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = i.indexrelid), 0))\n"+
		"    AND (SELECT count(DISTINCT a.attname) FROM ROWS FROM (pg_catalog.unnest(i.indkey::int2[]), pg_catalog.unnest(i.indcollation::oid[])) WITH ORDINALITY AS k (attnum, own, place)\n"+
		"         JOIN pg_catalog.pg_attribute AS a ON a.attrelid = l.oid AND a.attnum = k.attnum AND a.attcollation = k.own\n"+
		"         WHERE k.place <= %d AND a.attname IN (%s)) = %d)", planned, len(names), strings.Join(names, ", "), len(names))
}

// FenceBlock puts the trigger and its function in place, unless they are.
// The function is made on the spot, because how the key's types are hashed and
// where their operators are is for the catalogue to say.
func (p Postgres) FenceBlock() []string {
	target := queries.Literal(p.Target()) + "::pg_catalog.regclass"
	plain := "true"
	for _, part := range p.Index().Parts {
		if part.Expression || p.Index().Where != "" {
			plain = "false"
		}
	}
	return []string{
		"DECLARE path text; hash text := " + queries.Literal(p.fenceHash()) + ";", "BEGIN",
		"  IF " + p.FenceUp() + " THEN", "    RETURN;", "  END IF;",
		"  BEGIN -- a type that cannot be hashed has one lock for all keys",
		"    EXECUTE 'SELECT ' || hash || ' FROM (SELECT ' || " + queries.Literal(p.keyFields("(SELECT (NULL::"+p.Target()+").*) AS "+p.bare())) + " || ') AS twinrow_new';",
		"  EXCEPTION WHEN undefined_function OR feature_not_supported THEN",
		"    hash := " + queries.Literal(advisoryKey(p.fenceName())) + ";", "  END;",
		"  -- the operators of the key's types are found, and nothing that anybody may create first",
		"  SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(n.nspname), ', ') INTO path FROM pg_catalog.pg_namespace AS n",
		"    WHERE n.oid IN (SELECT y.typnamespace FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid WHERE a.attrelid = " + target + " AND a.attnum > 0)",
		"       OR NOT " + plain + " AND n.nspname = ANY (pg_catalog.current_schemas(false));",
		"  path := pg_catalog.concat_ws(', ', 'pg_catalog', path, 'pg_temp');",
		"  EXECUTE 'CREATE OR REPLACE FUNCTION " + quoted(p.fenceFunction()) + "() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = ' || path || ' SET enable_seqscan = off SET jit = off SET plan_cache_mode = " + p.planMode() + " AS '",
		"    || pg_catalog.quote_literal(pg_catalog.replace(" + queries.Literal(strings.Join(p.fenceBody(), "\n")) + ", '{twinrow hash}', hash));",
		"  EXECUTE " + queries.Literal("REVOKE ALL ON FUNCTION "+p.fenceFunction()+"() FROM PUBLIC") + ";",
		"  EXECUTE " + queries.Literal("COMMENT ON FUNCTION "+p.fenceFunction()+"() IS "+queries.Literal(Marker(p.CaseID))) + ";",
		"  EXECUTE " + queries.Literal("CREATE TRIGGER "+queries.Ident(p.fenceName())+" AFTER INSERT OR UPDATE ON "+p.Target()+" FOR EACH ROW EXECUTE FUNCTION "+p.fenceFunction()+"()") + ";",
		"END",
	}
}

// quoted doubles what would end a string constant.
func quoted(text string) string { return strings.ReplaceAll(text, "'", "''") }

// planMode keeps the look-up on an index: where NULLs are equal, one plan for
// all values cannot use it.
func (p Postgres) planMode() string {
	if p.Index().NullsNotDistinct {
		return "force_custom_plan"
	}
	return "auto"
}

// fenceHash is the lock of a key: values that are equal under the index have
// the same.
func (p Postgres) fenceHash() string {
	fields := []string{queries.Literal(p.fenceName()) + "::pg_catalog.text"}
	for i := range p.Index().Parts {
		fields = append(fields, fmt.Sprintf("twinrow_new.c%d", i+1))
	}
	return "pg_catalog.hash_record_extended(ROW(" + strings.Join(fields, ", ") + "), 0)"
}

// keyFields reads the parts of the key, and whether the predicate holds, from
// a row under the table's own name.
func (p Postgres) keyFields(from string) string {
	var fields []string
	for i, e := range keyExprs(p.Index().Parts) {
		fields = append(fields, fmt.Sprintf("%s AS c%d", e, i+1))
	}
	holds := "true"
	if p.Index().Where != "" {
		holds = "(" + lineEnd(p.Index().Where) + ") IS TRUE"
	}
	return strings.Join(fields, ", ") + ", " + holds + " AS holds FROM " + from
}

// fenceBody is the trigger's function. It runs after the row was written: then
// columns that the server computes have their values, no other trigger changes
// the key any more, and the row itself is one of those that the look-up finds.
func (p Postgres) fenceBody() []string {
	index := p.Index()
	row := func(which string) string { return "(SELECT " + which + ".*) AS " + p.bare() }
	var same, found, null []string
	for i, e := range keyExprs(index.Parts) {
		field := fmt.Sprintf("twinrow_new.c%d", i+1)
		same = append(same, fmt.Sprintf("twinrow_old.c%d IS NOT DISTINCT FROM %s", i+1, field))
		null = append(null, field+" IS NULL")
		equal := e + " = " + field
		if index.NullsNotDistinct {
			equal = "(" + equal + " OR " + e + " IS NULL AND " + field + " IS NULL)"
		}
		found = append(found, equal)
	}
	where := ""
	if index.Where != "" {
		where = " AND (" + lineEnd(index.Where) + ")"
	}
	nulls := "false"
	if !index.NullsNotDistinct {
		nulls = strings.Join(null, " OR ")
	}
	schema, name := plan.SplitName("postgres", p.Table.Table)
	return []string{"#variable_conflict use_column",
		"DECLARE twinrow_new record; twinrow_old record; twinrow_count bigint;", "BEGIN",
		"  IF pg_catalog.current_setting('twinrow.restoring', true) = " + queries.Literal(p.CaseID) + " THEN", "    RETURN NULL;", "  END IF;",
		"  SELECT " + p.keyFields(row("NEW")) + " INTO twinrow_new;",
		"  IF NOT twinrow_new.holds OR " + nulls + " THEN", "    RETURN NULL;", "  END IF;",
		"  IF TG_OP = 'UPDATE' THEN",
		"    SELECT " + p.keyFields(row("OLD")) + " INTO twinrow_old;",
		"    IF twinrow_old.holds AND " + strings.Join(same, " AND ") + " THEN", "      RETURN NULL;", "    END IF;", "  END IF;",
		"  twinrow_count := coalesce(nullif(pg_catalog.current_setting('twinrow.locks', true), ''), '0')::bigint;",
		fmt.Sprintf("  IF twinrow_count < %d THEN -- more would use up the server's room for locks", fenceLocks),
		"    PERFORM pg_catalog.set_config('twinrow.locks', (twinrow_count + 1)::text, true), pg_catalog.pg_advisory_xact_lock({twinrow hash});", "  END IF;",
		"  SELECT count(*) INTO twinrow_count FROM (SELECT 1 FROM " + p.Target() + " AS " + p.bare() + " WHERE " + strings.Join(found, " AND ") + where + " LIMIT 2) AS twinrow_found;",
		"  IF twinrow_count > 1 THEN",
		"    RAISE EXCEPTION USING ERRCODE = 'unique_violation', SCHEMA = " + queries.Literal(schema) + ", TABLE = " + queries.Literal(name) + ", CONSTRAINT = " + queries.Literal(index.Name) + ",",
		"      MESSAGE = " + queries.Literal("duplicate key value violates unique constraint \""+index.Name+"\"") + ", DETAIL = " + queries.Literal("a fence keeps new duplicates out until that index is built ("+Marker(p.CaseID)+")") + ";",
		"  END IF;", "  RETURN NULL;", "END"}
}

// FenceUp holds where the trigger is on the table.
func (p Postgres) FenceUp() string {
	return "EXISTS (SELECT FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = pg_catalog.to_regclass(" + queries.Literal(p.Target()) + ") AND g.tgname = " + queries.Literal(p.fenceName()) + ")"
}

// FenceRemains holds where the trigger, its function or its index is there.
func (p Postgres) FenceRemains() string {
	return "(" + p.FenceUp() + " OR pg_catalog.to_regprocedure(" + queries.Literal(p.fenceFunction()+"()") + ") IS NOT NULL OR EXISTS (" + p.ownIndexes(p.fenceName()) + "))"
}

// FenceDown takes trigger and function away.
func (p Postgres) FenceDown() []string {
	return []string{
		"DROP TRIGGER IF EXISTS " + queries.Ident(p.fenceName()) + " ON " + p.Target(),
		"DROP FUNCTION IF EXISTS " + p.fenceFunction() + "()",
	}
}

// DropHelpers returns the statements, one a row, that drop the index of the
// fence. They run outside a transaction.
func (p Postgres) DropHelpers() string { return p.dropOwn(p.fenceName(), "") }

// DropBrokenHelpers likewise drops what an interrupted build left of it.
func (p Postgres) DropBrokenHelpers() string {
	return p.dropOwn(p.fenceName(), " WHERE NOT o.indisvalid")
}

// FenceRights tells whether the role may put a trigger on the table, and write
// its function.
func (p Postgres) FenceRights() string {
	return "SELECT pg_catalog.has_table_privilege(" + queries.Literal(p.Target()) + "::pg_catalog.regclass, 'TRIGGER'), coalesce((SELECT pg_catalog.has_language_privilege(l.oid, 'USAGE') FROM pg_catalog.pg_language AS l WHERE l.lanname = 'plpgsql'), false)"
}

// Restoring lets the rows that an undo puts back through the fence.
func (p Postgres) Restoring() string {
	return "SET LOCAL twinrow.restoring = " + queries.Literal(p.CaseID)
}
