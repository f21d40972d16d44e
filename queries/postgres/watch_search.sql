-- The places of all rows with some fingerprints, wherever in the table: of
-- keys whose rows are not all where they were.
-- Parameters: $1 the fingerprints.
-- Placeholders: hash, table, alias, where. Locks: ACCESS SHARE.
SELECT {hash}, {alias}.tableoid, {alias}.ctid
FROM {table} AS {alias}
WHERE {where} AND {hash} = ANY ($1::bigint[])
