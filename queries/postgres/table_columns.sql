-- The table's columns in order; the last field is the place in the primary
-- key, 0 for none.
-- Parameters: $1 the table's OID.
-- Locks: none.
SELECT a.attname,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       a.attnotnull,
       a.attgenerated <> '',
       CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by-default' ELSE '' END,
       coalesce(pg_catalog.array_position(p.indkey::int2[], a.attnum), -1) + 1
FROM pg_catalog.pg_attribute AS a
LEFT JOIN pg_catalog.pg_index AS p ON p.indrelid = a.attrelid AND p.indisprimary
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
