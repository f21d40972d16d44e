-- What the server is.
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
       pg_catalog.getdatabaseencoding() = 'UTF8'
