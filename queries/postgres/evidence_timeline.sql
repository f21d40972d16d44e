-- Counts the rows of a stretch of blocks by the time column in buckets, and
-- finds the newest row: a line a bucket, 0 for what lies before the first bound
-- and the number of bounds for what lies behind the last.
-- Parameters: $1 the buckets' bounds in order, $2 the time after which a row is
-- in the future.
-- Placeholders: table, only, alias, column, stretch, where. Locks: ACCESS SHARE.
SELECT pg_catalog.width_bucket({alias}.{column}::timestamptz, $1::timestamptz[]), pg_catalog.count(*), pg_catalog.max({alias}.{column}::timestamptz)
FROM {only}{table} AS {alias}
WHERE {stretch} AND {where}
  AND {alias}.{column}::timestamptz > '-infinity' AND {alias}.{column}::timestamptz <= $2::timestamptz
GROUP BY 1
