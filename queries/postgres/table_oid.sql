-- The OID of a table by its quoted name.
-- Parameters: $1 the name. Locks: none.
SELECT pg_catalog.to_regclass($1)::pg_catalog.oid
