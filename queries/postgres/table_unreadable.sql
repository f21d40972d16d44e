-- The columns of a table that we may not read, in it or in one of the tables
-- that hold its rows: what is read of those by themselves needs the right there.
-- Parameters: $1 the table's OID.
-- Locks: none.
WITH RECURSIVE tree AS (
    SELECT $1::oid AS oid
    UNION
    SELECT i.inhrelid FROM tree AS t JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.oid
)
SELECT a.attname,
       pg_catalog.quote_ident(a.attname),
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
FROM pg_catalog.pg_attribute AS a
CROSS JOIN tree AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  AND NOT pg_catalog.has_column_privilege(t.oid, a.attname::text, 'SELECT')
ORDER BY c.oid, a.attnum
