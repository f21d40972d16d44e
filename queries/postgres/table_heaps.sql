-- The heaps, views and foreign tables that hold the table's rows: itself, or its partitions and the
-- tables that inherit from it, with what we may do there.
-- Parameters: $1 the table's OID.
-- Locks: none that last.
WITH RECURSIVE tree AS (
    SELECT $1::oid AS oid
    UNION
    SELECT i.inhrelid FROM tree AS t JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.oid
)
SELECT c.oid,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
       c.relkind,
       coalesce(am.amname, ''),
       pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
       pg_catalog.quote_ident(n.nspname),
       pg_catalog.has_table_privilege(c.oid, 'SELECT'),
       pg_catalog.row_security_active(c.oid),
       coalesce(pg_catalog.pg_relation_size(c.oid), 0),
       greatest(c.reltuples, 0)::bigint,
       c.relpersistence = 't' AND n.oid <> pg_catalog.pg_my_temp_schema(),
       c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery(),
       pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
FROM tree AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
ORDER BY c.oid
