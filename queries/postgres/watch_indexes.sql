-- The first key column of each usable index, by name or as the catalogue
-- prints the expression, with the index's kind and predicate.
-- Parameters: $1 the table's OID.
-- Locks: none.
SELECT CASE WHEN a.attnum IS NULL THEN pg_catalog.pg_get_indexdef(i.indexrelid, 1, false) ELSE a.attname::text END,
       a.attnum IS NULL AS expression,
       am.amname,
       coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '')
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
JOIN pg_catalog.pg_am AS am ON am.oid = ic.relam
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attnum > 0
WHERE i.indrelid = $1::oid AND i.indisvalid AND i.indisready
