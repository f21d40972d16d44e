package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
)

// checkReferred refuses where other rows refer to those that go otherwise
// than was foretold, after keeping writers away from them.
func (p Postgres) checkReferred(s *script, n int) {
	referred := p.Referred()
	if len(referred) == 0 {
		return
	}
	for _, table := range ReferringTables(p.Work) {
		s.add("LOCK TABLE " + PostgresName(table) + " IN SHARE ROW EXCLUSIVE MODE")
	}
	table := fmt.Sprintf("pg_temp.twinrow_referred_%d", n)
	s.comment("what is foretold to refer to the rows that go: group, reference, rows, those that would collide, the keys on which")
	s.add("CREATE TEMPORARY TABLE " + temporary(table) + " (group_no bigint, number integer, rows bigint, dropped bigint, merged bigint) ON COMMIT DROP")
	var rows []string
	for _, g := range p.Groups {
		for _, c := range g.References {
			rows = append(rows, fmt.Sprintf("(%d, %d, %d, %d, %d)", g.Number, c.Number, c.Rows, c.Dropped, c.Merged))
		}
	}
	for part := range slices.Chunk(rows, valuesAStatement) {
		s.add("INSERT INTO " + table + " VALUES\n  " + strings.Join(part, ",\n  "))
	}
	for _, r := range referred {
		s.addAll(r.Prepare)
		s.do("DECLARE bad record;", "BEGIN",
			"  SELECT coalesce(f.group_no, c.group_no) AS group_no, coalesce(c.row_id, 'none') AS row_id, coalesce(c.rows, 0) AS rows, coalesce(c.dropped, 0) AS dropped, coalesce(f.rows, 0) AS foretold INTO bad",
			"  FROM (SELECT * FROM "+table+" AS f WHERE f.number = "+fmt.Sprint(r.Number)+" AND f.group_no IN ("+p.Loaded()+")) AS f",
			"  FULL JOIN ("+r.Counts+") AS c ON c.group_no = f.group_no",
			"  WHERE (coalesce(f.rows, 0), coalesce(f.dropped, 0), coalesce(f.merged, 0)) <> (coalesce(c.rows, 0), coalesce(c.dropped, 0), coalesce(c.merged, 0)) LIMIT 1;",
			"  IF FOUND THEN",
			"    RAISE EXCEPTION 'twinrow: % rows refer to rows of group % that go (row %), % of them would collide, and % were foretold; nothing was changed', bad.rows, bad.group_no, bad.row_id, bad.dropped, bad.foretold;",
			"  END IF;", "END")
	}
}

// step writes one change with its check, and adds it to what is foretold.
func (p Postgres) step(s *script, step Step, foretold string) {
	s.comment(step.Doing)
	s.addAll(step.Prepare)
	effect := "0, twinrow_want, 0"
	if step.Deletes {
		effect = "0, 0, twinrow_want"
	}
	s.do("DECLARE twinrow_want bigint; twinrow_got bigint;", "BEGIN",
		"  SELECT * INTO twinrow_want FROM ("+step.Want+") AS c;",
		step.SQL+";",
		"  GET DIAGNOSTICS twinrow_got = ROW_COUNT;",
		"  IF twinrow_got <> twinrow_want THEN",
		"    RAISE EXCEPTION 'twinrow: % rows were to change, and % did, because a trigger or rule keeps them; nothing was changed', twinrow_want, twinrow_got;",
		"  END IF;",
		"  INSERT INTO "+foretold+" VALUES ("+queries.Literal(PostgresName(step.Table))+", "+effect+"), ("+queries.Literal(p.Changes())+", twinrow_want, 0, 0);",
		"END")
}

// effectsBlock compares what this transaction did to every table with what was foretold.
func (p Postgres) effectsBlock(before, foretold string) []string {
	inserts := "" // what triggers add elsewhere was consented to with fires-triggers
	if p.FiresTriggers() {
		inserts = " AND (did.upd <> 0 OR did.del <> 0)"
	}
	return []string{
		"DECLARE bad record;", "BEGIN",
		"  CREATE TEMPORARY TABLE " + before + "_effects ON COMMIT DROP AS",
		"    SELECT coalesce(known.name, s.relid::pg_catalog.regclass::text) AS name, sum(s.n_tup_ins - coalesce(b.n_tup_ins, 0)) AS ins, sum(s.n_tup_upd - coalesce(b.n_tup_upd, 0)) AS upd, sum(s.n_tup_del - coalesce(b.n_tup_del, 0)) AS del",
		"    FROM pg_catalog.pg_stat_xact_user_tables AS s LEFT JOIN pg_temp." + before + " AS b ON b.relid = s.relid",
		"    LEFT JOIN (SELECT DISTINCT ON (f.relid) f.relid, n.name FROM (SELECT DISTINCT f.name FROM " + foretold + " AS f) AS n CROSS JOIN LATERAL (",
		"      SELECT pg_catalog.to_regclass(n.name)::pg_catalog.oid AS relid UNION SELECT p.relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass(n.name)) AS p) AS f) AS known ON known.relid = s.relid",
		"    WHERE s.schemaname NOT LIKE 'pg\\_temp\\_%' GROUP BY 1;",
		"  SELECT did.* INTO bad FROM pg_temp." + before + "_effects AS did WHERE did.name NOT IN (SELECT f.name FROM " + foretold + " AS f)",
		"    AND (did.ins <> 0 OR did.upd <> 0 OR did.del <> 0)" + inserts + " LIMIT 1;",
		"  IF FOUND THEN",
		"    RAISE EXCEPTION 'twinrow: a foreign key or trigger also changed % (% inserted, % updated, % deleted), which was not foretold; nothing was changed', bad.name, bad.ins, bad.upd, bad.del;",
		"  END IF;",
		"  SELECT f.*, coalesce(did.ins, 0) AS did_ins, coalesce(did.upd, 0) AS did_upd, coalesce(did.del, 0) AS did_del INTO bad",
		"  FROM (SELECT f.name, sum(f.ins) AS ins, sum(f.upd) AS upd, sum(f.del) AS del FROM " + foretold + " AS f GROUP BY f.name) AS f LEFT JOIN pg_temp." + before + "_effects AS did ON did.name = f.name",
		"  WHERE (f.ins, f.upd, f.del) <> (coalesce(did.ins, 0), coalesce(did.upd, 0), coalesce(did.del, 0))",
		"    AND (f.ins, f.upd, f.del) <> (0, coalesce(did.upd + did.ins, 0), coalesce(did.del - did.ins, 0)) LIMIT 1; -- a row that moves to another partition is deleted here and inserted there",
		"  IF FOUND THEN",
		"    RAISE EXCEPTION 'twinrow: % was to have % inserted, % updated and % deleted, and had %, % and %; nothing was changed', bad.name, bad.ins, bad.upd, bad.del, bad.did_ins, bad.did_upd, bad.did_del;",
		"  END IF;", "END",
	}
}

// backs writes the way back of steps. Triggers are kept from changing what is put back.
func (p Postgres) backs(s *script, backs []Back) {
	for _, back := range backs {
		table := queries.Literal(PostgresName(back.Table))
		s.comment("rows of " + back.Table + " as they were, its triggers kept from changing them")
		s.do("DECLARE twinrow_want bigint; twinrow_got bigint; twinrow_lost bigint; twinrow_loud text[] := '{}'; twinrow_one record;", "BEGIN",
			"  FOR twinrow_one IN SELECT g.tgname, CASE g.tgenabled WHEN 'A' THEN 'ALWAYS ' WHEN 'R' THEN 'REPLICA ' ELSE '' END AS mode FROM pg_catalog.pg_trigger AS g",
			"    WHERE g.tgrelid = "+table+"::pg_catalog.regclass AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgparentid = 0 LOOP",
			"    EXECUTE pg_catalog.format('ALTER TABLE %s DISABLE TRIGGER %I', "+table+", twinrow_one.tgname);",
			"    twinrow_loud := twinrow_loud || pg_catalog.format('ALTER TABLE %s ENABLE %sTRIGGER %I', "+table+", twinrow_one.mode, twinrow_one.tgname);",
			"  END LOOP;",
			back.SQL+" INTO twinrow_want, twinrow_got, twinrow_lost;",
			"  IF twinrow_got <> twinrow_want OR twinrow_lost <> 0 THEN",
			"    RAISE EXCEPTION 'twinrow: % of % rows came back, % of them not as they were; somebody changed them since, or a trigger does; nothing was changed', twinrow_got, twinrow_want, twinrow_lost;",
			"  END IF;",
			"  SET CONSTRAINTS ALL IMMEDIATE;",
			"  FOR twinrow_one IN SELECT u.sql FROM unnest(twinrow_loud) AS u (sql) LOOP",
			"    EXECUTE twinrow_one.sql;",
			"  END LOOP;", "END")
	}
}
