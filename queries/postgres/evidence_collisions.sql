-- How many keys of a unique index of a child several rows would have, and how
-- many rows would be too many, if all that refers to a group of rows referred
-- to one of them.
-- Parameters: $1 the numbers of the groups, $2 the heaps' OIDs and $3 the
-- places of their rows.
-- Placeholders: table, alias, child, on, rest (what the key holds beside the
-- columns that refer, of c), names (its columns), condition (on it). Locks: ACCESS SHARE on both tables.
SELECT d.group_no, pg_catalog.count(*), pg_catalog.sum(d.rows - 1)
FROM (
    SELECT g.group_no, pg_catalog.count(*) AS rows
    FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.int4[]), pg_catalog.unnest($2::pg_catalog.oid[]), pg_catalog.unnest($3::pg_catalog.tid[])) AS g (group_no, heap, place)
    JOIN {table} AS {alias} ON {alias}.ctid = g.place AND {alias}.tableoid = g.heap
    JOIN {child} AS twinrow_child ON {on}
    CROSS JOIN LATERAL (SELECT {rest} FROM (SELECT twinrow_child.*) AS c WHERE {condition}) AS u
    GROUP BY g.group_no, {names}
    HAVING pg_catalog.count(*) > 1
) AS d
GROUP BY d.group_no
