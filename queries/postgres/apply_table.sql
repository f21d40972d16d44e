-- What a table is, and what the role may do with it.
-- Parameters: $1 schema or '' for the search path, $2 name. Locks: none.
SELECT c.oid, n.nspname::text, c.relkind::text,
       c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid) AS has_children,
       c.relhasrules AS has_rules,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owns,
       pg_catalog.has_table_privilege(c.oid, 'SELECT') AS selects,
       pg_catalog.has_table_privilege(c.oid, 'INSERT') AS inserts,
       pg_catalog.has_table_privilege(c.oid, 'DELETE') AS deletes,
       pg_catalog.has_schema_privilege(n.oid, 'CREATE') AS creates,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY') AS temporary,
       pg_catalog.current_setting('session_replication_role') = 'origin' AS origin,
       pg_catalog.current_setting('track_counts') = 'on' AS counts
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = $2::text AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND CASE WHEN $1::text = '' THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = $1::text END
