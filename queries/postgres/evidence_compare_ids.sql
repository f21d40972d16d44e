-- Whether the columns of two rows are the same by the database's own equality,
-- for each pair of ids.
-- Parameters: for each id column an array of its type with all ids, then as
-- text the first rows' and the second ones'.
-- Placeholders: ids, readable, table, alias, here, pairs, same. Locks: ACCESS SHARE.
WITH twinrow_rows AS MATERIALIZED (
    SELECT {ids}, {readable} FROM {table} AS {alias} WHERE {here}
)
SELECT twinrow_asked.number, {same}
FROM {pairs}
