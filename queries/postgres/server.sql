-- What the server is; the last field is how many seconds ago the newest
-- transaction that a standby has replayed was committed, and is 0 where it has
-- replayed all that it was sent.
-- Parameters: none. Locks: none.
SELECT pg_catalog.current_setting('server_version'),
       pg_catalog.current_setting('server_version_num'),
       pg_catalog.current_database(),
       (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()),
       pg_catalog.current_setting('track_commit_timestamp'),
       pg_catalog.pg_is_in_recovery(),
       (SELECT s.setting::bigint FROM pg_catalog.pg_settings AS s WHERE s.name = 'shared_buffers')
           * pg_catalog.current_setting('block_size')::bigint,
       pg_catalog.current_setting('block_size'),
       pg_catalog.quote_ident(current_user::text),
       pg_catalog.getdatabaseencoding() = 'UTF8',
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN
           CASE WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() THEN 0
                ELSE pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) END END
