-- How many rows of another table refer to the rows given, by what names them.
-- Parameters: ?1 a JSON array of names. Slots: {table}, {place} (what names a
-- row t), {child} and {on}, quoted. Locks: a read lock, as any SELECT.
SELECT {place}, count(*)
FROM {table} AS t JOIN {child} AS c ON {on}
WHERE {place} IN (SELECT value FROM json_each(?1))
GROUP BY 1
