-- Places of all rows whose key is there more than once, found by the database
-- itself, group after group. For keys of a type without a hash.
-- Placeholders: parts, table, alias, where, group, known. Locks: ACCESS SHARE.
SELECT s.heap, s.place, s.number
FROM (
    SELECT k.twinrow_heap AS heap, k.twinrow_place AS place,
           pg_catalog.count(*) OVER (PARTITION BY {group}) AS copies,
           pg_catalog.dense_rank() OVER (ORDER BY {group}) AS number
    FROM (SELECT {alias}.tableoid AS twinrow_heap, {alias}.ctid AS twinrow_place, {parts}
          FROM {table} AS {alias} WHERE {where}) AS k
    WHERE {known}
) AS s
WHERE s.copies > 1
ORDER BY s.number
