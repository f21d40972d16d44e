-- The transactions that wrote the rows at some places, and when each of them
-- committed where the server kept that.
-- Parameters: $1 places.
-- Placeholders: table, alias, committed. Locks: ACCESS SHARE.
SELECT {alias}.tableoid, {alias}.ctid, {alias}.xmin, {committed}
FROM {table} AS {alias}
WHERE {alias}.ctid = ANY ($1::pg_catalog.tid[])
