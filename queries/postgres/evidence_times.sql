-- Counts the rows of some ranges of blocks by the time column in buckets, and
-- finds the newest row: a line a range and bucket, 0 for what lies before the
-- first bound and the number of bounds for what lies behind the last.
-- Parameters: $1 the buckets' bounds in order, $2 the time after which a row is
-- in the future, $3 the ranges' first blocks, $4 the blocks after their last ones.
-- Placeholders: table, alias, column, where. Locks: ACCESS SHARE.
SELECT twinrow_part.*, twinrow_range.upto
FROM ROWS FROM (pg_catalog.unnest($3::bigint[]), pg_catalog.unnest($4::bigint[])) AS twinrow_range(first, upto)
CROSS JOIN LATERAL (
    SELECT pg_catalog.width_bucket({alias}.{column}::timestamptz, $1::timestamptz[]), pg_catalog.count(*), pg_catalog.max({alias}.{column}::timestamptz)
    FROM ONLY {table} AS {alias}
    WHERE {alias}.ctid >= pg_catalog.format('(%s,0)', twinrow_range.first)::pg_catalog.tid
      AND {alias}.ctid < pg_catalog.format('(%s,0)', twinrow_range.upto)::pg_catalog.tid
      AND {where}
      AND {alias}.{column}::timestamptz > '-infinity' AND {alias}.{column}::timestamptz <= $2::timestamptz
    GROUP BY 1
) AS twinrow_part
