-- The number that tells this cluster from every other.
-- Parameters: none. Locks: none. Fails where the role may not call the function.
SELECT system_identifier FROM pg_catalog.pg_control_system()
