-- The number that tells this cluster from every other.
-- Parameters: none. Locks: none. Fails where the role may not call the function.
SELECT c.system_identifier::text FROM pg_catalog.pg_control_system() AS c
