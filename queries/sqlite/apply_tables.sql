-- All ordinary tables, whose rows a trigger could remove.
-- Parameters: none. Locks: a read lock, as any SELECT.
SELECT l.name
FROM pragma_table_list AS l
WHERE l.schema = 'main' AND l.type = 'table' AND l.name NOT LIKE 'sqlite\_%' ESCAPE '\'
ORDER BY l.name
