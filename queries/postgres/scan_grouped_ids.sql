-- Ids of all rows whose key is there more than once, found by the database
-- itself, group after group. For keys of a type without a hash in rows
-- without a place.
-- Placeholders: ids, parts, table, alias, where, group, known. Locks: ACCESS SHARE.
SELECT s.*
FROM (
    SELECT pg_catalog.dense_rank() OVER (ORDER BY {group}) AS twinrow_number,
           pg_catalog.count(*) OVER (PARTITION BY {group}) AS twinrow_copies, k.*
    FROM (SELECT {ids}, {parts} FROM {table} AS {alias} WHERE {where}) AS k
    WHERE {known}
) AS s
WHERE s.twinrow_copies > 1
ORDER BY s.twinrow_number
