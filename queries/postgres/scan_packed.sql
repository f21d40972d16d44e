-- Fingerprints and places of the rows in a stretch of blocks, one message for
-- each range of it.
-- Parameters: $1 first block, $2 the block after the last, $3 blocks a range.
-- Placeholders: hash, table, alias, where. Locks: ACCESS SHARE.
-- Returns: rows seen, and 14 bytes for each: its hash of 8 and its place of 6.
-- A row whose hash is NULL is only counted. The hash stands once, so that it is
-- worked out once a row; a sub-select around it would cost a third more.
SELECT twinrow_part.seen, twinrow_part.prints
FROM pg_catalog.generate_series($1::bigint, $2::bigint - 1, $3::bigint) AS twinrow_range(block)
CROSS JOIN LATERAL (
    SELECT pg_catalog.count(*) AS seen,
           pg_catalog.string_agg(pg_catalog.byteacat(pg_catalog.int8send({hash}), pg_catalog.tidsend({alias}.ctid)), ''::bytea) AS prints
    FROM ONLY {table} AS {alias}
    WHERE {alias}.ctid >= pg_catalog.format('(%s,0)', twinrow_range.block)::pg_catalog.tid
      AND {alias}.ctid < pg_catalog.format('(%s,0)', least(twinrow_range.block + $3::bigint, $2::bigint))::pg_catalog.tid
      AND {where}
) AS twinrow_part
