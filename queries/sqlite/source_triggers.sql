-- The triggers on a table.
-- Parameters: ?1 the table's name. Locks: a read lock, as any SELECT.
SELECT name, coalesce(sql, '')
FROM main.sqlite_schema
WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE
ORDER BY name
