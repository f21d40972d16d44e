-- Makes a connection that builds indexes a good neighbour: one process builds,
-- and sorts in little memory. Larger sorts end a little earlier, and what others
-- do beside them takes longer all the while.
-- Parameters: none. Locks: none.
SELECT pg_catalog.set_config(s.name, w.value, false)
FROM (VALUES ('max_parallel_maintenance_workers', '0', 0), ('maintenance_work_mem', '32MB', 32 * 1024)) AS w(name, value, most)
JOIN pg_catalog.pg_settings AS s ON s.name = w.name
WHERE s.setting::bigint > w.most
