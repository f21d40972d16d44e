-- What writes the time column, what the statistics counted for the table and
-- all tables below it since they began, and whether they may lag behind: a
-- session hands its counts over at the latest when it was idle for 10 seconds.
-- Parameters: $1 the table's OID, $2 the time column's name or ''.
-- Locks: none that last.
WITH RECURSIVE tree AS (
    SELECT $1::oid AS oid
    UNION
    SELECT i.inhrelid FROM tree AS t JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.oid
)
SELECT coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), ''),
       coalesce(pg_catalog.format_type(a.atttypid, a.atttypmod), ''),
       s.inserted, s.updated, s.deleted,
       EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS o
               WHERE o.datname = pg_catalog.current_database() AND o.backend_type = 'client backend'
                 AND o.application_name <> 'twinrow/scan'
                 AND coalesce(o.state_change > pg_catalog.clock_timestamp() - interval '11 s', true))
FROM (SELECT sum(pg_catalog.pg_stat_get_tuples_inserted(tree.oid)) AS inserted,
             sum(pg_catalog.pg_stat_get_tuples_updated(tree.oid)) AS updated,
             sum(pg_catalog.pg_stat_get_tuples_deleted(tree.oid)) AS deleted
      FROM tree) AS s
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = $1::oid AND a.attname = $2::text AND a.attnum > 0
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
