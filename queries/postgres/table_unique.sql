-- Valid unique indexes, one row for each of their key columns: the column or
-- expression as the catalogue prints it, whether it lets NULLs repeat, whether
-- its notion of equality is the column's own, and whether to the index all
-- NULLs are equal.
-- Parameters: $1 the table's OID.
-- Locks: none.
SELECT ic.relname,
       coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), ''),
       CASE WHEN a.attnum IS NULL THEN pg_catalog.pg_get_indexdef(i.indexrelid, k.place::int, false) ELSE a.attname::text END,
       a.attnum IS NULL AS expression,
       coalesce(a.attnotnull, false) OR coalesce(pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct', 'false')::boolean AS forbids_null_twice,
       o.opcdefault AND (a.attnum IS NULL OR k.own = a.attcollation
           OR coalesce(own.collisdeterministic AND col.collisdeterministic, false)) AS same_equality,
       coalesce(pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct', 'false')::boolean AS nulls_equal
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
CROSS JOIN LATERAL ROWS FROM (
    pg_catalog.unnest(i.indkey::int2[]), pg_catalog.unnest(i.indclass::oid[]), pg_catalog.unnest(i.indcollation::oid[])
) WITH ORDINALITY AS k(attnum, opclass, own, place)
JOIN pg_catalog.pg_opclass AS o ON o.oid = k.opclass
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0
LEFT JOIN pg_catalog.pg_collation AS own ON own.oid = k.own
LEFT JOIN pg_catalog.pg_collation AS col ON col.oid = a.attcollation
WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indisready
  AND k.place <= i.indnkeyatts
ORDER BY ic.relname, k.place
