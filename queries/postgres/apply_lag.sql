-- How far behind the slowest standby is in replaying, in microseconds; one that
-- has nothing left to replay counts as 0.
-- Parameters: none. Locks: none. A role without pg_read_all_stats (in
-- pg_monitor) sees the standbys and not their state: those are counted as hidden.
SELECT count(*) FILTER (WHERE r.state IS NULL),
       coalesce((extract(epoch FROM max(r.replay_lag)) * 1000000)::bigint, 0)
FROM pg_catalog.pg_stat_replication AS r
