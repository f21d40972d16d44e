-- The user's own triggers of a table and of its partitions, and by which they
-- are fired; rules too, as they do something beside or instead.
-- Parameters: $1 the table's OID.
-- Locks: none.
WITH RECURSIVE tree AS (
    SELECT $1::oid AS oid
    UNION
    SELECT i.inhrelid FROM tree AS t JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.oid
)
SELECT CASE WHEN g.tgrelid = $1::oid THEN g.tgname::text ELSE pg_catalog.format('%s of %s', g.tgname, g.tgrelid::pg_catalog.regclass) END,
       (g.tgtype & 12) <> 0 AS by_insert_or_delete,   -- 4 INSERT, 8 DELETE
       (g.tgtype & 16) <> 0 AS by_update
FROM tree JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = tree.oid
WHERE NOT g.tgisinternal AND NOT pg_catalog.starts_with(g.tgname::text, 'twinrow_fence_') AND g.tgenabled <> 'D'
  AND (g.tgrelid = $1::oid OR NOT EXISTS (   -- the parent's own, as each partition has it
      SELECT FROM pg_catalog.pg_trigger AS o WHERE o.tgrelid = $1::oid AND o.tgname = g.tgname AND o.tgfoid = g.tgfoid))
UNION ALL
SELECT 'the rule ' || r.rulename, r.ev_type IN ('3', '4'), r.ev_type = '2'   -- 2 UPDATE, 3 INSERT, 4 DELETE
FROM pg_catalog.pg_rewrite AS r
WHERE r.ev_class = $1::oid AND r.ev_type <> '1' AND r.ev_enabled <> 'D'
ORDER BY 1
