-- Lets other sessions see what this transaction sees.
-- Parameters: none. Locks: none.
SELECT pg_catalog.pg_export_snapshot()
