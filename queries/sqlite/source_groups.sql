-- The candidate rows with a number that is the same for equal keys. Nothing
-- but the number may use the key, and no order is asked for: SQLite would carry
-- the key's plain columns along, and fail over a collation that the key replaces.
-- Parameters: ?1 a JSON array of rowids. Slots: {table}, {rowid} and {key},
-- quoted; {keep} leaves out keys that hold a NULL, where they equal none.
-- Locks: a read lock, as any SELECT.
SELECT dense_rank() OVER (ORDER BY {key}), {rowid}
FROM {table} NOT INDEXED
WHERE {rowid} IN (SELECT value FROM json_each(?1)) AND {keep}
