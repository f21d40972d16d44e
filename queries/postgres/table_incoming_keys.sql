-- Foreign keys that refer to the table, one row for each pair of columns.
-- Those that partitioning made from another of the list are left out.
-- Parameters: $1 the table's OID.
-- Locks: none.
SELECT k.conname,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
       CASE k.confdeltype WHEN 'a' THEN 'no action' WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade'
                          WHEN 'n' THEN 'set null' ELSE 'set default' END,
       theirs.attname, ours.attname, k.oid
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL ROWS FROM (
    pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)
) WITH ORDINALITY AS pair(theirs, ours, place)
JOIN pg_catalog.pg_attribute AS theirs ON theirs.attrelid = k.conrelid AND theirs.attnum = pair.theirs
JOIN pg_catalog.pg_attribute AS ours ON ours.attrelid = k.confrelid AND ours.attnum = pair.ours
WHERE k.contype = 'f' AND k.confrelid = $1::oid
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_constraint AS parent
      WHERE parent.oid = k.conparentid AND parent.confrelid = k.confrelid)
ORDER BY n.nspname, c.relname, k.conname, k.oid, pair.place
