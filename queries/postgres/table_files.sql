-- The files that heaps lie in: another one means that a table was written anew,
-- and that its rows are at other places.
-- Parameters: $1 the heaps' OIDs. Locks: none.
SELECT coalesce(pg_catalog.pg_relation_filenode(u.oid)::text, '')
FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS u(oid, place)
ORDER BY u.place
