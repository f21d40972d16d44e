-- Where the rows lie that refer by a foreign key to rows at some places of any table.
-- Parameters: $1 the heaps' OIDs and $2 the places.
-- Placeholders: table, child, on. Locks: ACCESS SHARE on both tables.
SELECT r.number, c.tableoid, c.ctid
FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.tid[])) WITH ORDINALITY AS r (heap, place, number)
JOIN {table} AS p ON p.ctid = r.place AND p.tableoid = r.heap
JOIN {child} AS c ON {on}
