-- Which database this is, without the number of the cluster, which not every
-- role may ask for.
-- Parameters: none. Locks: none.
SELECT pg_catalog.current_database(),
       (SELECT d.oid::text FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()),
       pg_catalog.pg_is_in_recovery()
