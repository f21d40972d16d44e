-- Fingerprints and ids of the rows with some fingerprints: the second reading
-- of a table whose rows have no place. Where another server would work a
-- fingerprint out in its own way, the barrier OFFSET 0 keeps that here.
-- Parameters: $1 the fingerprints' lower 47 bits.
-- Placeholders: hash, ids, parts, table, alias, where, barrier, known. Locks: ACCESS SHARE.
SELECT {hash}, k.*
FROM (SELECT {ids}, {parts} FROM {table} AS {alias} WHERE {where} {barrier}) AS k
WHERE {known} AND ({hash} & 140737488355327) = ANY ($1::bigint[])
