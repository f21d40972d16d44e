-- What writes the time column, and what the statistics counted for the table
-- and all tables below it since they began.
-- Parameters: $1 the table's OID, $2 the time column's name or ''.
-- Locks: none that last.
WITH RECURSIVE tree AS (
    SELECT $1::oid AS oid
    UNION
    SELECT i.inhrelid FROM tree AS t JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.oid
)
SELECT coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), ''),
       coalesce(pg_catalog.format_type(a.atttypid, a.atttypmod), ''),
       s.inserted, s.updated, s.deleted
FROM (SELECT sum(pg_catalog.pg_stat_get_tuples_inserted(tree.oid)) AS inserted,
             sum(pg_catalog.pg_stat_get_tuples_updated(tree.oid)) AS updated,
             sum(pg_catalog.pg_stat_get_tuples_deleted(tree.oid)) AS deleted
      FROM tree) AS s
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = $1::oid AND a.attname = $2::text AND a.attnum > 0
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
