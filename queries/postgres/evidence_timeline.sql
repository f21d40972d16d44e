-- Counts rows by the time column in buckets of one width, and finds the newest
-- row: one reading of the table, a line a bucket, -1 for what lies before and
-- the number of buckets for what lies behind.
-- Parameters: $1 the first bucket's start, $2 the width in microseconds, $3 the
-- number of buckets, $4 the time after which a row is in the future.
-- Placeholders: table, alias, column, where. Locks: ACCESS SHARE.
SELECT greatest(-1, least($3::bigint,
           floor(extract(epoch FROM r.at - $1::timestamptz) * 1000000 / $2::bigint)::bigint)) AS bucket,
       pg_catalog.count(*), pg_catalog.max(r.at)
FROM (SELECT {alias}.{column}::timestamptz AS at FROM {table} AS {alias} WHERE {where}) AS r
WHERE pg_catalog.isfinite(r.at) AND r.at <= $4::timestamptz
GROUP BY 1
