-- What the role may do with other tables that a plan changes.
-- Parameters: $1 their quoted names. Locks: none.
SELECT n.name,
       pg_catalog.has_table_privilege(pg_catalog.to_regclass(n.name)::pg_catalog.oid, 'SELECT'),
       pg_catalog.has_table_privilege(pg_catalog.to_regclass(n.name)::pg_catalog.oid, 'UPDATE'),
       pg_catalog.has_table_privilege(pg_catalog.to_regclass(n.name)::pg_catalog.oid, 'INSERT'),
       pg_catalog.has_table_privilege(pg_catalog.to_regclass(n.name)::pg_catalog.oid, 'DELETE')
FROM pg_catalog.unnest($1::text[]) AS n (name)
WHERE pg_catalog.to_regclass(n.name) IS NOT NULL
