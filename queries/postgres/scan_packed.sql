-- Fingerprints of the rows in a stretch of blocks, one message for each range
-- of it.
-- Parameters: $1 first block, $2 the block after the last, $3 blocks a range.
-- Placeholders: hash, times, table, alias, where. Locks: ACCESS SHARE.
-- Returns: rows seen, the hashes of 8 bytes each, and of a time column how many
-- rows have a time, the least and the greatest. A row whose hash is NULL is only
-- counted. The hash stands once, so that it is worked out once a row; a
-- sub-select around it would cost a third more. Places are not sent: they would
-- cost half as much again, and few are needed.
SELECT twinrow_part.*
FROM pg_catalog.generate_series($1::bigint, $2::bigint - 1, $3::bigint) AS twinrow_range(block)
CROSS JOIN LATERAL (
    SELECT pg_catalog.count(*), pg_catalog.string_agg(pg_catalog.int8send({hash}), NULL){times}
    FROM ONLY {table} AS {alias}
    WHERE {alias}.ctid >= pg_catalog.format('(%s,0)', twinrow_range.block)::pg_catalog.tid
      AND {alias}.ctid < pg_catalog.format('(%s,0)', least(twinrow_range.block + $3::bigint, $2::bigint))::pg_catalog.tid
      AND {where}
) AS twinrow_part
