-- How many rows of another table refer to the rows at some places.
-- Parameters: $1 places.
-- Placeholders: table, alias, child, on. Locks: ACCESS SHARE on both tables.
SELECT {alias}.tableoid, {alias}.ctid, pg_catalog.count(*)
FROM {table} AS {alias}
JOIN {child} AS twinrow_child ON {on}
WHERE {alias}.ctid = ANY ($1::pg_catalog.tid[])
GROUP BY 1, 2
