-- A share of a foreign table's fingerprints in one message. Its server works
-- them out by itself where it is a Postgres: all of this is in the form that
-- postgres_fdw hands on.
-- Parameters: $1 the number of shares less one, which is a power of two, and
-- $2 the share.
-- Placeholders: hash, parts, table, alias, where, known. Locks: ACCESS SHARE.
-- Returns: hashes of 8 bytes each.
SELECT pg_catalog.string_agg(pg_catalog.int8send({hash}), ''::bytea)
FROM (SELECT {parts} FROM ONLY {table} AS {alias} WHERE {where}) AS k
WHERE {known} AND {hash} & $1::bigint = $2::bigint
