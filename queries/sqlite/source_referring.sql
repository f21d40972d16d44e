-- The rowids of the rows of another table that refer to the rows given, by
-- what names them.
-- Parameters: ?1 a JSON array of names. Slots: {table}, {place} (what names a
-- row t), {child} (rows with their rowid as twinrow_place) and {on}, quoted. Locks: a read lock, as any SELECT.
SELECT {place}, c.twinrow_place
FROM {table} AS t JOIN {child} AS c ON {on}
WHERE {place} IN (SELECT value FROM json_each(?1))
