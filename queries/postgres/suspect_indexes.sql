-- The key columns of every unique index of those tables, one row for each.
-- A collation is stale where the version recorded is not the actual one; the
-- database's own collation is answered by suspect_database.
-- Parameters: none.
-- Locks: none.
SELECT i.indrelid::text, ic.relname::text, coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), ''),
       i.indisprimary::text, (i.indisvalid AND i.indislive)::text, (i.indisready AND i.indislive)::text,
       CASE WHEN i.indisprimary OR i.indnkeyatts = 1 THEN 'false'
            ELSE coalesce(pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct', 'false') END,
       CASE WHEN a.attnum IS NULL THEN pg_catalog.pg_get_indexdef(i.indexrelid, k.place::int, false) ELSE a.attname::text END,
       (a.attnum IS NULL)::text,
       coalesce(l.collname::text, ''),
       CASE WHEN l.collprovider <> 'd' THEN coalesce(l.collversion, '') ELSE '' END,
       CASE WHEN l.collprovider <> 'd' THEN coalesce(pg_catalog.pg_collation_actual_version(l.oid), '') ELSE '' END,
       coalesce(l.collprovider::text = 'd', false)::text
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL ROWS FROM (
    pg_catalog.unnest(i.indkey::int2[]), pg_catalog.unnest(i.indcollation::oid[])
) WITH ORDINALITY AS k(attnum, own, place)
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0
LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = k.own
WHERE i.indisunique AND k.place <= i.indnkeyatts
  AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
ORDER BY i.indrelid, ic.relname, k.place
