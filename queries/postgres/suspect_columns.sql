-- Every column of those tables with what statistics know of it: the number of
-- distinct values as pg_stats writes it (negative: a share of the rows), the
-- share of NULLs, the width, the table that a foreign key refers to, and
-- what kind of id the first sampled value looks like (never the value itself).
-- Statistics of tables that the role may not read are not there.
-- Parameters: none.
-- Locks: none.
SELECT a.attrelid::text, a.attname::text, pg_catalog.format_type(a.atttypid, NULL), a.attnotnull::text,
       coalesce(f.refers, ''), s.n_distinct::text, s.null_frac::text, s.avg_width::text,
       coalesce(CASE WHEN s.sample ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN 'uuid'
                     ELSE pg_catalog.substring(s.sample, '^([a-z]{2,6}_)[A-Za-z0-9_]{8,}$') END, '')
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT p.n_distinct, p.null_frac, p.avg_width,
           CASE WHEN p.avg_width BETWEEN 9 AND 63 AND (p.n_distinct < -0.5 OR p.n_distinct > 100)
                 AND a.atttypid IN ('pg_catalog.text'::pg_catalog.regtype, 'pg_catalog.varchar'::pg_catalog.regtype)
                THEN pg_catalog.btrim(pg_catalog.split_part(pg_catalog.left(p.histogram_bounds::text, 64), ',', 1), '{}"') END AS sample
    FROM pg_catalog.pg_stats AS p
    WHERE p.schemaname = n.nspname AND p.tablename = c.relname AND p.attname = a.attname
    ORDER BY p.inherited = c.relhassubclass DESC LIMIT 1 -- also keeps it one look-up a column, whatever the planner thinks
) AS s ON true
LEFT JOIN LATERAL (
    SELECT k.confrelid::pg_catalog.regclass::text AS refers FROM pg_catalog.pg_constraint AS k
    WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND a.attnum = ANY (k.conkey) LIMIT 1
) AS f ON true
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
