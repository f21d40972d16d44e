-- Which of the rows at some places the arrays of another table name together,
-- and how many of its rows do so.
-- Parameters: $1 numbers for the rows, $2 the heaps' OIDs and $3 their places.
-- Placeholders: table, alias, id (the row's id), child (heap, place, ids). Locks: ACCESS SHARE on both tables.
SELECT l.named, l.deep, pg_catalog.count(*)
FROM (
    SELECT pg_catalog.string_agg(w.n::pg_catalog.text, ',' ORDER BY w.n) AS named, pg_catalog.array_ndims(c.ids) > 1 AS deep
    FROM {child} AS c
    CROSS JOIN LATERAL pg_catalog.unnest(c.ids) AS e (id)
    JOIN (
        SELECT g.n, {id}::pg_catalog.text AS id
        FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.int4[]), pg_catalog.unnest($2::pg_catalog.oid[]), pg_catalog.unnest($3::pg_catalog.tid[])) AS g (n, heap, place)
        JOIN {table} AS {alias} ON {alias}.ctid = g.place AND {alias}.tableoid = g.heap
    ) AS w ON w.id = e.id::pg_catalog.text
    GROUP BY c.heap, c.place, pg_catalog.array_ndims(c.ids)
) AS l
GROUP BY l.named, l.deep
ORDER BY l.named, l.deep
