-- Whether other sessions worked in this database within the last second; those
-- whose state the role may not see count as such.
-- Parameters: $1 the process numbers of our own sessions. Locks: none.
SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a
    WHERE a.datname = pg_catalog.current_database() AND a.backend_type = 'client backend' AND a.pid <> ALL ($1::int[])
      AND coalesce(a.state_change, 'infinity') > pg_catalog.clock_timestamp() - interval '1 second')
