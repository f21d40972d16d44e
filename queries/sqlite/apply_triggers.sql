-- The triggers on a table.
-- Parameters: ?1 the table's name. Locks: a read lock, as any SELECT.
SELECT t.name, coalesce(t.sql, '')
FROM main.sqlite_schema AS t
WHERE t.type = 'trigger' AND t.tbl_name = ?1 COLLATE NOCASE
ORDER BY t.name
