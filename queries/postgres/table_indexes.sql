-- The indexes of a table, each with its definition, and why it could not be
-- dropped and built again exactly as it is, '' where it could.
-- Parameters: $1 the table's OID.
-- Locks: none.
SELECT c.relname::text, pg_catalog.pg_get_indexdef(c.oid), CASE
    WHEN k.conname IS NOT NULL THEN 'the constraint ' || k.conname || ' needs it'
    WHEN c.relkind <> 'i' OR c.relispartition THEN 'it is of a partitioned table'
    WHEN NOT i.indisvalid THEN 'it is INVALID'
    WHEN i.indisreplident THEN 'it is the table''s replica identity'
    WHEN i.indisclustered THEN 'the table is clustered by it'
    WHEN c.reltablespace <> 0 THEN 'it lies in a tablespace of its own'
    WHEN pg_catalog.obj_description(c.oid, 'pg_class') IS NOT NULL THEN 'it has a comment, which would be lost'
    WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND coalesce(a.attstattarget, -1) >= 0) THEN 'it has statistics targets, which would be lost'
    WHEN EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype IN ('e', 'x')) THEN 'an extension needs it'
    ELSE '' END
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
LEFT JOIN LATERAL (SELECT k.conname FROM pg_catalog.pg_constraint AS k WHERE k.conindid = c.oid ORDER BY k.conname LIMIT 1) AS k ON true
WHERE i.indrelid = $1::oid
ORDER BY 1
