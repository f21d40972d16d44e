-- The columns of a table, generated and hidden ones included.
-- Parameters: ?1 the table's name. Locks: a read lock, as any SELECT.
SELECT name, type, "notnull", pk, hidden
FROM pragma_table_xinfo(?1, 'main')
ORDER BY cid
