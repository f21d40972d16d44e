-- Groups candidate rows by the database's own equality: for each key that is
-- there more than once the heaps and places of its rows, 10 bytes each.
-- Parameters: $1 places. A place may be in several heaps; the caller drops
-- what it did not ask for.
-- Placeholders: parts, table, alias, group, known. Locks: ACCESS SHARE.
SELECT pg_catalog.string_agg(pg_catalog.oidsend(k.twinrow_heap) || pg_catalog.tidsend(k.twinrow_place), ''::bytea)
FROM (SELECT {alias}.tableoid AS twinrow_heap, {alias}.ctid AS twinrow_place, {parts}
      FROM {table} AS {alias} WHERE {alias}.ctid = ANY ($1::pg_catalog.tid[])) AS k
WHERE {known}
GROUP BY {group}
HAVING pg_catalog.count(*) > 1
