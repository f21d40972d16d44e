-- The version of the database's own collation, recorded and actual; both are
-- there from PostgreSQL 15 on.
-- Parameters: none.
-- Locks: none.
SELECT d.datcollate::text, coalesce(d.datcollversion, ''), coalesce(pg_catalog.pg_database_collation_actual_version(d.oid), '')
FROM pg_catalog.pg_database AS d
WHERE d.datname = pg_catalog.current_database()
