-- Every table and view of the main database, for finding the one that is meant.
-- Parameters: none. Locks: a read lock, as any SELECT.
SELECT s.name, s.type, coalesce(s.sql, ''), coalesce(l.wr, 0)
FROM main.sqlite_schema AS s
LEFT JOIN pragma_table_list AS l ON l.schema = 'main' AND l.name = s.name
WHERE s.type IN ('table', 'view')
ORDER BY s.name
