-- The columns of a table, generated and hidden ones included.
-- Parameters: ?1 the table's name. Locks: a read lock, as any SELECT.
SELECT x.name, x.type, x.hidden, x.pk
FROM pragma_table_xinfo(?1, 'main') AS x
ORDER BY x.cid
