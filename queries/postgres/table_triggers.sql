-- The user's own triggers of a table, and by which they are fired.
-- Parameters: $1 the table's OID.
-- Locks: none.
SELECT g.tgname,
       (g.tgtype & 12) <> 0 AS by_insert_or_delete,   -- 4 INSERT, 8 DELETE
       (g.tgtype & 16) <> 0 AS by_update
FROM pg_catalog.pg_trigger AS g
WHERE g.tgrelid = $1::oid AND NOT g.tgisinternal AND NOT pg_catalog.starts_with(g.tgname::text, 'twinrow_fence_') AND g.tgenabled <> 'D'
ORDER BY g.tgname
