-- Where the rows of another table lie that refer to the rows at some places.
-- Parameters: $1 places.
-- Placeholders: table, alias, child, on. Locks: ACCESS SHARE on both tables.
SELECT {alias}.tableoid, {alias}.ctid, twinrow_child.tableoid, twinrow_child.ctid
FROM {table} AS {alias}
JOIN {child} AS twinrow_child ON {on}
WHERE {alias}.ctid = ANY ($1::pg_catalog.tid[])
