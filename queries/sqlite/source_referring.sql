-- The rowids of the rows of another table that refer to the rows given, by rowid.
-- Parameters: ?1 a JSON array of rowids. Slots: {table}, {rowid}, {child} (rows
-- with their rowid as twinrow_place) and {on}, quoted. Locks: a read lock, as any SELECT.
SELECT t.{rowid}, c.twinrow_place
FROM {table} AS t JOIN {child} AS c ON {on}
WHERE t.{rowid} IN (SELECT value FROM json_each(?1))
