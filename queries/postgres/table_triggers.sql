-- The user's own triggers that an INSERT or a DELETE here would fire.
-- Parameters: $1 the table's OID.
-- Locks: none.
SELECT g.tgname
FROM pg_catalog.pg_trigger AS g
WHERE g.tgrelid = $1::oid AND NOT g.tgisinternal AND NOT pg_catalog.starts_with(g.tgname::text, 'twinrow_fence_') AND g.tgenabled <> 'D'
  AND (g.tgtype & 12) <> 0   -- 4 INSERT, 8 DELETE
ORDER BY g.tgname
