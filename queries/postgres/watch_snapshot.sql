-- The oldest transaction that may still be running: what it and later ones
-- wrote may not be seen yet, what earlier ones wrote is seen from now on.
-- Locks: none.
SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text
