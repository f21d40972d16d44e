-- How many rows of another table refer to the rows given, by rowid.
-- Parameters: ?1 a JSON array of rowids. Slots: {table}, {rowid}, {child} and
-- {on}, quoted. Locks: a read lock, as any SELECT.
SELECT t.{rowid}, count(*)
FROM {table} AS t JOIN {child} AS c ON {on}
WHERE t.{rowid} IN (SELECT value FROM json_each(?1))
GROUP BY 1
