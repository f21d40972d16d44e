-- How many rows of another table refer to the rows with some ids.
-- Parameters: for each id column an array of its type, then each again as text.
-- Placeholders: ids, readable, table, alias, here, asked, child, on. Locks: ACCESS SHARE on both tables.
WITH twinrow_rows AS MATERIALIZED (
    SELECT {ids}, {readable} FROM {table} AS {alias} WHERE {here}
)
SELECT twinrow_asked.number, pg_catalog.count(*)
FROM twinrow_rows AS k JOIN {asked}
JOIN {child} AS twinrow_child ON {on}
GROUP BY twinrow_asked.number
