-- The fingerprints and places of all rows in some short ranges of blocks.
-- Parameters: $1 the ranges' first blocks, $2 how many blocks each has.
-- Placeholders: hash, table, alias, where. Locks: ACCESS SHARE.
-- OFFSET 0 keeps each range a scan of its own.
SELECT twinrow_part.*
FROM pg_catalog.unnest($1::bigint[]) AS twinrow_range(block)
CROSS JOIN LATERAL (
    SELECT {hash}, {alias}.ctid
    FROM ONLY {table} AS {alias}
    WHERE {alias}.ctid >= pg_catalog.format('(%s,0)', twinrow_range.block)::pg_catalog.tid
      AND {alias}.ctid < pg_catalog.format('(%s,0)', twinrow_range.block + $2::bigint)::pg_catalog.tid
      AND {where}
    OFFSET 0
) AS twinrow_part
