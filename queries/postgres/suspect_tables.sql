-- Every table that holds a person's rows, with its estimated number of rows;
-- partitions are left to their parents, and a parent has the rows of all below
-- it. -1 is a table that was never counted.
-- Parameters: none.
-- Locks: none.
WITH RECURSIVE tree AS (
    SELECT i.inhparent AS root, i.inhrelid AS oid FROM pg_catalog.pg_inherits AS i
    UNION
    SELECT t.root, i.inhrelid FROM tree AS t JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.oid
), counted AS (
    SELECT c.oid,
           CASE WHEN c.relkind = 'p' THEN -1 -- no rows of its own
                WHEN c.reltuples > 0 THEN c.reltuples::bigint
                WHEN pg_catalog.pg_stat_get_live_tuples(c.oid) > 0 THEN pg_catalog.pg_stat_get_live_tuples(c.oid)
                WHEN pg_catalog.pg_stat_get_last_analyze_time(c.oid) IS NOT NULL OR pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid) IS NOT NULL THEN 0
                ELSE -1 END AS rows
    FROM pg_catalog.pg_class AS c
    WHERE c.relkind IN ('r', 'p')
), below AS (
    SELECT t.root, pg_catalog.sum(greatest(k.rows, 0)) AS rows, pg_catalog.max(k.rows) AS most
    FROM tree AS t JOIN counted AS k ON k.oid = t.oid
    GROUP BY t.root
)
SELECT c.oid::text,
       pg_catalog.format('%I.%I', n.nspname, c.relname),
       c.relname::text,
       CASE WHEN greatest(k.rows, b.most) >= 0 THEN greatest(k.rows, 0) + coalesce(b.rows, 0) ELSE -1 END::bigint::text
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN counted AS k ON k.oid = c.oid
LEFT JOIN below AS b ON b.root = c.oid
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
