-- The rows of each key that recent rows have, each key looked up in the table.
-- CROSS JOIN keeps SQLite from going through the table first.
-- Parameters: ?1 the mark, where {recent} has it. Slots: {table}, {identity} and
-- {columns}, quoted; {key} names the key's parts and {same} compares them;
-- {recent}, {where} and {keep} choose the recent rows.
-- Locks: a read lock, as any SELECT.
WITH twinrow_recent AS MATERIALIZED (
    SELECT DISTINCT {key} FROM {table} WHERE {recent} AND {where} AND {keep}
), twinrow_keys AS MATERIALIZED (
    SELECT row_number() OVER () AS twinrow_number, * FROM twinrow_recent
)
SELECT twinrow_number, {identity}, {columns}
FROM twinrow_keys CROSS JOIN {table} ON {same}
WHERE {where}
ORDER BY twinrow_number
