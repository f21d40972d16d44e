-- What a table is, and whether it has no rowid.
-- Parameters: ?1 the table's name. Locks: a read lock, as any SELECT.
SELECT l.name, l.type, l.wr
FROM pragma_table_list AS l
WHERE l.schema = 'main' AND l.name = ?1
