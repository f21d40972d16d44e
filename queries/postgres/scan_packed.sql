-- Fingerprints and places of the rows in a stretch of blocks, one message for
-- each range of it.
-- Parameters: $1 first block, $2 the block after the last, $3 blocks a range.
-- Placeholders: hash, table, alias, where. Locks: ACCESS SHARE.
-- Returns: rows seen, hashes of 8 bytes each, places of 6 bytes each; a row
-- whose hash is NULL is only counted.
SELECT twinrow_part.seen, twinrow_part.hashes, twinrow_part.places
FROM pg_catalog.generate_series($1::bigint, $2::bigint - 1, $3::bigint) AS twinrow_range(block)
CROSS JOIN LATERAL (
    SELECT pg_catalog.count(*) AS seen,
           pg_catalog.string_agg(pg_catalog.int8send(s.hash), ''::bytea) AS hashes,
           pg_catalog.string_agg(pg_catalog.tidsend(s.place), ''::bytea) FILTER (WHERE s.hash IS NOT NULL) AS places
    FROM (
        SELECT {hash} AS hash, {alias}.ctid AS place
        FROM ONLY {table} AS {alias}
        WHERE {alias}.ctid >= pg_catalog.format('(%s,0)', twinrow_range.block)::pg_catalog.tid
          AND {alias}.ctid < pg_catalog.format('(%s,0)', least(twinrow_range.block + $3::bigint, $2::bigint))::pg_catalog.tid
          AND {where}
        OFFSET 0   -- so that the hash is worked out once a row
    ) AS s
) AS twinrow_part
