-- The relation that has the name of an index, and its comment.
-- Parameters: $1 the quoted name. Locks: none.
SELECT coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '')
FROM pg_catalog.pg_class AS c WHERE c.oid = pg_catalog.to_regclass($1::text)
