-- Whether the columns of two rows are the same by the database's own equality,
-- for each pair of places.
-- Parameters: $1 and $2 the first rows' heaps and places, $3 and $4 the second ones'.
-- Placeholders: table, same. Locks: ACCESS SHARE.
SELECT p.number, {same}
FROM ROWS FROM (
    pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::pg_catalog.tid[]),
    pg_catalog.unnest($3::oid[]), pg_catalog.unnest($4::pg_catalog.tid[])
) WITH ORDINALITY AS p(heap_a, place_a, heap_b, place_b, number)
JOIN {table} AS twinrow_a ON twinrow_a.ctid = p.place_a AND twinrow_a.tableoid = p.heap_a
JOIN {table} AS twinrow_b ON twinrow_b.ctid = p.place_b AND twinrow_b.tableoid = p.heap_b
