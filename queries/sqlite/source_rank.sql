-- Where single rows stand in a person's own order, and which of a person's own
-- predicates hold for each. CROSS JOIN keeps SQLite from reading the whole table.
-- Parameters: ?1 the ids as a JSON array of arrays of texts.
-- Slots: {ids}, {place}, {holds}, {table}, {same}. Locks: a read lock.
WITH twinrow_asked AS MATERIALIZED (
    SELECT twinrow_ids.key AS twinrow_number, {ids} FROM json_each(?1) AS twinrow_ids
)
SELECT twinrow_asked.twinrow_number, {place}{holds}
FROM twinrow_asked CROSS JOIN {table} ON {same}
