-- Fingerprints and places of some rows in some ranges of blocks, one message
-- for each range.
-- Parameters: $1 the ranges' first blocks, $2 the blocks after their last ones,
-- $3 the bits under the mask of the hashes wanted.
-- Placeholders: hash, mask, table, alias, where. Locks: ACCESS SHARE.
-- Returns: the block after the range, and 14 bytes a row: its hash of 8 and its
-- place of 6. A row whose hash is NULL is left out.
SELECT twinrow_range.upto, twinrow_part.prints
FROM ROWS FROM (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::bigint[])) AS twinrow_range(first, upto)
CROSS JOIN LATERAL (
    SELECT pg_catalog.string_agg(pg_catalog.byteacat(pg_catalog.int8send({hash}), pg_catalog.tidsend({alias}.ctid)), NULL) AS prints
    FROM ONLY {table} AS {alias}
    WHERE {alias}.ctid >= pg_catalog.format('(%s,0)', twinrow_range.first)::pg_catalog.tid
      AND {alias}.ctid < pg_catalog.format('(%s,0)', twinrow_range.upto)::pg_catalog.tid
      AND {where}
      AND pg_catalog.int8and({hash}, {mask}) = ANY ($3::bigint[])
) AS twinrow_part
